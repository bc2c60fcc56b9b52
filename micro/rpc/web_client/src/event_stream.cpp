#include <micro/web_client/event_stream.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <micro/coro/sleep.hpp>

#include "event_source.hpp"

namespace micro::web {

struct EventStream::Impl {
  Impl(Context& c, std::unique_ptr<net::Stream> s, Target t, EventStreamOptions o)
      : context(c), given(std::move(s)), target(std::move(t)), options(std::move(o)), parser(options.limits) {
    if (given) options.reconnect = false;
  }

  Task<Result<bool>> read(Event& event);
  Task<Result<bool>> open();
  Task<Result<bool>> next(Event& event);
  Duration pause() const noexcept;
  std::string_view last_id() const noexcept { return heard ? parser.last_event_id() : std::string_view(options.last_event_id); }

  Context& context;
  std::unique_ptr<net::Stream> given;
  Target target;
  EventStreamOptions options;
  sse::Parser parser;
  std::unique_ptr<EventSource> source;
  bool heard = false;  // an event came, so the ids are the parser's
  bool over = false;
  bool reading = false;
  bool final = false;  // trying again would not help
  std::uint32_t failures = 0;
};

Task<Result<bool>> EventStream::Impl::open() {
  std::unique_ptr<net::Stream> stream = std::move(given);
  if (!stream) {
    auto dialed = co_await dial(context, target, options.tls, options.open_timeout);
    if (!dialed) co_return fail(std::move(dialed.error()));
    stream = std::move(*dialed);
  }
  source = std::make_unique<EventSource>(context, std::move(stream), target, std::nullopt);
  Metadata headers = options.headers;
  headers.set("Cache-Control", "no-store");
  if (const std::string_view id = last_id(); !id.empty()) headers.set("Last-Event-ID", id);
  parser.reset();
  Result<bool> ready = co_await source->open(context, target, "GET", headers, std::string_view(), options.open_timeout);
  final = !ready && source->final();
  co_return ready;
}

// False: the response has ended.
Task<Result<bool>> EventStream::Impl::next(Event& event) {
  Result<bool> more = co_await source->next(parser, options.idle_timeout);
  final = !more && source->final();
  if (!more || !*more) co_return more;
  const sse::ReceivedEvent& received = parser.event();
  event.type = received.type;
  event.data = received.data;
  // Ids of before a restart of this program last until the server names another one.
  if (!received.last_event_id.empty()) heard = true;
  event.id = last_id();
  co_return true;
}

Task<Result<bool>> EventStream::Impl::read(Event& event) {
  while (true) {
    if (over) co_return false;
    Result<bool> outcome = true;
    if (!source) {
      outcome = co_await open();
      over = outcome && !*outcome;
      if (over) continue;
    }
    if (outcome) outcome = co_await next(event);
    if (outcome && *outcome) {
      failures = 0;
      co_return true;
    }
    source.reset();
    if (context.cancelled()) co_return fail(*context.error());
    if (!options.reconnect || final) {
      over = true;
      co_return outcome;
    }
    ++failures;
    if (options.max_attempts != 0 && failures > options.max_attempts) {
      over = true;
      if (!outcome) co_return outcome;
      co_return fail(unavailable(url_of(target, "http") + ": the stream ends again and again without an event"));
    }
    if (Result<void> slept = co_await sleep(context, pause()); !slept) co_return fail(std::move(slept.error()));
  }
}

Duration EventStream::Impl::pause() const noexcept {
  const Duration first = parser.retry().value_or(options.pause);
  Duration pause = first;
  for (std::uint32_t i = 1; i < failures && i < 32 && pause < options.max_pause; ++i) pause *= 2;
  return std::max(first, std::min(pause, options.max_pause));
}

EventStream::EventStream(Context& context, Target target, EventStreamOptions options)
    : impl_(std::make_unique<Impl>(context, nullptr, std::move(target), std::move(options))) {}
EventStream::EventStream(Context& context, std::unique_ptr<net::Stream> stream, Target target, EventStreamOptions options)
    : impl_(std::make_unique<Impl>(context, std::move(stream), std::move(target), std::move(options))) {}
EventStream::~EventStream() = default;

Task<Result<bool>> EventStream::read(Event& event) { return impl_->read(event); }
std::string_view EventStream::last_event_id() const noexcept { return impl_->last_id(); }

}  // namespace micro::web
