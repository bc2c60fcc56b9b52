#include "socket_stream.hpp"

#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "loop_impl.hpp"

namespace micro::net {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMaxPieces = 64;

// What IoOperation::error promises for an error of Asio.
int to_errno(const boost::system::error_code& error) noexcept {
  if (!error || error == asio::error::eof) return 0;
  if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) return ECANCELED;
  return error.value();
}

}  // namespace

SocketStream::SocketStream(Loop& loop, Socket socket, const SocketAddress& peer) : loop_(loop), socket_(std::move(socket)) {
  if (peer.family() == AF_UNIX) {
    peer_ = to_string(peer.data(), peer.size);
    return;
  }
  std::memcpy(&raw_peer_, &peer.storage, sizeof raw_peer_);
  // Replies are gathered before they are written: waiting for more of them in the kernel only adds latency.
  const int on = 1;
  setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void SocketStream::start_read(std::span<char> buffer, IoOperation& operation) {
  socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()),
                          [&loop = loop_.impl(), &operation](const boost::system::error_code& error, std::size_t size) {
                            loop.enter();
                            operation.size = size;
                            operation.error = to_errno(error);
                            operation.waiter.resume();
                          });
}

void SocketStream::start_wait_writable(IoOperation& operation) {
  socket_.async_wait(Socket::wait_write, [&loop = loop_.impl(), &operation](const boost::system::error_code& error) {
    loop.enter();
    operation.error = to_errno(error);
    operation.waiter.resume();
  });
}

Result<std::size_t> SocketStream::try_read(std::span<char> buffer, bool& would_block) {
  would_block = false;
  if (!is_open()) return fail(io_error("read from", ECANCELED));
  for (;;) {
    const ssize_t count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return fail(io_error("read from", errno));
    would_block = true;
    return 0;
  }
}

Result<std::size_t> SocketStream::try_write(std::span<const std::string_view> pieces) {
  if (!is_open()) return fail(io_error("write to", ECANCELED));
  iovec vectors[kMaxPieces];
  std::size_t count = 0;
  for (const std::string_view piece : pieces.first(std::min(pieces.size(), kMaxPieces))) {
    if (!piece.empty()) vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  if (count == 0) return 0;
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t written =
        count == 1 ? ::send(socket_.native_handle(), vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
                   : ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written >= 0) return static_cast<std::size_t>(written);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    return fail(io_error("write to", errno));
  }
}

void SocketStream::shutdown_write() {
  boost::system::error_code ignored;  // a peer that is gone already needs no telling
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void SocketStream::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

const std::string& SocketStream::peer() const noexcept {
  if (peer_.empty()) peer_ = to_string(reinterpret_cast<const sockaddr*>(&raw_peer_), sizeof raw_peer_);
  return peer_;
}

const std::string& SocketStream::local() const noexcept {
  if (local_.empty() && is_open()) {
    SocketAddress address;
    if (getsockname(socket_.native_handle(), address.data(), &address.size) == 0) {
      local_ = to_string(address.data(), address.size);
    }
  }
  return local_;
}

Result<std::unique_ptr<Stream>> adopt_socket(Loop& loop, int fd, const SocketAddress& peer) {
  Socket socket(loop.impl().context().get_executor());
  boost::system::error_code error;
  socket.assign(asio::generic::stream_protocol(peer.family(), 0), fd, error);
  if (error) {
    ::close(fd);
    return fail(from_errno(error.value(), "watch the connection with " + to_string(peer.data(), peer.size)));
  }
  return std::make_unique<SocketStream>(loop, std::move(socket), peer);
}

}  // namespace micro::net
