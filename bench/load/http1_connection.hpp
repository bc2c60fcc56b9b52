#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "run.hpp"

namespace bench {

// What to send over HTTP/1.1, and the body that must come back.
struct Exchange {
  std::string request;
  std::string reply_body;
};

// One HTTP/1.1 connection with one request outstanding. A reply counts when its status is 200 and its body the expected one; its
// length must be told by Content-Length.
class Http1Connection {
 public:
  Http1Connection(const std::string& address, int epoll, const Exchange& exchange, Run& run);
  ~Http1Connection();
  Http1Connection(const Http1Connection&) = delete;
  Http1Connection& operator=(const Http1Connection&) = delete;

  // As drive() wants them.
  void on_event(std::uint32_t events, std::uint64_t now_ns);
  void schedule(std::uint64_t when_ns) { due_.push_back(when_ns); }
  void send(std::uint64_t now_ns);
  void abandon(const std::string& why);
  bool idle() const { return !waiting_ && due_.empty(); }

 private:
  void read(std::uint64_t now_ns);
  void finish(std::uint64_t now_ns, const char* failure);

  const int epoll_;
  const int fd_;
  const Exchange& exchange_;
  Run& run_;
  std::string in_;
  bool open_ = true;
  bool waiting_ = false;
  std::uint64_t sent_ns_ = 0;
  std::deque<std::uint64_t> due_;
};

}  // namespace bench
