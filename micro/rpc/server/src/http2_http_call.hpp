#pragma once

#include <string_view>

#include <micro/http2/session.hpp>

#include "http_call.hpp"
#include "memory_share.hpp"
#include "pace.hpp"

namespace micro::rpc {

class Http2Protocol;

// A plain HTTP request on an HTTP/2 stream: gathers its body, hands it to an HttpCall and sends the answer. Made with new; deletes
// itself when the stream is gone.
class Http2HttpCall final : private HttpCall::Owner {
 public:
  Http2HttpCall(Http2Protocol& protocol, http2::Stream& stream);
  void begin(const http2::HeaderBlock& block, bool end_stream);
  void receive(std::string_view data, bool end_stream);
  void detach(const Error& reason);
  // Now and then: ends the request when its body arrives too slowly, or its answer is not taken.
  void look(TimePoint now);

 private:
  ~Http2HttpCall() = default;
  void answer(http::Response& response) override;
  // Answers without a handler.
  void refuse(const Error& error);

  Http2Protocol& protocol_;
  http2::Stream* stream_;
  HttpCall* call_;
  Pace pace_;
  HeldBytes unfinished_;
  std::size_t received_ = 0;  // bytes of the body, those dropped included
  bool head_only_ = false;
};

}  // namespace micro::rpc
