#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

namespace micro::sse {

// What one stream may make a parser hold, in bytes. Beyond: RESOURCE_EXHAUSTED.
struct Limits {
  // The data of one event, its line breaks included, and any single line besides "data: ".
  std::size_t max_event = 16 * 1024 * 1024;
  // The type of an event, and the last event id, which is kept as long as the stream lives.
  std::size_t max_name = 4096;
};

// An event as the receiver sees it. Views are valid until the next call of next().
struct ReceivedEvent {
  std::string_view type;  // "message" when none was given
  std::string_view data;
  // The id of this event or of the last one before that had one.
  std::string_view last_event_id;
};

// Reads an event stream (WHATWG HTML, section 9.2.6): bytes in, events out; no sockets, no clock, no threads.
//
//   while (true) {
//     auto more = parser.next(input);         // takes what it uses off the front of `input`, cut anywhere
//     if (!more) return more.error();
//     if (!*more) break;                      // `input` is used up
//     handle(parser.event());
//   }
//
// A byte order mark at the start is skipped; lines end in CR, LF or CRLF; unknown fields, ids with NUL and retry values that are
// not digits alone are ignored, as the standard says. An event that the end of the stream cuts off is dropped: simply stop. Bytes
// that are not UTF-8 are passed on as they are. An error is final until reset(). Thread safety: one thread at a time.
class Parser {
 public:
  explicit Parser(const Limits& limits = {}) : limits_(limits) {}

  // True: event() is complete. False: more bytes are needed.
  Result<bool> next(std::string_view& input);
  const ReceivedEvent& event() const noexcept { return event_; }

  // What to send as Last-Event-ID when the stream is opened again: the id of the last event that was complete. Survives reset().
  std::string_view last_event_id() const noexcept { return last_event_id_; }
  // The last value of a retry field. Survives reset().
  std::optional<Duration> retry() const noexcept { return retry_; }

  // Begins another stream: after a reconnect.
  void reset() noexcept;

 private:
  enum class Take : std::uint8_t { kLine, kPartial, kTooLong };

  Take take_line(std::string_view& input);
  void skip_byte_order_mark(std::string_view& input) noexcept;
  bool field(std::string_view line);
  bool dispatch();
  Result<bool> too_large(std::string_view what, std::size_t limit);

  Limits limits_;
  ReceivedEvent event_;
  Buffer partial_;         // the unfinished line of an earlier call
  std::string_view line_;  // set by take_line(), without its end
  std::string data_;       // with a LF behind each line
  std::string type_;
  std::string id_;
  std::string last_event_id_;
  std::optional<Duration> retry_;
  std::uint8_t mark_seen_ = 0;  // bytes of the byte order mark
  bool started_ = false;
  bool after_cr_ = false;
  bool line_buffered_ = false;
  bool told_ = false;
  bool failed_ = false;
};

}  // namespace micro::sse
