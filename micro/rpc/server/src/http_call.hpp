#pragma once

#include <string>

#include <micro/call/call.hpp>
#include <micro/codec/codec.hpp>
#include <micro/server/http_routes.hpp>
#include <micro/transcoding/binding.hpp>

#include "http_carried_call.hpp"

namespace micro::rpc {

struct ServerState;

// The codec for the body of a request, JSON unless it says otherwise; an error with status 415 when there is none.
Result<void> find_codec(const ServerState& state, const http::Request& request, const codec::Codec*& codec);

// Fills the request message of a method called by one of its HTTP bindings.
Result<void> read_bound(const ServerState& state, const http::Request& request, const transcoding::Binding& binding,
                        const codec::Codec*& codec, codec::MessageRef message);

// A request and a response, both whole: a call of a unary method with a JSON (or protobuf) body, or a plain route. From the
// worker's pool.
class HttpCall final : public HttpCarriedCall {
 public:
  explicit HttpCall(Worker& worker) noexcept : HttpCarriedCall(worker) {}

  // The path names a method, by way of `binding` unless that is null.
  void begin(HttpExchange& exchange, HttpHead& head, const Endpoint& endpoint, const transcoding::Binding* binding = nullptr);
  // It names none, and this is what the routes say.
  void begin(HttpExchange& exchange, HttpHead& head, HttpRoutes::Match match);
  void receive(std::string_view data, bool end) override;

 private:
  Task<Result<void>> run() override;
  Task<Result<void>> call_endpoint(const Endpoint& endpoint);
  Result<void> take_request(codec::MessageRef message, const codec::Codec*& codec) const;
  // The result is the content type.
  Result<std::string_view> write_reply(codec::MessageRef message, const codec::Codec& codec, Buffer& out) const;
  void end(Result<void> outcome) override;
  void dispose() override;

  const Endpoint* endpoint_ = nullptr;
  const transcoding::Binding* binding_ = nullptr;
  HttpRoutes::Match match_;
  http::Response response_;
};

}  // namespace micro::rpc
