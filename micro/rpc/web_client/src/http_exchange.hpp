#pragma once

#include <memory>
#include <string_view>

#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/http1/parser.hpp>
#include <micro/http1/writer.hpp>
#include <micro/metadata/metadata.hpp>
#include <micro/task/task.hpp>

#include "wire.hpp"

namespace micro::web {

// Adds what a user sends with a call, as gRPC does: reserved names left out, "-bin" values in base64. Fails for what cannot
// travel.
Result<void> add_outgoing(const Context& context, Metadata& headers);
// Takes what the server sent into context.reply_headers(), and says who the peer is.
void take_reply_headers(const Metadata& headers, std::string_view peer, std::shared_ptr<const PeerIdentity> identity,
                        Context& context);

// One request and its response on a connection of its own.
class HttpExchange {
 public:
  explicit HttpExchange(Wire& wire, http1::Limits limits = {}) : wire_(wire), parser_(limits) {}

  // Sends the request and reads the head of the response.
  Task<Result<void>> send(http1::RequestStart start, const Metadata& headers, std::string_view body);
  const http1::ResponseHead& head() const noexcept { return parser_.head(); }

  // The next piece of the body; an empty one at its end. Valid until the next call.
  Task<Result<std::string_view>> read_body();
  // After 101: the first bytes of the other protocol.
  std::string_view rest() const noexcept { return input_; }

  // The error that a response stands for that is not what was asked for: reads some of its body.
  Task<Error> refusal();

 private:
  Task<Result<http1::Event>> next();

  Wire& wire_;
  http1::ResponseParser parser_;
  std::string_view input_;
  bool ended_ = false;
};

}  // namespace micro::web
