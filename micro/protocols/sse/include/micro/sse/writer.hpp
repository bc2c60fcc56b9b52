#pragma once

#include <optional>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

// Writes an event stream (WHATWG HTML, section 9.2 "Server-sent events"), the body of a response with kContentType.
// Functions without state: safe from any thread as long as nobody else uses `out`.
namespace micro::sse {

inline constexpr std::string_view kContentType = "text/event-stream";

struct Event {
  // May have several lines; CR, LF and CRLF all arrive as LF. Must be UTF-8 (not checked).
  std::string_view data = {};
  // What kind of event a browser dispatches; empty: "message". No line breaks.
  std::string_view type = {};
  // What a client that reconnects sends as Last-Event-ID; an empty text resets it, nullopt leaves it as it was. No line breaks,
  // no NUL.
  std::optional<std::string_view> id = {};
  // How long a client waits before it reconnects; whole milliseconds are sent.
  std::optional<Duration> retry = {};
};

// Appends the event. Fails with INVALID_ARGUMENT, `out` untouched, when type or id hold what would begin another field, or retry
// is negative.
Result<void> write_event(Buffer& out, const Event& event);

// A comment, which receivers skip: sent now and then, it keeps proxies from closing a quiet connection. Line breaks in `text`
// begin another comment line.
void write_comment(Buffer& out, std::string_view text = {});

}  // namespace micro::sse
