#include "http1_connection.hpp"

#include <algorithm>
#include <optional>

#include "socket.hpp"

namespace bench {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The value of Content-Length in the head of a reply.
std::optional<std::size_t> content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  const auto found = std::ranges::search(head, kName, [](char a, char b) { return lower(a) == b; });
  if (found.empty()) return std::nullopt;
  std::string_view value(found.end(), head.end());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  std::size_t length = 0;
  for (; !value.empty() && value[0] >= '0' && value[0] <= '9'; value.remove_prefix(1)) {
    length = 10 * length + static_cast<std::size_t>(value[0] - '0');
  }
  return length;
}

}  // namespace

Http1Connection::Http1Connection(const std::string& address, int epoll, const Exchange& exchange, Run& run)
    : epoll_(epoll), fd_(tcp_socket(0)), exchange_(exchange), run_(run) {
  const sockaddr_in peer = parse_address(address);
  check(connect(fd_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), address.c_str());
  set_nodelay(fd_);
  // Ready to write at once, which begins a run that waits for nothing else.
  epoll_set(epoll_, EPOLL_CTL_ADD, fd_, EPOLLIN | EPOLLOUT, this);
}

Http1Connection::~Http1Connection() { close(fd_); }

void Http1Connection::on_event(std::uint32_t events, std::uint64_t now_ns) {
  if (events & EPOLLOUT) epoll_set(epoll_, EPOLL_CTL_MOD, fd_, EPOLLIN, this);
  if (events & ~static_cast<std::uint32_t>(EPOLLOUT)) read(now_ns);
  send(now_ns);
}

void Http1Connection::send(std::uint64_t now_ns) {
  if (!open_ || waiting_ || (run_.scheduled ? due_.empty() : run_.to_send == 0)) return;
  sent_ns_ = run_.scheduled ? due_.front() : now_ns;
  if (run_.scheduled) {
    due_.pop_front();
  } else {
    --run_.to_send;
  }
  waiting_ = true;
  // The socket's buffer is empty when nothing is outstanding, and a request is small.
  const std::string& request = exchange_.request;
  const ssize_t sent = ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<ssize_t>(request.size())) abandon(sent < 0 ? std::strerror(errno) : "a request was sent in part");
}

void Http1Connection::abandon(const std::string& why) {
  if (open_) epoll_set(epoll_, EPOLL_CTL_DEL, fd_, 0, nullptr);
  open_ = false;
  run_.failed += due_.size();
  due_.clear();
  if (waiting_) finish(0, why.c_str());
}

void Http1Connection::read(std::uint64_t now_ns) {
  const std::size_t had = in_.size();
  in_.resize(had + kReadSize);
  const ssize_t got = recv(fd_, in_.data() + had, kReadSize, MSG_DONTWAIT);
  in_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (!waiting_ && run_.first_failure.empty()) run_.first_failure = "the server closed an idle connection";
    return abandon(got == 0 ? "the server closed the connection" : std::strerror(errno));
  }
  ++run_.frames;
  if (!waiting_) return abandon("a reply that nobody has asked for");
  const std::size_t end = in_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  const std::string_view head = std::string_view(in_).substr(0, end + 2);
  const std::optional<std::size_t> length = content_length(head);
  if (!length || !head.starts_with("HTTP/1.1 200 ")) return abandon("the reply has not status 200 and Content-Length");
  const std::string_view body = std::string_view(in_).substr(end + 4);
  if (body.size() < *length) return;
  finish(now_ns, body == exchange_.reply_body ? nullptr : "the reply is not the expected one");
  in_.clear();
}

void Http1Connection::finish(std::uint64_t now_ns, const char* failure) {
  waiting_ = false;
  if (failure == nullptr) {
    ++run_.ok;
    run_.latency.add(now_ns - sent_ns_);
  } else {
    ++run_.failed;
    if (run_.first_failure.empty()) run_.first_failure = failure;
  }
}

}  // namespace bench
