#pragma once

#include <string>
#include <string_view>

#include <micro/http1/parser.hpp>
#include <micro/http1/writer.hpp>
#include <micro/loop/loop.hpp>

#include "connection_protocol.hpp"
#include "http_exchange.hpp"

namespace micro::rpc {

class Connection;
class Worker;

// HTTP/1.1 on a server's connection: one exchange at a time, in order; pipelined requests wait in held_. So do bytes of a body
// whose carrier does not keep up; the socket is not read then. While a carrier has made the connection a pipe of messages,
// further requests are offered to it, and one that it does not take waits in the parser.
class Http1Protocol final : public ConnectionProtocol, private HttpExchange {
 public:
  explicit Http1Protocol(Connection& connection);
  ~Http1Protocol() override;

  // The connection cannot go on: answers with `error`, unless the request has its reply or a part of it. The error is the result.
  Result<void> refuse(const Error& error);

  Result<void> receive(std::string_view bytes) override;
  void receive_end() override;
  void abort(const Error& reason) override;
  void drain() override { draining_ = true; }
  Chain& output() noexcept override { return output_; }
  void output_flushed() override;
  std::size_t open_calls() const noexcept override { return carrier_ != nullptr ? 1 : 0; }
  bool finished() const noexcept override { return finished_ && carrier_ == nullptr; }
  bool idle() const noexcept override { return carrier_ == nullptr && parser_.idle() && held_.empty(); }
  void sample(ConnectionSample& sample) const noexcept override;
  void time_out(const Error& reason) override;
  bool wants_bytes() const noexcept override { return finished_ || (held_.empty() && !paused() && !head_waits_); }

 private:
  void answer(int status, const Metadata& headers, std::string_view body) override;
  Result<void> begin_reply(int status, const Metadata& headers) override;
  void send(std::string_view bytes) override;
  void end_reply(const Metadata& trailers) override;
  Result<void> switch_protocols(std::string_view protocol, const Metadata& headers) override;
  void begin_messages() override;
  Result<void> send_message(const Metadata& headers, std::string_view body) override;
  void reset() override;
  void consumed(std::size_t bytes) override;
  bool congested() const noexcept override;
  void wake_when_writable() override { wants_writable_ = true; }
  const std::string& peer() const noexcept override;
  const std::shared_ptr<const PeerIdentity>& identity() const noexcept override;

  // How the body of a reply that is sent in pieces ends.
  enum class ReplyBody : std::uint8_t { kChunked, kUntilClose, kNone };

  Result<void> process(std::string_view& bytes);
  Result<void> step(http1::Event event, std::string_view& bytes);
  void on_head();
  void begin_exchange();
  void offer_head();
  // The request that has come, put together for a carrier; what it does not take out goes back with take_back().
  HttpHead arrived_head();
  void take_back(HttpHead& head);
  Result<void> on_body(std::string_view data);
  Result<void> on_end(std::string_view& rest);
  void pass_on(std::string_view data, bool end);
  Result<void> upgrade_to_http2(std::string_view rest);
  http1::ResponseStart reply_start(int status);
  void exchange_over();
  void go_on();
  // The request is read and not answered.
  bool answering() const noexcept { return carrier_ != nullptr && !body_open_ && !tunnel_ && !pipe_; }
  bool paused() const noexcept;
  bool head_only() const noexcept;

  Connection& connection_;
  Worker& worker_;
  http1::RequestParser parser_;
  Chain output_;
  Buffer held_;
  Deferred resume_;
  std::string upgrade_body_;  // of a request that asks for h2c
  std::size_t unconsumed_ = 0;
  std::uint64_t requests_ = 0;  // heads that came
  ReplyBody reply_body_ = ReplyBody::kChunked;
  bool body_open_ = false;   // a head has come and not the end of its request
  bool upgrading_ = false;   // ... which asks for h2c
  bool replying_ = false;    // the head of a reply is out and not its end
  bool answered_ = false;    // the request last begun has its whole reply
  bool keep_alive_ = false;  // after that reply
  bool tunnel_ = false;      // bytes of another protocol, both ways
  bool pipe_ = false;        // messages, both ways
  bool head_waits_ = false;  // the carrier of the pipe does not want it yet
  bool wants_writable_ = false;
  bool processing_ = false;  // process() is on the stack
  bool draining_ = false;
  bool finished_ = false;  // no further request will be answered
  bool peer_ended_ = false;
};

}  // namespace micro::rpc
