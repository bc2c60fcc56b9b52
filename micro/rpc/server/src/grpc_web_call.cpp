#include "grpc_web_call.hpp"

#include <utility>

#include <micro/grpc/status.hpp>
#include <micro/http/status.hpp>

#include "worker.hpp"

namespace micro::rpc {
namespace {

// A request stream may have this much unread before its sender has to wait.
constexpr std::size_t kMaxUnread = 64 * 1024;

std::string content_type(const codec::Codec* codec, bool text) {
  std::string type(text ? grpc::kWebTextContentType : grpc::kWebContentType);
  return type + "+" + std::string(codec == nullptr ? "proto" : codec->name());
}

// The status in the head of a response without a body ("Trailers-Only").
void answer_status(HttpExchange& exchange, const grpc::FieldList& status, Metadata headers) {
  for (const grpc::Field field : status) headers.add(field.name, field.value);
  exchange.answer(http::status::kOk, headers, {});
}

}  // namespace

void reject_grpc_web(HttpExchange& exchange, const Error& error, bool text) {
  grpc::FieldList status;
  grpc::append_status(error, status);
  answer_status(exchange, status, Metadata{{"content-type", content_type(nullptr, text)}});
}

void GrpcWebCall::begin(HttpExchange& exchange, HttpHead& head, const codec::Codec& codec) {
  take(exchange, head);
  messages_.begin(codec, worker_.state().options.max_receive_message_size, context_);
  if (Result<void> taken = take_fields(); !taken) return refuse(taken.error());
  const bool ended = head.ended;
  if (reads_stream()) {
    ended_ = ended;
    start();
  } else if (ended) {
    receive({}, true);
  }
}

Result<void> GrpcWebCall::take_fields() {
  std::string name;
  for (const Metadata::Entry entry : request_.headers) {
    name = entry.key;
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (Result<void> taken = messages_.take(name, entry.value, worker_.loop().now()); !taken) return taken;
  }
  messages_.begin_reading(worker_.loop().now());
  return {};
}

void GrpcWebCall::receive(std::string_view data, bool end) {
  uncredited_ += data.size();
  ended_ = end;
  Result<void> fed = feed(data, end);
  if (reads_stream()) {
    messages_.reader().keep();
    if (!fed) context_.cancel(fed.error());
    return wake_reader();
  }
  if (fed) fed = messages_.take_request(endpoint(), request_message(), ended_);
  if (!fed) {
    worker_.count_refused(fed.error());
    return refuse(fed.error());
  }
  credit(0);  // one message, bounded by its limit: it may arrive as fast as it comes
  if (ended_) start();
}

Result<void> GrpcWebCall::feed(std::string_view data, bool end) {
  if (text_) {
    decoded_.clear();
    if (Result<void> decoded = decoder_.decode(data, decoded_); !decoded) return decoded;
    if (Result<void> finished = end ? decoder_.finish() : Result<void>{}; !finished) return finished;
    data = decoded_.view();
  }
  if (!data.empty()) messages_.reader().feed(data);
  return {};
}

void GrpcWebCall::credit(std::size_t unread) {
  if (exchange_ == nullptr || uncredited_ == 0 || unread > kMaxUnread) return;
  exchange_->consumed(std::exchange(uncredited_, 0));
}

Result<HttpMethodCall::Next> GrpcWebCall::next(codec::MessageRef into) {
  const Result<bool> found = messages_.next(into);
  if (!found) {
    worker_.count_refused(found.error());
    return std::unexpected(found.error());
  }
  if (*found) {
    credit(messages_.reader().pending());
    return Next::kMessage;
  }
  if (!ended_) {
    credit(0);  // the rest of a message that is wanted now may be larger than what may wait
    return Next::kNothingYet;
  }
  if (Result<void> finished = messages_.reader().finish(); !finished) return std::unexpected(finished.error());
  return Next::kEnd;
}

Result<Metadata> GrpcWebCall::reply_headers() {
  grpc::FieldList list;
  if (Result<void> appended = grpc::append_metadata(context_.reply_headers(), list); !appended)
    return std::unexpected(appended.error());
  Metadata headers;
  headers.add("content-type", content_type(&messages_.codec(), text_));
  if (messages_.reply_encoding() != grpc::Compression::kIdentity) {
    headers.add("grpc-encoding", grpc::to_string(messages_.reply_encoding()));
    headers.add("grpc-accept-encoding", grpc::kAcceptEncoding);
  }
  for (const grpc::Field field : list) headers.add(field.name, field.value);
  return headers;
}

Result<void> GrpcWebCall::send_message(codec::MessageRef message) {
  Buffer& out = worker_.encode_buffer();
  out.clear();
  if (Result<void> encoded = messages_.encode(message, out); !encoded) return encoded;
  Buffer text;
  if (text_) grpc::append_web_text(text, out.view());
  const std::string_view bytes = text_ ? text.view() : out.view();
  if (!writes_stream()) {
    reply_.assign(bytes);
    return {};
  }
  if (!begun_) {
    const Result<Metadata> headers = reply_headers();
    if (!headers) return std::unexpected(headers.error());
    if (Result<void> sent = exchange_->begin_reply(http::status::kOk, *headers); !sent) return sent;
    begun_ = true;
  }
  exchange_->send(bytes);
  return {};
}

void GrpcWebCall::append(std::string& body, const grpc::FieldList& trailers) const {
  Buffer frame;
  grpc::append_web_trailers(frame, trailers);
  if (!text_) {
    body += frame.view();
    return;
  }
  Buffer text;
  grpc::append_web_text(text, frame.view());
  body += text.view();
}

void GrpcWebCall::end(Result<void> outcome) {
  if (!outcome) return end_with(outcome.error());
  grpc::FieldList trailers;
  grpc::append_ok(trailers);
  if (Result<void> appended = grpc::append_metadata(context_.reply_trailers(), trailers); !appended)
    return end_with(appended.error());
  append(reply_, trailers);
  if (begun_) {
    exchange_->send(reply_);
    return std::exchange(exchange_, nullptr)->end_reply();
  }
  const Result<Metadata> headers = reply_headers();
  if (!headers) return end_with(headers.error());
  std::exchange(exchange_, nullptr)->answer(http::status::kOk, *headers, reply_);
}

void GrpcWebCall::end_with(const Error& error) {
  grpc::FieldList status;
  grpc::append_status(error, status);
  // What the handler put into the trailers goes along as far as it can be sent.
  (void)grpc::append_metadata(context_.reply_trailers(), status);
  HttpExchange& exchange = *std::exchange(exchange_, nullptr);
  if (begun_) {
    std::string last;
    append(last, status);
    exchange.send(last);
    return exchange.end_reply();
  }
  Metadata headers{{"content-type", content_type(&messages_.codec(), text_)}};
  if (error.code() == Code::kUnimplemented) headers.add("grpc-accept-encoding", grpc::kAcceptEncoding);
  grpc::FieldList own;
  (void)grpc::append_metadata(context_.reply_headers(), own);
  for (const grpc::Field field : own) headers.add(field.name, field.value);
  answer_status(exchange, status, std::move(headers));
}

}  // namespace micro::rpc
