#include <micro/net/connect.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <micro/coro/deadline.hpp>

#include "resolve.hpp"
#include "socket_stream.hpp"

namespace micro::net {

namespace {

Error connect_failed(int error_number) { return unavailable(std::generic_category().message(error_number)); }

Task<Result<std::unique_ptr<Stream>>> connect_one(Loop& loop, Context& context, const SocketAddress& address) {
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return fail(connect_failed(errno));
  auto stream = std::make_unique<SocketStream>(loop, fd, address);
  const bool connected = ::connect(fd, address.data(), address.size) == 0;
  if (!connected && errno != EINPROGRESS) co_return fail(connect_failed(errno));
  if (const int error = stream->watch(); error != 0) co_return fail(connect_failed(error));
  if (!connected) {
    CancelCallback cancel;
    cancel.link(
        context.cancellation(), [](void* self, const Error&) { static_cast<SocketStream*>(self)->close(); }, stream.get());
    (void)co_await stream->wait_writable();
    cancel.unlink();
    if (context.cancelled()) co_return fail(*context.error());
    if (const int error = stream->connect_error(); error != 0) co_return fail(connect_failed(error));
  }
  co_return stream;
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
