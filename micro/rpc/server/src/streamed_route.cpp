#include "streamed_route.hpp"

#include <utility>

namespace micro::rpc {
namespace {

Task<Result<void>> done(Result<void> result) { co_return result; }

}  // namespace

void StreamedRoute::begin(HttpExchange& exchange, HttpHead& head, HttpRoutes::Match match) {
  take(exchange, head);
  match_ = std::move(match);
  if (!admit(head)) return;
  if (head.ended) start();
}

void StreamedRoute::receive(std::string_view data, bool end) {
  if (!gather(data)) return;
  if (end) start();
}

Task<Result<void>> StreamedRoute::run() {
  if (Result<void> taken = take_headers(); !taken) co_return std::unexpected(std::move(taken.error()));
  co_return co_await match_.streaming->handle(context_, request_, match_.parameters, *this);
}

Result<void> StreamedRoute::begin() {
  if (begun_) return {};
  if (exchange_ == nullptr) return fail(cancelled("the response is over"));
  Result<void> sent = exchange_->begin_reply(status, headers);
  begun_ = sent.has_value();
  return sent;
}

Task<Result<void>> StreamedRoute::write(std::string_view bytes) {
  if (std::optional<Error> reason = context_.error()) return done(fail(std::move(*reason)));
  if (Result<void> sent = begin(); !sent) return done(std::move(sent));
  if (!bytes.empty()) exchange_->send(bytes);
  return written();
}

// Waits until the caller has taken enough of it.
Task<Result<void>> StreamedRoute::written() {
  while (exchange_ != nullptr && !context_.cancelled() && exchange_->congested()) {
    writable_.reset();
    exchange_->wake_when_writable();
    co_await writable_.wait();
  }
  if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
  co_return Result<void>{};
}

void StreamedRoute::end(Result<void> outcome) {
  HttpExchange* const exchange = std::exchange(exchange_, nullptr);
  if (!begun_ && !outcome) {
    const http::Response failed = http::Response::from_error(outcome.error());
    exchange->answer(failed.status, failed.headers, failed.body);
  } else if (!begun_) {
    exchange->answer(status, headers, {});
  } else if (outcome) {
    exchange->end_reply(trailers);
  } else {
    exchange->reset();
  }
}

}  // namespace micro::rpc
