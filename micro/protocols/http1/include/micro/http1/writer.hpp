#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <micro/bytes/buffer.hpp>
#include <micro/bytes/chain.hpp>
#include <micro/error/error.hpp>
#include <micro/http1/head.hpp>
#include <micro/metadata/metadata.hpp>

// Writes HTTP/1.1 messages (RFC 9112) to the end of a Buffer or a Chain.
//
// Whatever could inject a header or a second message (CR, LF, NUL and other control bytes, names that are no tokens, blanks in
// targets) is refused with INVALID_ARGUMENT and nothing is written.
// The framing belongs to the writer: Connection, Keep-Alive, Content-Length, Transfer-Encoding and Upgrade among the caller's
// headers are left out, so headers of another connection can be passed on as they are.
// Functions without state: safe from any thread as long as nobody else uses `out`.
namespace micro::http1 {

// How the receiver will find the end of the body.
class BodySize {
 public:
  // No body and no header about it. Requests such as GET; responses to CONNECT.
  static constexpr BodySize none() noexcept { return BodySize(Kind::kNone, 0); }
  // Content-Length: `bytes`, which may be 0. Also for responses to HEAD, where it tells the length GET would have had.
  static constexpr BodySize exactly(std::uint64_t bytes) noexcept { return BodySize(Kind::kExact, bytes); }
  // Transfer-Encoding: chunked; then write_chunk() and write_last_chunk(). Not for HTTP/1.0 peers.
  static constexpr BodySize chunked() noexcept { return BodySize(Kind::kChunked, 0); }
  // The body ends with the connection: for streams to HTTP/1.0 clients. Implies "Connection: close". Not for requests.
  static constexpr BodySize until_close() noexcept { return BodySize(Kind::kUntilClose, 0); }

  enum class Kind : std::uint8_t { kNone, kExact, kChunked, kUntilClose };
  constexpr Kind kind() const noexcept { return kind_; }
  constexpr std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  constexpr BodySize(Kind kind, std::uint64_t bytes) noexcept : bytes_(bytes), kind_(kind) {}
  std::uint64_t bytes_;
  Kind kind_;
};

struct ResponseStart {
  int status = 200;                  // 100..999; the phrase is the registered one
  BodySize body = BodySize::none();  // ignored for 1xx and 204, which never have a body
  std::string_view date = {};        // value of Date, from http::DateCache; empty: none is written. A Date among the headers wins
  std::string_view upgrade = {};     // with 101: the protocol switched to; writes Upgrade and "Connection: Upgrade"
  bool keep_alive = true;            // false: "Connection: close"
  std::uint8_t minor_version = 1;    // of the request; with 0, keep_alive is said aloud and chunked is refused
};

Result<void> write_response_head(Buffer& out, const ResponseStart& start, const Metadata& headers);
Result<void> write_response_head(Chain& out, const ResponseStart& start, const Metadata& headers);

struct RequestStart {
  std::string_view method = "GET";   // any token
  std::string_view target = "/";     // in the form the method and the next hop need; no check beyond its characters
  std::string_view host = {};        // value of Host; an empty one is written too, as RFC 9112 section 3.2 asks. A Host
                                     // among the headers is left out
  BodySize body = BodySize::none();  // POST and PUT without a body: exactly(0)
  std::string_view upgrade = {};     // the protocol asked for; for "h2c" HTTP2-Settings must be among the headers
  bool keep_alive = true;            // false: "Connection: close"
  bool expect_continue = false;      // "Expect: 100-continue"
};

Result<void> write_request_head(Buffer& out, const RequestStart& start, const Metadata& headers);
Result<void> write_request_head(Chain& out, const RequestStart& start, const Metadata& headers);

// One chunk with `data`; nothing when `data` is empty, since an empty chunk would end the body.
void write_chunk(Buffer& out, std::string_view data);
void write_chunk(Chain& out, std::string_view data);
// Moves large data in without a copy.
void write_chunk(Chain& out, Buffer&& data);

// The end of a chunked body. Trailers that belong to the framing or routing of a message are refused (RFC 9110, section 6.5.1).
Result<void> write_last_chunk(Buffer& out, const Metadata& trailers = {});
Result<void> write_last_chunk(Chain& out, const Metadata& trailers = {});

// "HTTP/1.1 100 Continue", the answer to Expect.
void write_continue(Buffer& out);
void write_continue(Chain& out);

// Responses that differ only in their body, such as the JSON replies of a service: status line and headers are checked and
// rendered once, after which a reply is one append. Immutable, so loops may share one.
class PreparedResponse {
 public:
  // Fails as write_response_head() does. `status` must be one that has a body. A Date among the headers is left out.
  static Result<PreparedResponse> make(int status, const Metadata& headers);

  struct Options {
    std::string_view date = {};  // as in ResponseStart
    bool keep_alive = true;
    std::uint8_t minor_version = 1;  // of the request
    bool omit_body = false;          // for HEAD: the length is told, the body not sent
  };
  void write(Buffer& out, std::string_view body, const Options& options) const;
  void write(Chain& out, std::string_view body, const Options& options) const;

 private:
  explicit PreparedResponse(std::string head) : head_(std::move(head)) {}
  std::string head_;  // up to and including the last header that does not change
};

}  // namespace micro::http1
