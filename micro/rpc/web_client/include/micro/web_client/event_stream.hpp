#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <micro/context/context.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/metadata/metadata.hpp>
#include <micro/net/stream.hpp>
#include <micro/sse/parser.hpp>
#include <micro/task/task.hpp>
#include <micro/web_client/target.hpp>

namespace micro::tls {
class ClientCredentials;
}

namespace micro::web {

struct EventStreamOptions {
  // Of each request, besides Accept and Last-Event-ID.
  Metadata headers = {};
  sse::Limits limits = {};
  // To connect, and for the head of the answer, each. Zero: no limit but the context's.
  Duration open_timeout = std::chrono::seconds(5);
  // A server that sends nothing for this long, not even a comment, is taken for lost. Zero: never.
  Duration idle_timeout{};
  // Opens the stream again when the connection ends, with the id of the last event. False: read() ends then.
  bool reconnect = true;
  // The pause before that, until the server names another one. It doubles with every attempt that fails, up to max_pause.
  Duration pause = std::chrono::seconds(3);
  Duration max_pause = std::chrono::minutes(1);
  // Attempts in a row without an event before read() fails. Zero: no limit.
  std::uint32_t max_attempts = 0;
  // Where to go on, for a program that was started again.
  std::string last_event_id = {};
  // Whom to trust and who we are, for wss and https (<micro/tls/credentials.hpp>); ALPN offers "http/1.1", whatever they say.
  // Null: no certificate, and the authorities of the system, which are read for each connection then.
  std::shared_ptr<tls::ClientCredentials> tls = {};
};

// Server-sent events of an HTTP/1.1 server, the way a browser's EventSource reads them (WHATWG HTML, section 9.2): GET, and again
// with Last-Event-ID when the connection is lost. Status 204 ends it; any other answer than 200 with text/event-stream is an
// error, and not tried again.
//
// It works only while read() is awaited, one at a time. Cancellation: ends with the context it was made with, at its deadline
// too. Thread safety: the loop of the first read(). Must not outlive the context or the loop, nor be destroyed while it is
// awaited.
class EventStream {
 public:
  struct Event {
    std::string type;  // "message" unless the server said otherwise
    std::string data;
    std::string id;  // of this event or the last one before that had one
  };

  // Connects with the first read().
  EventStream(Context& context, Target target, EventStreamOptions options);
  // Reads over a connection that is there, such as one through a proxy; it cannot reconnect.
  EventStream(Context& context, std::unique_ptr<net::Stream> stream, Target target, EventStreamOptions options);
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  ~EventStream();

  // The next event: true. False when the server ended the stream for good (204), or at all without `reconnect`.
  // Errors: what the server answered instead, as http::error_from_response() reads it; those of the last attempt after
  // max_attempts; RESOURCE_EXHAUSTED for limits; the context's.
  Task<Result<bool>> read(Event& event);

  // What a later stream can go on from.
  std::string_view last_event_id() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro::web
