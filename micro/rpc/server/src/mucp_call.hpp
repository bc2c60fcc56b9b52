#pragma once

#include <optional>
#include <string>

#include <micro/call/call.hpp>
#include <micro/codec/codec.hpp>
#include <micro/mucp/body.hpp>
#include <micro/mucp/head.hpp>

#include "http_carried_call.hpp"

namespace micro::rpc {

struct Endpoint;

// Takes a message of go-micro RPC: a call, the opener of a stream, an event.
void begin_mucp(Worker& worker, HttpExchange& exchange, HttpHead& head);

// Whether the request may be go-micro RPC without names in its headers, as its first versions have it: POST to "/" with the
// content type of JSON or protobuf. Its body decides.
bool may_be_unnamed_mucp(const http::Request& request, std::string_view content_type);

// The codec for the messages in bodies of `format`.
const codec::Codec& mucp_codec(const Worker& worker, mucp::Format format);
// Fills `message` from a payload; an empty one is the message without fields.
Result<void> read_mucp_payload(const Worker& worker, mucp::Format format, std::string_view payload, codec::MessageRef message);

// A message that is answered with one: a unary call, an event, and whatever cannot be served. Made with new; deletes itself.
class MucpCall final : public HttpCarriedCall {
 public:
  explicit MucpCall(Worker& worker) noexcept : HttpCarriedCall(worker) {}
  void begin(HttpExchange& exchange, HttpHead& head);
  void receive(std::string_view data, bool end) override;

 private:
  ~MucpCall() = default;
  Task<Result<void>> run() override;
  Task<Result<void>> call_endpoint(std::string_view payload);
  Result<const Endpoint*> find_endpoint() const;
  void take_event();
  void end(Result<void> outcome) override;
  void dispose() override { delete this; }

  mucp::Head head_;                     // into the headers of request_
  std::optional<mucp::Format> format_;  // nothing: the content type is unknown
  mucp::RequestEnvelope envelope_;
  Buffer body_;            // of a reply that went well
  bool ordinary_ = false;  // it was no go-micro RPC after all
};

}  // namespace micro::rpc
