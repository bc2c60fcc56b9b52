#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <micro/call/chain.hpp>
#include <micro/codec/table.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/http1/limits.hpp>
#include <micro/http1/writer.hpp>
#include <micro/http2/options.hpp>
#include <micro/server/http_routes.hpp>
#include <micro/server/options.hpp>

#include "admission.hpp"
#include "endpoint_table.hpp"
#include "memory_share.hpp"

namespace micro::rpc {

// What every loop of a server reads and none changes once it runs, but for what they count together.
struct ServerState {
  ServerState(ServerOptions server_options, std::shared_ptr<HttpRoutes> http_routes);

  ServerOptions options;
  EndpointTable endpoints;
  MiddlewareChain chain;
  std::shared_ptr<HttpRoutes> routes;
  codec::Table codecs;
  const codec::Codec* proto = nullptr;
  const codec::JsonCodec* json = nullptr;
  // For go-micro's programs.
  const codec::JsonCodec go_json;
  http1::Limits http1_limits;
  http2::Options http2_options;
  mutable Admission admission;
  mutable MemoryPool unfinished;  // requests
  mutable MemoryPool unsent;      // answers
};

// A counter one thread writes and others read: no locked instruction, no race.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// What one loop counts; the open ones are opened - closed.
struct WorkerCounters {
  Counter& flood(http2::Flood kind) noexcept { return floods_of_kind[static_cast<std::size_t>(kind)]; }
  const Counter& flood(http2::Flood kind) const noexcept { return floods_of_kind[static_cast<std::size_t>(kind)]; }

  Counter connections;
  Counter connections_closed;
  Counter calls;
  Counter calls_ended;
  Counter calls_failed;
  Counter refused_connections;
  Counter refused_peer_connections;
  Counter refused_plain;
  Counter malformed;
  Counter oversized;
  Counter memory_refusals;
  Counter unsent_refusals;
  Counter cross_origin_refusals;
  Counter refused_streams;
  Counter queued_data_refusals;
  Counter dropped_answers;
  Counter floods;
  std::array<Counter, static_cast<std::size_t>(http2::Flood::kQueuedReplies) + 1> floods_of_kind;
  Counter header_timeouts;
  Counter body_timeouts;
  Counter write_timeouts;
  Counter idle_timeouts;
  Counter keepalive_timeouts;
  Counter request_timeouts;
  Counter unclaimed_events;
  Counter websocket_timeouts;
  Counter aged_connections;
  Counter tls_handshakes;
  Counter failed_tls_handshakes;
};

}  // namespace micro::rpc
