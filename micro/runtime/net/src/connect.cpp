#include <micro/net/connect.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <micro/coro/deadline.hpp>

#include "loop_impl.hpp"
#include "resolve.hpp"
#include "socket_stream.hpp"

namespace micro::net {

namespace asio = boost::asio;

namespace {

struct ConnectAwaiter {
  ConnectAwaiter(Loop& l, Socket& s, const SocketAddress& a, Context& c) : loop(l), socket(s), address(a), context(c) {}
  Loop& loop;
  Socket& socket;
  const SocketAddress& address;
  Context& context;
  CancelCallback cancel{};
  std::coroutine_handle<> waiter{};
  int error_number = 0;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter = handle;
    const Socket::endpoint_type endpoint(address.data(), address.size);
    socket.async_connect(endpoint, [this](const boost::system::error_code& error) {
      loop.impl().enter();
      error_number = error.value();
      waiter.resume();
    });
    cancel.link(
        context.cancellation(),
        [](void* self, const Error&) {
          boost::system::error_code ignored;
          static_cast<ConnectAwaiter*>(self)->socket.close(ignored);
        },
        this);
  }
  int await_resume() {
    cancel.unlink();
    return error_number;
  }
};

Task<Result<std::unique_ptr<Stream>>> connect_one(Loop& loop, Context& context, const SocketAddress& address) {
  Socket socket(loop.impl().context().get_executor());
  const int error_number = co_await ConnectAwaiter(loop, socket, address, context);
  if (context.cancelled()) co_return fail(*context.error());
  if (error_number != 0) co_return fail(unavailable(std::generic_category().message(error_number)));
  co_return std::make_unique<SocketStream>(loop, std::move(socket), address);
}

Task<Result<std::unique_ptr<Stream>>> connect_any(Loop& loop, Context& context, const Address& address) {
  std::vector<SocketAddress> candidates;
  if (address.is_unix()) {
    Result<SocketAddress> raw = unix_address(address.unix_path);
    if (!raw) co_return fail(std::move(raw.error()));
    candidates.push_back(*raw);
  } else {
    Result<std::vector<SocketAddress>> found = co_await resolve(context, address);
    if (!found) co_return fail(std::move(found.error()));
    candidates = std::move(*found);
  }
  std::optional<Error> last;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    // Each address gets its share of the time that is left, so that one that never answers leaves some for the next.
    Context attempt(context);
    const std::size_t left = candidates.size() - i;
    if (const auto remaining = context.remaining(loop.now()); remaining && left > 1) {
      attempt.set_timeout(*remaining / static_cast<Duration::rep>(left), loop.now());
    }
    ContextDeadline deadline(attempt, loop);
    Result<std::unique_ptr<Stream>> stream = co_await connect_one(loop, attempt, candidates[i]);
    if (stream || context.cancelled()) co_return stream;
    last = std::move(stream.error());
  }
  if (last) co_return fail(std::move(*last));
  co_return fail(not_found("the name has no address"));
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect(Context& context, const Address& address) {
  Loop* loop = Loop::current();
  if (loop == nullptr) throw std::logic_error("net::connect() awaited on a thread that runs no loop");
  ContextDeadline deadline(context, *loop);
  if (context.cancelled()) co_return fail(Error(*context.error()).with_context("connect to " + address.to_string()));
  Result<std::unique_ptr<Stream>> stream = co_await connect_any(*loop, context, address);
  if (!stream) co_return fail(std::move(stream.error()).with_context("connect to " + address.to_string()));
  co_return stream;
}

}  // namespace micro::net
