#pragma once

#include <string>
#include <string_view>

#include <micro/http1/parser.hpp>

#include "connection_protocol.hpp"
#include "http_call.hpp"
#include "memory_share.hpp"

namespace micro::rpc {

class Connection;
class Worker;

// HTTP/1.1 on a server's connection: one request at a time, in order; pipelined ones wait in held_.
class Http1Protocol final : public ConnectionProtocol, private HttpCall::Owner {
 public:
  explicit Http1Protocol(Connection& connection);
  ~Http1Protocol() override;

  Result<void> receive(std::string_view bytes) override;
  void receive_end() override;
  void abort(const Error& reason) override;
  void drain() override { draining_ = true; }
  Chain& output() noexcept override { return output_; }
  std::size_t open_calls() const noexcept override { return call_ != nullptr ? 1 : 0; }
  bool finished() const noexcept override { return finished_ && call_ == nullptr; }
  bool idle() const noexcept override { return call_ == nullptr && parser_.idle() && held_.empty(); }
  bool wants_bytes() const noexcept override { return held_.empty(); }
  void output_flushed() override;
  void sample(ConnectionSample& sample) const noexcept override;
  void time_out(const Error& reason) override;

 private:
  Result<void> process(std::string_view& bytes);
  // Goes on with what has arrived meanwhile.
  void process_held();
  // False when the connection has switched to HTTP/2 and `rest` belongs to that.
  Result<bool> on_request(std::string_view rest);
  Result<void> upgrade_to_http2(std::string_view rest);
  void answer(http::Response& response) override;

  Connection& connection_;
  Worker& worker_;
  http1::RequestParser parser_;
  Chain output_;
  Buffer held_;  // bytes behind the request being answered
  std::string body_;
  HttpCall* call_ = nullptr;
  std::uint64_t requests_ = 0;  // heads that came
  HeldBytes unfinished_;
  bool in_body_ = false;
  bool processing_ = false;  // process() is on the stack
  bool draining_ = false;
  bool finished_ = false;    // no further request will be answered
  bool peer_ended_ = false;
};

}  // namespace micro::rpc
