#pragma once

#include <string>

#include <micro/call/call.hpp>
#include <micro/codec/codec.hpp>
#include <micro/server/http_routes.hpp>

#include "http_carried_call.hpp"

namespace micro::rpc {

struct ServerState;

// The codec for the body of a request, JSON unless it says otherwise; an error with status 415 when there is none.
Result<void> find_codec(const ServerState& state, const http::Request& request, const codec::Codec*& codec);

// A request and a response, both whole: a call of a unary method with a JSON (or protobuf) body, or a plain route. From the
// worker's pool.
class HttpCall final : public HttpCarriedCall {
 public:
  explicit HttpCall(Worker& worker) noexcept : HttpCarriedCall(worker) {}

  // `endpoint` is what the path names, else null and `match` is what the routes say.
  void begin(HttpExchange& exchange, HttpHead& head, const Endpoint* endpoint, HttpRoutes::Match match);
  void receive(std::string_view data, bool end) override;

 private:
  Task<Result<void>> run() override;
  Task<Result<void>> call_endpoint(const Endpoint& endpoint);
  void end(Result<void> outcome) override;
  void dispose() override;

  const Endpoint* endpoint_ = nullptr;
  HttpRoutes::Match match_;
  http::Response response_;
};

}  // namespace micro::rpc
