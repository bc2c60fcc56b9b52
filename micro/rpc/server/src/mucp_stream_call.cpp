#include "mucp_stream_call.hpp"

#include <utility>

#include <micro/http/error.hpp>
#include <micro/http/status.hpp>
#include <micro/mucp/error.hpp>

#include "mucp_call.hpp"
#include "mucp_headers.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// Messages nobody has read yet, and their bytes: beyond, the caller has to wait.
constexpr std::size_t kMaxMessages = 256;
constexpr std::size_t kMaxQueued = 256 * 1024;
// What a message costs besides its bytes.
constexpr std::size_t kMessageCost = 64;

Error too_large(std::size_t limit) {
  return http::error_with_status(http::status::kContentTooLarge, "HTTP_BODY_SIZE",
                                 "a message of the stream is larger than the limit of " + std::to_string(limit) + " bytes");
}

}  // namespace

MucpStreamCall::MucpStreamCall(Worker& worker, const Endpoint& endpoint, mucp::Format format)
    : HttpMethodCall(worker, endpoint, Protocol::kMucp), format_(format), held_(worker.unfinished()) {}

void MucpStreamCall::begin(HttpExchange& exchange, HttpHead& head) {
  take(exchange, head);
  head_ = mucp::read_head(request_.headers);
  take_mucp_headers(request_.headers, head_, context_, worker_.loop().now());
  if (head.ended) open();
}

void MucpStreamCall::open() {
  opened_ = true;
  exchange_->begin_messages();
  if (reads_stream()) start();
}

bool MucpStreamCall::take_message(HttpHead& head) {
  const mucp::Head message = mucp::read_head(head.request.headers);
  // Of another call, which has to wait for the end of this one. When the caller has not said that it will end, nobody knows how
  // long, and the end of the connection would not be seen meanwhile.
  if (ended_) return false;
  if (message.stream != head_.stream) {
    context_.cancel(failed_precondition("another message came before the end (EOS) of stream " + std::string(head_.stream) +
                                        "; a stream needs a connection of its own"));
    return true;
  }
  if (messages_.size() >= kMaxMessages || queued_ > kMaxQueued) return false;
  end_comes_ = message.ends_stream();
  body_.clear();
  const std::size_t limit = worker_.state().options.max_receive_message_size;
  if (head.content_length.value_or(0) > limit) {
    worker_.counters().oversized.add();
    context_.cancel(too_large(limit));
  } else if (!message.error.empty() && !end_comes_) {
    context_.cancel(cancelled("the caller ended the stream: " + std::string(message.error)));
  }
  return true;
}

void MucpStreamCall::receive(std::string_view data, bool end) {
  // One message is bounded by its limit; whole ones hold the caller back in take_message().
  exchange_->consumed(data.size());
  if (!opened_) {
    if (end) open();  // the opener's body has no meaning
    return;
  }
  if (called_) {  // what comes behind the one request of a method is nobody's
    ended_ = ended_ || (end && end_comes_);
    return;
  }
  const std::size_t limit = worker_.state().options.max_receive_message_size;
  if (data.size() > limit - body_.size()) {
    worker_.counters().oversized.add();
    return context_.cancel(too_large(limit));
  }
  if (!end_comes_) body_ += data;
  if (!hold()) return context_.cancel(worker_.no_room());
  if (!end) return;
  if (end_comes_) {
    ended_ = true;
  } else {
    queued_ += body_.size();
    messages_.push_back(std::move(body_));
    body_.clear();
  }
  take_up();
}

// Looks at what has come. May end the call.
void MucpStreamCall::take_up() {
  if (reads_stream()) return wake_reader();
  if (messages_.empty()) {
    return refuse(invalid_argument("no request message for " + endpoint().path() + ", which takes one"));
  }
  called_ = true;
  const std::string body = take_first();
  if (Result<void> decoded = decode(body, request_message()); !decoded) return refuse(decoded.error());
  start();
}

std::string MucpStreamCall::take_first() {
  std::string body = std::move(messages_.front());
  messages_.pop_front();
  queued_ -= body.size();
  (void)hold();  // no more than before
  return body;
}

bool MucpStreamCall::hold() noexcept { return held_.set(queued_ + body_.size() + messages_.size() * kMessageCost); }

Result<void> MucpStreamCall::decode(const std::string& body, codec::MessageRef into) {
  mucp::RequestEnvelope envelope;
  const Result<std::string_view> payload = mucp::read_request(format_, body, envelope);
  if (!payload) return fail(invalid_argument("rpc: router cannot decode request: " + payload.error().message()));
  return read_mucp_payload(worker_, format_, *payload, into);
}

Result<HttpMethodCall::Next> MucpStreamCall::next(codec::MessageRef into) {
  if (messages_.empty()) return ended_ ? Next::kEnd : Next::kNothingYet;
  const std::string body = take_first();
  if (exchange_ != nullptr) exchange_->consumed(0);  // another one may have waited for its turn
  if (Result<void> decoded = decode(body, into); !decoded) return fail(decoded.error());
  return Next::kMessage;
}

Metadata MucpStreamCall::message_headers(bool has_body) const {
  Metadata headers;
  if (has_body && !head_.content_type.empty()) headers.add("Content-Type", head_.content_type);
  append_mucp_names(head_, true, headers);
  return headers;
}

Result<void> MucpStreamCall::send_message(codec::MessageRef message) {
  Buffer& out = worker_.encode_buffer();
  out.clear();
  if (Result<void> encoded = mucp_codec(worker_, format_).marshal(message, out); !encoded) return encoded;
  Buffer body;
  mucp::write_reply(format_, {.id = std::string(head_.id), .error = {}}, out.view(), body);
  Metadata headers = message_headers(!body.empty());
  if (!std::exchange(headers_sent_, true)) append_mucp_metadata(context_.reply_headers(), headers);
  append_mucp_outcome(format_, {}, headers);
  return exchange_->send_message(headers, body.view());
}

void MucpStreamCall::end(Result<void> outcome) {
  HttpExchange& exchange = *std::exchange(exchange_, nullptr);
  // Who has said EOS does not wait for ours, and may send another request already.
  if (outcome && ended_) return exchange.end_reply();
  const std::string error = outcome ? std::string(mucp::kEndOfStream) : mucp::encode_error(outcome.error());
  Buffer body;
  mucp::write_reply(format_, {.id = std::string(head_.id), .error = error}, {}, body);
  Metadata headers = message_headers(!body.empty());
  if (!std::exchange(headers_sent_, true)) append_mucp_metadata(context_.reply_headers(), headers);
  append_mucp_metadata(context_.reply_trailers(), headers);
  append_mucp_outcome(format_, error, headers);
  if (!opened_) return exchange.answer(http::status::kOk, headers, body.view());
  (void)exchange.send_message(headers, body.view());
  if (ended_) return exchange.end_reply();
  // Messages that the caller sends before it knows would look like openers: the connection takes no more.
  exchange.reset();
}

}  // namespace micro::rpc
