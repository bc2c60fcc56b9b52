#include <micro/net/listener.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include <micro/context/context.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/loop/fd_watch.hpp>

#include "bind.hpp"
#include "socket_stream.hpp"

namespace micro::net {
namespace {

constexpr Duration kPauseWithoutDescriptors = std::chrono::milliseconds(100);

class SocketListener final : public Listener {
 public:
  SocketListener(Loop& loop, BoundSocket socket)
      : loop_(loop), socket_(std::move(socket)), watch_(std::in_place, loop, socket_.fd) {}
  ~SocketListener() override { close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    while (!closing_.cancelled()) {
      SocketAddress peer;
      const int fd = ::accept4(socket_.fd, peer.data(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) co_return adopt_socket(loop_, fd, peer);
      switch (errno) {
        case EAGAIN:
          co_await watch_->readable();
          break;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
          // The connection stays in the kernel's queue; accepting goes on when others have ended.
          co_await sleep(closing_, kPauseWithoutDescriptors);
          break;
        case EBADF:
        case EINVAL:
        case ENOTSOCK:
        case EFAULT:
          co_return fail(from_errno(errno, "accept on " + address().to_string()));
        default:
          // The peer went away while it was queued, or its network did (accept(2), "Error handling").
          break;
      }
    }
    co_return fail(*closing_.error());
  }

  void close() override {
    if (closing_.cancelled()) return;
    closing_.cancel(cancelled("accept on " + address().to_string() + ": the listener was closed"));
    watch_.reset();
    socket_.close();
  }

  const Address& address() const noexcept override { return socket_.address; }
  Loop& loop() const noexcept override { return loop_; }

 private:
  Loop& loop_;
  BoundSocket socket_;
  std::optional<FdWatch> watch_;
  Context closing_;
};

}  // namespace

Result<std::unique_ptr<Listener>> Listener::listen(Loop& loop, const Address& address, const ListenOptions& options) {
  Result<BoundSocket> socket = bind_and_listen(address, options);
  if (!socket) return fail(std::move(socket.error()));
  return std::make_unique<SocketListener>(loop, std::move(*socket));
}

}  // namespace micro::net
