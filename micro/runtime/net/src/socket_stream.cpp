#include "socket_stream.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "loop_impl.hpp"

namespace micro::net {
namespace {

constexpr std::size_t kMaxPieces = 64;
constexpr std::uint32_t kInterest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t kEnded = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

SocketStream::SocketStream(Loop& loop, int fd, const SocketAddress& peer) noexcept
    : loop_(loop), fd_(fd), internet_(peer.family() != AF_UNIX) {
  if (!internet_) {
    peer_ = to_string(peer.data(), peer.size);
    return;
  }
  std::memcpy(&raw_peer_, &peer.storage, sizeof raw_peer_);
  // Replies are gathered before they are written: waiting for more of them in the kernel only adds latency.
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

SocketStream::~SocketStream() { close(); }

int SocketStream::watch() noexcept { return loop_.impl().events.add(fd_, kInterest, *this); }

int SocketStream::connect_error() const noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void SocketStream::on_events(std::uint32_t events) {
  if ((events & kEnded) != 0) ended_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    writable_ = true;
    complete_later(writer_, 0);
  }
  if ((events & (EPOLLIN | kEnded)) == 0) return;
  readable_ = true;
  if (reader_ == nullptr || !receive(into_, *reader_)) return;
  // Last, because whoever waits may end this stream.
  std::exchange(reader_, nullptr)->waiter.resume();
}

bool SocketStream::receive(std::span<char> buffer, IoOperation& operation) noexcept {
  for (;;) {
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count >= 0) {
      operation.size = static_cast<std::size_t>(count);
      // Less than asked for: nothing is left. Of Unix sockets that is not certain, messages of several writers are kept apart
      // there.
      if (internet_ && operation.size < buffer.size() && !ended_) readable_ = false;
      return true;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      readable_ = false;
      return false;
    }
    operation.error = errno;
    return true;
  }
}

void SocketStream::complete_later(IoOperation*& operation, int error) {
  if (operation == nullptr) return;
  operation->error = error;
  loop_.post(std::exchange(operation, nullptr)->waiter);
}

void SocketStream::start_read(std::span<char> buffer, IoOperation& operation) {
  reader_ = &operation;
  into_ = buffer;
  if (!is_open()) return complete_later(reader_, ECANCELED);
  if (!readable_) return;
  char byte;
  readable_ = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  if (!readable_) return;
  operation.ready = true;
  complete_later(reader_, 0);
}

void SocketStream::finish_read(std::span<char> buffer, IoOperation& operation) {
  if (!is_open()) {
    operation.error = ECANCELED;
  } else if (!receive(buffer, operation)) {
    operation.error = EAGAIN;  // somebody else has read what was there
  }
}

void SocketStream::start_wait_writable(IoOperation& operation) {
  writer_ = &operation;
  if (!is_open()) return complete_later(writer_, ECANCELED);
  if (writable_) complete_later(writer_, 0);
}

Result<std::size_t> SocketStream::try_read(std::span<char> buffer, bool& would_block) {
  would_block = false;
  if (!is_open()) return fail(io_error("read from", ECANCELED));
  IoOperation operation;
  if (!receive(buffer, operation)) {
    would_block = true;
    return 0;
  }
  if (operation.error != 0) return fail(io_error("read from", operation.error));
  return operation.size;
}

Result<std::size_t> SocketStream::try_write(std::span<const std::string_view> pieces) {
  if (!is_open()) return fail(io_error("write to", ECANCELED));
  iovec vectors[kMaxPieces];
  std::size_t count = 0;
  std::size_t size = 0;
  for (const std::string_view piece : pieces.first(std::min(pieces.size(), kMaxPieces))) {
    if (piece.empty()) continue;
    vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    size += piece.size();
  }
  if (count == 0) return 0;
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t written = count == 1 ? ::send(fd_, vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
                                       : ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written >= 0) {
      if (static_cast<std::size_t>(written) < size) writable_ = false;
      return static_cast<std::size_t>(written);
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      writable_ = false;
      return 0;
    }
    return fail(io_error("write to", errno));
  }
}

void SocketStream::shutdown_write() {
  if (is_open()) ::shutdown(fd_, SHUT_WR);  // a peer that is gone already needs no telling
}

void SocketStream::close() {
  if (!is_open()) return;
  loop_.impl().events.forget(*this);
  ::close(std::exchange(fd_, -1));
  complete_later(reader_, ECANCELED);
  complete_later(writer_, ECANCELED);
}

const std::string& SocketStream::peer() const noexcept {
  if (peer_.empty()) peer_ = to_string(reinterpret_cast<const sockaddr*>(&raw_peer_), sizeof raw_peer_);
  return peer_;
}

const std::string& SocketStream::local() const noexcept {
  if (local_.empty() && is_open()) {
    SocketAddress address;
    if (getsockname(fd_, address.data(), &address.size) == 0) {
      local_ = to_string(address.data(), address.size);
    }
  }
  return local_;
}

Result<std::unique_ptr<Stream>> adopt_socket(Loop& loop, int fd, const SocketAddress& peer) {
  auto stream = std::make_unique<SocketStream>(loop, fd, peer);
  if (const int error = stream->watch(); error != 0) {
    return fail(from_errno(error, "watch the connection with " + to_string(peer.data(), peer.size)));
  }
  return stream;
}

}  // namespace micro::net
