#include <micro/loop/fd_watch.hpp>

#include <string>
#include <system_error>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "loop_impl.hpp"

namespace micro {

namespace asio = boost::asio;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

struct FdWatch::Impl {
  Loop::Impl& loop;
  Descriptor descriptor;
};

FdWatch::FdWatch(Loop& loop, int fd) : impl_(new Impl{loop.impl(), Descriptor(loop.impl().context().get_executor())}) {
  boost::system::error_code error;
  impl_->descriptor.assign(fd, error);
  if (error) throw std::system_error(error.value(), std::generic_category(), "FdWatch: descriptor " + std::to_string(fd));
}

// release() cancels what is pending and leaves the descriptor open: it belongs to somebody else.
FdWatch::~FdWatch() { impl_->descriptor.release(); }

void FdWatch::start(Awaiter& awaiter) {
  impl_->descriptor.async_wait(Descriptor::wait_read, [&loop = impl_->loop, &awaiter](const boost::system::error_code& error) {
    loop.enter();
    awaiter.ready = !error;
    awaiter.waiter.resume();
  });
}

void FdWatch::cancel() noexcept {
  boost::system::error_code ignored;
  impl_->descriptor.cancel(ignored);
}

}  // namespace micro
