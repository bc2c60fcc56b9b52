#pragma once

#include <memory>
#include <optional>
#include <string>

#include <micro/sse/parser.hpp>
#include <micro/web_client/target.hpp>

#include "http_exchange.hpp"
#include "wire.hpp"

namespace micro::web {

// The events of one response.
class EventSource {
 public:
  EventSource(Context& context, std::unique_ptr<net::Stream> stream, const Target& target, std::optional<TimePoint> deadline);

  // Sends the request and reads the head of the answer in `timeout`. True: events follow. False: status 204, there are none. An
  // Error: what was answered instead (final() is true then), or what befell the connection.
  Task<Result<bool>> open(Context& context, const Target& target, std::string_view method, const Metadata& headers,
                          std::string_view body, Duration timeout);
  bool final() const noexcept { return final_; }

  // True: parser.event(). False: the response has ended. Nothing for `idle`: UNAVAILABLE; zero: never.
  Task<Result<bool>> next(sse::Parser& parser, Duration idle);

 private:
  Wire wire_;
  HttpExchange exchange_;
  std::string_view input_;
  bool final_ = false;
};

}  // namespace micro::web
