#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "frame.hpp"
#include "run.hpp"

namespace bench {

// What to send and what must come back, encoded once.
class Requests {
 public:
  // `message`, `times` in a row and each time in a DATA frame of its own, goes out, and `reply` must come back, prefixes
  // included; a streamed reply is all its messages in a row. With metadata every request carries grpc-timeout and a trace id of
  // its own as literals, as clients in production do.
  Requests(std::string_view authority, std::string_view path, std::string_view message, std::uint32_t times, std::string reply,
           bool metadata);

  // Appends HEADERS and DATA for one request. The first one of a connection fills the server's HPACK table, later ones name
  // its entries: what a gRPC client sends.
  void append_to(std::string& out, bool first, std::uint32_t stream);

  // Of all its DATA.
  std::size_t message_size() const { return message_size_; }
  std::string_view expected_reply() const { return expected_reply_; }

 private:
  struct Template {
    std::string bytes;
    std::vector<std::size_t> frames;  // where each starts
    std::size_t trace_at;             // where the trace id starts; npos without metadata
  };
  Template make_template(const std::string& header_block, std::string_view message, std::uint32_t times, bool metadata);

  Template first_, later_;
  std::size_t message_size_;
  std::string expected_reply_;
  std::uint64_t trace_ = 0;
};

// One HTTP/2 connection that keeps `streams` requests outstanding. A reply counts when it has HEADERS, exactly the expected
// message in DATA, and trailers (HEADERS with END_STREAM). Header blocks are not decoded; an error has no such message.
class Connection {
 public:
  Connection(const std::string& address, int epoll, Requests& requests, Run& run);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // As drive() wants them.
  void on_event(std::uint32_t events, std::uint64_t now_ns);
  void schedule(std::uint64_t when_ns) { due_.push_back(when_ns); }
  void send(std::uint64_t now_ns);
  void abandon(const std::string& why);
  bool idle() const { return outstanding_ == 0 && due_.empty(); }

 private:
  struct Stream {
    std::uint32_t id = 0;  // 0: free
    bool headers_seen = false;
    std::uint32_t received = 0;
    std::uint64_t sent_ns = 0;
  };

  void read(std::uint64_t now_ns);
  void write();
  void send_requests(std::uint64_t now_ns);
  void on_frame(const Frame& frame, std::uint64_t now_ns);
  void on_stream_frame(const Frame& frame, std::uint64_t now_ns);
  void on_settings(std::string_view payload);
  void finish(Stream& stream, std::uint64_t now_ns, const char* failure);
  Stream& slot(std::uint32_t id) { return slots_[id / 2 & (slots_.size() - 1)]; }

  const int epoll_;
  const int fd_;
  Requests& requests_;
  Run& run_;
  std::vector<Stream> slots_;  // a power of two; a stream id whose slot is still taken is skipped
  std::vector<char> in_;
  std::size_t have_ = 0;
  std::string out_;
  bool open_ = true;
  bool want_write_ = false;
  bool settings_seen_ = false;
  bool first_ = true;
  std::deque<std::uint64_t> due_;
  unsigned outstanding_ = 0;
  std::uint32_t next_id_ = 1;
  std::int64_t send_window_ = 65535;
  std::uint32_t receive_used_ = 0;
};

}  // namespace bench
