#include <micro/server/server.hpp>

#include <utility>

#include "grpc_call.hpp"
#include "http2_limits.hpp"
#include "state.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

void add_floods(const WorkerCounters& c, ServerCounters& sum) {
  using http2::Flood;
  sum.reset_floods += c.flood(Flood::kResets).get();
  sum.control_frame_floods += c.flood(Flood::kControlFrames).get();
  sum.empty_frame_floods += c.flood(Flood::kEmptyFrames).get();
  sum.continuation_floods += c.flood(Flood::kContinuations).get();
  sum.header_floods += c.flood(Flood::kHeaderSize).get() + c.flood(Flood::kTableUpdates).get();
  sum.settings_floods += c.flood(Flood::kSettings).get();
  sum.queued_reply_floods += c.flood(Flood::kQueuedReplies).get();
}

}  // namespace

struct Server::Impl {
  Impl(LoopGroup& group, ServerOptions options, std::shared_ptr<HttpRoutes> routes)
      : loops(group), state(std::move(options), std::move(routes)) {}

  LoopGroup& loops;
  ServerState state;
  std::vector<std::unique_ptr<Worker>> workers;
  Address address;
  bool accepting = false;
  std::size_t stuck_calls = 0;
};

Server::Server(LoopGroup& loops, ServerOptions options, std::shared_ptr<HttpRoutes> routes)
    : impl_(std::make_unique<Impl>(loops, std::move(options), routes ? std::move(routes) : std::make_shared<HttpRoutes>())) {}

Server::~Server() {
  // Handlers that ignored being cancelled still refer to all this: better a leak than freed memory under their feet.
  if (impl_ != nullptr && impl_->stuck_calls > 0) (void)impl_.release();
}

Result<void> Server::handle(std::shared_ptr<Handler> handler) { return impl_->state.endpoints.add(std::move(handler)); }

void Server::use(std::shared_ptr<Middleware> middleware) { impl_->state.chain.add(std::move(middleware)); }

HttpRoutes& Server::http() noexcept { return *impl_->state.routes; }

Result<void> Server::listen() {
  if (Result<void> valid = check(impl_->state.options.http2); !valid) return valid;
  impl_->state.admission.configure(impl_->state.options);
  impl_->state.endpoints.build();
  Address address = impl_->state.options.address;
  for (std::size_t i = 0; i < impl_->loops.size(); ++i) {
    auto worker = std::make_unique<Worker>(impl_->loops.loop(i), impl_->state);
    // The first socket is bound alone, which tells whether another program has the port; its siblings then share it. A Unix
    // socket has one listener: its file cannot be shared.
    const bool listens = i == 0 || !address.is_unix();
    if (listens) {
      if (Result<void> done = worker->listen(address, i > 0); !done) {
        for (auto& former : impl_->workers) former->close_listener();
        impl_->workers.clear();
        return done;
      }
      if (i == 0) address = worker->address();
    }
    impl_->workers.push_back(std::move(worker));
  }
  impl_->address = address;
  return {};
}

const Address& Server::address() const noexcept { return impl_->address; }

void Server::accept() {
  impl_->accepting = true;
  for (auto& worker : impl_->workers) {
    worker->loop().post_remote([w = worker.get()] { w->accept(); });
  }
}

Task<std::size_t> Server::stop(TimePoint deadline) {
  Loop* const home = Loop::current();
  std::size_t stuck = 0;
  // All loops drain at the same time: each is told first, then each is awaited.
  struct Part {
    Worker* worker;
    std::size_t stuck = 0;
    bool done = false;
  };
  std::vector<Part> parts;
  for (auto& worker : impl_->workers) parts.push_back(Part{worker.get()});
  Event finished;
  std::size_t left = parts.size();
  struct Stopper {
    static Detached run(Part& part, TimePoint limit, Loop* back, std::size_t& remaining, Event& event) {
      co_await part.worker->loop().schedule();
      part.stuck = co_await part.worker->stop(limit);
      co_await back->schedule();
      if (--remaining == 0) event.set();
    }
  };
  for (Part& part : parts) Stopper::run(part, deadline, home, left, finished);
  while (left > 0) co_await finished.wait();
  for (const Part& part : parts) stuck += part.stuck;
  impl_->stuck_calls = stuck;
  co_return stuck;
}

const std::vector<Endpoint>& Server::endpoints() const noexcept { return impl_->state.endpoints.endpoints(); }

ServerCounters Server::counters() const {
  ServerCounters sum;
  for (const auto& worker : impl_->workers) {
    const WorkerCounters& c = worker->counters();
    sum.connections += c.connections.get();
    sum.open_connections += c.connections.get() - c.connections_closed.get();
    sum.calls += c.calls.get();
    sum.open_calls += c.calls.get() - c.calls_ended.get();
    sum.failed_calls += c.calls_failed.get();
    sum.refused_connections += c.refused_connections.get();
    sum.refused_peer_connections += c.refused_peer_connections.get();
    sum.refused_plain += c.refused_plain.get();
    sum.malformed += c.malformed.get();
    sum.oversized += c.oversized.get();
    sum.buffered_bytes += worker->unfinished().used();
    sum.memory_refusals += c.memory_refusals.get();
    sum.unsent_bytes += worker->unsent().used();
    sum.unsent_refusals += c.unsent_refusals.get();
    sum.cross_origin_refusals += c.cross_origin_refusals.get();
    sum.refused_streams += c.refused_streams.get();
    sum.queued_data_refusals += c.queued_data_refusals.get();
    sum.dropped_answers += c.dropped_answers.get();
    sum.floods += c.floods.get();
    add_floods(c, sum);
    sum.header_timeouts += c.header_timeouts.get();
    sum.body_timeouts += c.body_timeouts.get();
    sum.write_timeouts += c.write_timeouts.get();
    sum.idle_timeouts += c.idle_timeouts.get();
    sum.keepalive_timeouts += c.keepalive_timeouts.get();
    sum.request_timeouts += c.request_timeouts.get();
    sum.unclaimed_events += c.unclaimed_events.get();
    sum.websocket_timeouts += c.websocket_timeouts.get();
    sum.aged_connections += c.aged_connections.get();
    sum.tls_handshakes += c.tls_handshakes.get();
    sum.failed_tls_handshakes += c.failed_tls_handshakes.get();
  }
  return sum;
}

}  // namespace micro::rpc
