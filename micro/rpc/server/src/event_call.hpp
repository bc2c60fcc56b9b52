#pragma once

#include "heartbeats.hpp"
#include "http_method_call.hpp"

namespace micro::rpc {

// A server-streaming method called with one JSON request, whose replies come as server-sent events or as lines of JSON. Made with
// new; deletes itself.
class EventCall final : public HttpMethodCall, private Heartbeat {
 public:
  // `protocol` is kSse or kNdjson.
  EventCall(Worker& worker, const Endpoint& endpoint, Protocol protocol)
      : HttpMethodCall(worker, endpoint, protocol), events_(protocol == Protocol::kSse) {}
  void begin(HttpExchange& exchange, HttpHead& head);
  void receive(std::string_view data, bool end) override;

 private:
  ~EventCall() = default;
  void start_call();
  Result<void> take_request();
  Result<Next> next(codec::MessageRef) override { return Next::kEnd; }
  Result<void> send_message(codec::MessageRef message) override;
  Result<void> begin_reply();
  void end(Result<void> outcome) override;
  void beat() override;
  void dispose() override { delete this; }

  bool events_;         // else lines
  bool begun_ = false;  // the head of the reply is out
  bool quiet_ = false;  // nothing was sent since the last beat
};

}  // namespace micro::rpc
