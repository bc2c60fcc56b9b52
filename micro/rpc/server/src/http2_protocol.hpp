#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <micro/bytes/buffer.hpp>
#include <micro/http2/session.hpp>

#include "abandoned.hpp"
#include "connection_protocol.hpp"
#include "endpoint_table.hpp"
#include "flush_waiter.hpp"

namespace micro::rpc {

class GrpcCall;
class Worker;

// HTTP/2 on a server's connection: each stream becomes a gRPC call or a plain HTTP request.
class Http2Protocol final : public ConnectionProtocol, private http2::Events {
 public:
  explicit Http2Protocol(Connection& connection);
  ~Http2Protocol() override;

  // Goes on from an HTTP/1.1 request that asked for h2c. See http2::Session::upgrade.
  Result<void> upgrade(std::string_view settings, std::span<const http2::Field> head, std::string_view body);

  // Tells the peer, before anything was received, that nothing will be.
  void refuse(const Error& error);

  Result<void> receive(std::string_view bytes) override;
  void receive_end() override;
  void abort(const Error& reason) override;
  void drain() override;
  Chain& output() noexcept override { return session_.output(); }
  std::size_t queued() const noexcept override { return session_.queued(); }
  void output_flushed() override;
  std::size_t open_calls() const noexcept override { return session_.active_streams(); }
  bool finished() const noexcept override;
  bool idle() const noexcept override { return finished(); }
  bool wants_bytes() const noexcept override { return held_.empty(); }
  void sample(ConnectionSample& sample) const noexcept override;
  void look_at_calls(TimePoint now) override;
  void time_out(const Error& reason) override;
  void ping() override;

  http2::Session& session() noexcept { return session_; }
  Connection& connection() noexcept { return connection_; }
  Worker& worker() noexcept { return worker_; }
  void output_added() noexcept;
  Abandoned& abandoned() noexcept { return abandoned_; }

  // Answers a call that never begins.
  void reject(http2::Stream& stream, const Error& error, bool unknown_encoding = false);

  // True while so much output waits for the socket that handlers should pause.
  bool congested() noexcept;
  void wake_when_flushed(FlushWaiter& waiter) { waiting_for_flush_.push_back(&waiter); }
  void forget(FlushWaiter& waiter) noexcept;

 private:
  void on_headers(http2::Stream& stream, const http2::HeaderBlock& block, bool end_stream) override;
  void on_data(http2::Stream& stream, std::string_view data, bool end_stream) override;
  void on_trailers(http2::Stream& stream, const http2::HeaderBlock& block) override;
  void on_reset(http2::Stream& stream, http2::ErrorCode code, bool by_peer) override;
  void on_drained(http2::Stream& stream) override;
  void on_close(http2::Stream& stream) override;

  // Adds what the session has counted since the last time to what the worker counts.
  void count() noexcept;
  void begin_grpc(http2::Stream& stream, const http2::HeaderBlock& block, std::string_view format, bool end_stream);

  Connection& connection_;
  Worker& worker_;
  struct Counted {
    std::uint64_t refused = 0;
    std::uint64_t overfull = 0;
    std::uint64_t too_large = 0;
    std::uint64_t backlog = 0;
    http2::Flood flood = http2::Flood::kNone;
  } counted_;
  Abandoned abandoned_;  // outlives the session, whose end abandons calls
  http2::Session session_;
  Buffer held_;  // input that waits until output has left
  EndpointTable::Hint last_called_;
  std::vector<FlushWaiter*> waiting_for_flush_;
  bool peer_ended_ = false;
  bool failed_ = false;
};

}  // namespace micro::rpc
