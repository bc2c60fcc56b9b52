#include "event_call.hpp"

#include <string>
#include <utility>

#include <micro/http/error.hpp>
#include <micro/http/status.hpp>
#include <micro/sse/writer.hpp>

#include "http_call.hpp"
#include "worker.hpp"

namespace micro::rpc {

void EventCall::begin(HttpExchange& exchange, HttpHead& head) {
  take(exchange, head);
  if (!admit(head)) return;
  if (head.ended) start_call();
}

void EventCall::receive(std::string_view data, bool end) {
  if (!gather(data)) return;
  if (end) start_call();
}

void EventCall::start_call() {
  Result<void> taken = take_headers();
  if (taken) taken = take_request();
  if (!taken) return refuse(taken.error());
  start();
}

Result<void> EventCall::take_request() {
  const ServerState& state = worker_.state();
  if (request_.method == http::Method::kGet) {
    const std::optional<std::string> message = request_.query_value("message");
    if (!message) {
      return fail(
          invalid_argument(endpoint().path() + " needs its request: ?message=<JSON, percent-encoded>, or POST with a body"));
    }
    return state.json->unmarshal(*message, request_message());
  }
  const codec::Codec* codec = nullptr;
  if (Result<void> found = find_codec(state, request_, codec); !found) return found;
  const bool nothing = request_.body.empty() && codec == state.json;
  return codec->unmarshal(nothing ? std::string_view("{}") : request_.body, request_message());
}

Result<void> EventCall::begin_reply() {
  Metadata headers;
  headers.add("Content-Type", events_ ? sse::kContentType : std::string_view("application/x-ndjson"));
  headers.add("Cache-Control", "no-store");
  headers.append(context_.reply_headers());
  Result<void> sent = exchange_->begin_reply(http::status::kOk, headers);
  begun_ = sent.has_value();
  if (begun_ && events_) worker_.heartbeats().add(*this);
  return sent;
}

Result<void> EventCall::send_message(codec::MessageRef message) {
  Buffer& out = worker_.encode_buffer();
  out.clear();
  if (Result<void> encoded = worker_.state().json->marshal(message, out); !encoded) return encoded;
  if (!begun_) {
    if (Result<void> sent = begin_reply(); !sent) return sent;
  }
  if (events_) {
    Buffer event;
    (void)sse::write_event(event, {.data = out.view()});  // fails for types and ids alone
    exchange_->send(event.view());
  } else {
    out.push_back('\n');
    exchange_->send(out.view());
  }
  quiet_ = false;
  return {};
}

void EventCall::end(Result<void> outcome) {
  if (!begun_ && outcome) outcome = begin_reply();
  HttpExchange& exchange = *std::exchange(exchange_, nullptr);
  if (!begun_) {
    const http::Response failed = http::Response::from_error(outcome.error());
    return exchange.answer(failed.status, failed.headers, failed.body);
  }
  Buffer last;
  if (events_) {
    const std::string data = outcome ? "{}" : http::error_json(outcome.error());
    (void)sse::write_event(last, {.data = data, .type = outcome ? "end" : "error"});
  } else if (!outcome) {
    last.append("{\"error\":" + http::error_json(outcome.error()) + "}\n");
  }
  if (!last.empty()) exchange.send(last.view());
  exchange.end_reply();
}

void EventCall::beat() {
  if (!std::exchange(quiet_, true) || exchange_ == nullptr) return;
  Buffer comment;
  sse::write_comment(comment);
  exchange_->send(comment.view());
}

}  // namespace micro::rpc
