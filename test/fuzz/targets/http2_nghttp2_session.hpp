#pragma once

// nghttp2's own session, as a server or a client, that writes down what each frame leads to.
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <nghttp2/nghttp2.h>

#include <micro/http2/field.hpp>
#include <micro/http2/options.hpp>

#include "fuzz.hpp"

namespace micro::fuzz {

// What one frame has led to, in words both implementations can be compared by.
struct Verdict {
  std::string delivered;  // requests, responses, trailers, ends, resets, as text
  std::string body;
  std::optional<std::string> authority;  // :authority of a request; of nghttp2's alone
  bool connection_error = false;         // GOAWAY with an error
  std::string stream_errors;             // streams reset on account of it
  std::string why;

  // Pieces of data are joined: where a frame is cut into them is nobody's business.
  void data(std::string_view bytes) { body += bytes; }
  void field(std::string_view name, std::string_view value) { delivered.append(" ").append(name).append("=").append(value); }
  // Finds RST_STREAM and GOAWAY in what a session has written.
  void read_output(std::string_view bytes);
  std::string outcome() const { return connection_error ? "connection error" : "resets" + stream_errors; }
};

class Nghttp2Session {
 public:
  Nghttp2Session(http2::Role role, const http2::Options& options);
  ~Nghttp2Session() { nghttp2_session_del(session_); }
  Nghttp2Session(const Nghttp2Session&) = delete;
  Nghttp2Session& operator=(const Nghttp2Session&) = delete;

  Verdict feed(std::string_view bytes);
  // Server: response headers that end the stream, if it is there.
  void answer(std::uint32_t id);
  // Client: the number of the stream, 0 when none was opened. Without `end` a body follows that is empty and ends with end().
  std::uint32_t request(std::span<const http2::Field> fields, bool end);
  void end(std::uint32_t id);
  void reset(std::uint32_t id);
  // It has been told GOAWAY, no stream is left, and it looks at nothing any more.
  bool is_done() const { return nghttp2_session_want_read(session_) == 0; }

 private:
  void header(std::int32_t id, std::string_view name, std::string_view value);
  int frame(const nghttp2_frame& frame);

  nghttp2_session* session_ = nullptr;
  std::set<std::int32_t> ended_;  // bodies of requests
  bool leaving_ = false;          // a GOAWAY has come with what was fed last
  Verdict verdict_;
  struct Head {
    std::map<std::string, std::string, std::less<>> pseudo;
    std::string fields;
  };
  Head head_;
};

}  // namespace micro::fuzz
