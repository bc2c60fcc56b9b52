#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/error/error.hpp>
#include <micro/http/method.hpp>
#include <micro/http1/head.hpp>
#include <micro/http1/limits.hpp>
#include <micro/metadata/metadata.hpp>

namespace micro::http1 {

// What next() found.
enum class Event : std::uint8_t {
  kNeedMore,  // `input` is used up; come back with more bytes
  kHead,      // head() is complete
  kBody,      // body() is a piece of the body, a view into `input`; at least one byte
  kEnd,       // the message is complete, trailers() are final; the next call starts the next message
};

enum class Fault : std::uint8_t;  // private: the ways a message can be wrong

// The HTTP/1.1 message parser (RFC 9112): bytes in, events out; no sockets, no clock, no threads.
//
//   while (true) {
//     auto event = parser.next(input);              // input: std::string_view of what was read and not yet used
//     if (!event) return answer(event.error());     // http::status_from(error) is the status to answer; then close
//     if (*event == Event::kNeedMore) break;        // input is empty now
//     ...
//   }
//
// next() takes what it uses off the front of `input`, which may end anywhere; results do not depend on where it was cut. A
// message whose head arrives in one piece is parsed in place; of a head that does not, only the unfinished line is kept.
// Pipelined messages simply follow each other: stop calling next() to put the later ones off.
// After an upgrade (101) or CONNECT the rest of `input` belongs to the other protocol: stop at kEnd.
//
// Strict on purpose, since two readers that disagree on where a message ends make request smuggling (RFC 9112, section 11.2):
// bare CR or LF, folded lines, blanks before the colon, control bytes, Content-Length that is repeated, listed or signed,
// Transfer-Encoding with Content-Length, on HTTP/1.0, or other than "chunked", are all refused. An error is final: the
// connection cannot be read further, and next() repeats the error until reset().
//
// Errors of requests carry the status to answer: 400, 413, 414, 417, 431, 501 or 505. Errors of responses are INTERNAL
// (malformed), RESOURCE_EXHAUSTED (limits) or UNAVAILABLE (cut off). Reasons start with "HTTP_".
// Thread safety: one thread at a time. head() and trailers() are valid until next() starts the following message.
class MessageParser {
 public:
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  Result<Event> next(std::string_view& input);

  // The peer will send no more. kEnd when that ends the body (responses without a length), kNeedMore when no message was under
  // way, else an error.
  Result<Event> finish();

  std::string_view body() const noexcept { return body_; }
  const Metadata& trailers() const noexcept { return trailers_; }
  // Nothing of a message has arrived since the last one ended: the connection is idle and may be closed without loss.
  bool idle() const noexcept;

 protected:
  // How the end of the body is found (RFC 9112, section 6.3).
  enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

  // What the field lines said, gathered on the way so that nothing has to be looked up again.
  struct Fields {
    std::uint64_t content_length = 0;
    bool has_content_length = false;
    bool chunked = false;
    bool close = false;
    bool keep_alive = false;
    bool connection_upgrade = false;
    bool connection_settings = false;
    bool has_upgrade = false;
    bool upgrade_h2c = false;
    bool upgrade_websocket = false;
    bool expect_continue = false;
    std::uint8_t hosts = 0;
    std::uint8_t http2_settings = 0;
  };

  MessageParser(const Limits& limits, MessageHead& head, bool request) : limits_(limits), common_(head), request_(request) {}
  ~MessageParser() = default;

  virtual Fault parse_start_line(std::string_view line) = 0;
  // Checks what only the whole head tells, sets the flags of the head and framing_.
  virtual Fault finish_head() = 0;
  // True when the complete head is to be dropped and another one awaited.
  virtual bool skip_head() noexcept { return false; }

  Fault set_version(std::string_view text) noexcept;
  void finish_common() noexcept;
  void restart() noexcept;

  Limits limits_;
  Fields fields_;
  Framing framing_ = Framing::kNone;

 private:
  enum class State : std::uint8_t {
    kStartLine,
    kHeaders,
    kBodyStart,
    kLength,
    kUntilClose,
    kChunkLine,
    kChunkData,
    kChunkCr,
    kChunkLf,
    kTrailers,
    kDone,
    kFailed
  };
  enum class Take : std::uint8_t { kLine, kPartial, kTooLong };

  Take take_line(std::string_view& input, std::size_t limit);
  Result<Event> body_piece(std::string_view& input);
  Fault parse_field_line(std::string_view line, Metadata& into);
  Fault note_field(std::string_view name, std::string_view value);
  Fault note_transfer_encoding(std::string_view value);
  void note_connection(std::string_view value);
  Fault parse_chunk_line(std::string_view line);
  Result<Event> fail(Fault fault);
  Result<Event> done() noexcept;

  MessageHead& common_;
  Metadata trailers_;
  Buffer partial_;         // the unfinished line of an earlier read
  std::string_view line_;  // set by take_line(), with its LF; in partial_ or in the input
  std::string_view body_;
  std::uint64_t remaining_ = 0;  // of the body or the chunk
  std::uint64_t received_ = 0;   // body bytes announced by chunks or read until close
  std::size_t header_bytes_ = 0;
  std::size_t chunk_overhead_ = 0;
  State state_ = State::kStartLine;
  Fault fault_{};
  bool request_;
  bool blank_line_ = false;  // the one CRLF tolerated before a request line has been seen
  bool line_buffered_ = false;
};

// The server's side.
class RequestParser final : public MessageParser {
 public:
  explicit RequestParser(const Limits& limits = {}) : MessageParser(limits, head_, true) {}

  // Complete after kHead. Not const so that the caller may swap its parts out.
  RequestHead& head() noexcept { return head_; }
  const RequestHead& head() const noexcept { return head_; }

  // Forgets the message under way and any error; for a parser that is used for another connection.
  void reset() noexcept { restart(); }

 private:
  Fault parse_start_line(std::string_view line) override;
  Fault parse_target();
  Fault parse_absolute_target();
  Fault finish_head() override;

  RequestHead head_;
};

// The client's side. The length of a response depends on the request (RFC 9112, section 6.3): call expect() with its method
// before the first byte of each response; it holds for one response, and GET is assumed after that.
//
// 1xx responses other than 101 are skipped; with `skip_interim` false each one is a message of its own: kHead, then kEnd.
// A response without a length lasts until the connection closes: pass that on through finish().
class ResponseParser final : public MessageParser {
 public:
  explicit ResponseParser(const Limits& limits = {}, bool skip_interim = true)
      : MessageParser(limits, head_, false), skip_interim_(skip_interim) {}

  void expect(http::Method method) noexcept { method_ = method; }

  ResponseHead& head() noexcept { return head_; }
  const ResponseHead& head() const noexcept { return head_; }

  void reset(http::Method method = http::Method::kGet) noexcept;

 private:
  Fault parse_start_line(std::string_view line) override;
  Fault finish_head() override;
  bool skip_head() noexcept override;

  ResponseHead head_;
  http::Method method_ = http::Method::kGet;
  std::size_t interim_ = 0;
  bool skip_interim_;
};

}  // namespace micro::http1
