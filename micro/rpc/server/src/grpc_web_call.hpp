#pragma once

#include <micro/grpc/fields.hpp>
#include <micro/grpc/web.hpp>

#include "grpc_messages.hpp"
#include "http_method_call.hpp"

namespace micro::rpc {

// A gRPC-Web call. Made with new; deletes itself. All four kinds work; how far a caller can send while it receives is up to it.
class GrpcWebCall final : public HttpMethodCall {
 public:
  GrpcWebCall(Worker& worker, const Endpoint& endpoint, bool text) noexcept
      : HttpMethodCall(worker, endpoint, Protocol::kGrpcWeb), text_(text) {}
  void begin(HttpExchange& exchange, HttpHead& head, const codec::Codec& codec);
  void receive(std::string_view data, bool end) override;

 private:
  ~GrpcWebCall() = default;
  Result<void> take_fields();
  Result<void> feed(std::string_view data, bool end);
  void credit(std::size_t unread);
  Result<Next> next(codec::MessageRef into) override;
  Result<void> send_message(codec::MessageRef message) override;
  Result<Metadata> reply_headers();
  void append(std::string& body, const grpc::FieldList& trailers) const;
  void end(Result<void> outcome) override;
  void end_with(const Error& error);
  void dispose() override { delete this; }

  GrpcMessages messages_;
  grpc::WebTextDecoder decoder_;
  Buffer decoded_;              // of the present piece of a text body
  std::string reply_;           // what is sent with the status, so that a short reply is sent whole
  std::size_t uncredited_ = 0;  // received bytes that the caller does not know to be read yet
  bool text_;
  bool ended_ = false;  // the request is complete
  bool begun_ = false;  // the head of the reply is out
};

// Answers a gRPC-Web request that names no method or an unknown format, in gRPC-Web's own way.
void reject_grpc_web(HttpExchange& exchange, const Error& error, bool text);

}  // namespace micro::rpc
