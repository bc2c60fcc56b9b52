#include <micro/loop/signals.hpp>

#include <string>
#include <system_error>

#include <boost/asio/signal_set.hpp>

#include "loop_impl.hpp"

namespace micro {

namespace asio = boost::asio;
using SignalSet = asio::basic_signal_set<asio::io_context::executor_type>;

struct Signals::Impl {
  Loop::Impl& loop;
  SignalSet set;
};

Signals::Signals(Loop& loop, std::initializer_list<int> signals)
    : impl_(new Impl{loop.impl(), SignalSet(loop.impl().context().get_executor())}) {
  for (const int signal : signals) {
    boost::system::error_code error;
    impl_->set.add(signal, error);
    if (error) throw std::system_error(error.value(), std::generic_category(), "Signals: signal " + std::to_string(signal));
  }
}

Signals::~Signals() = default;

void Signals::start(Awaiter& awaiter) {
  impl_->set.async_wait([&loop = impl_->loop, &awaiter](const boost::system::error_code& error, int number) {
    loop.enter();
    awaiter.number = error ? 0 : number;
    awaiter.waiter.resume();
  });
}

void Signals::cancel() noexcept {
  boost::system::error_code ignored;
  impl_->set.cancel(ignored);
}

}  // namespace micro
