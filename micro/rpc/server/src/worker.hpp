#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <micro/coro/gate.hpp>
#include <micro/http/date.hpp>
#include <micro/http/message.hpp>
#include <micro/loop/loop.hpp>
#include <micro/loop/timer.hpp>
#include <micro/net/listener.hpp>
#include <micro/task/task.hpp>

#include "connection.hpp"
#include "heartbeats.hpp"
#include "open_calls.hpp"
#include "state.hpp"

namespace micro::rpc {

class GrpcCall;
class HttpCall;

// A server's part on one loop: a listening socket, its connections and the pools of their calls.
class Worker {
 public:
  Worker(Loop& loop, const ServerState& state);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  Result<void> listen(const Address& address, bool shared);
  const Address& address() const noexcept { return listener_->address(); }
  // On the worker's loop.
  void accept();
  // On the worker's loop. Ends within a second or so of the deadline; returns the number of calls that did not end.
  Task<std::size_t> stop(TimePoint deadline);
  // Drops a listener that was never accepted from.
  void close_listener();

  Loop& loop() noexcept { return loop_; }
  const ServerState& state() const noexcept { return state_; }
  WorkerCounters& counters() noexcept { return counters_; }
  const WorkerCounters& counters() const noexcept { return counters_; }
  // Bytes of requests that have not arrived whole.
  MemoryShare& unfinished() noexcept { return unfinished_; }
  MemoryShare& unsent() noexcept { return unsent_; }
  // What a request is told that finds no room there; counts it.
  Error no_room();
  // For bytes beyond a connection's own buffer; used within one function call only.
  std::span<char> scratch() noexcept { return scratch_; }
  // Scratch space to encode one message in; used within one function call only.
  Buffer& encode_buffer() noexcept { return encode_buffer_; }
  // Where the head of a request is put together for dispatch(); keeps its memory.
  http::Request& request() noexcept { return request_; }
  // What lives long without being used; told when the server stops.
  Heartbeats& heartbeats() noexcept { return heartbeats_; }
  // The value of the Date header.
  std::string_view date();

  std::unique_ptr<GrpcCall> take_grpc_call();
  void give_back(std::unique_ptr<GrpcCall> call) noexcept;
  std::unique_ptr<HttpCall> take_http_call();
  void give_back(std::unique_ptr<HttpCall> call) noexcept;

  // Bookkeeping of calls; stop() waits until all have ended.
  void call_begun(OpenCall& call) noexcept;
  void call_ended(OpenCall& call, bool failed) noexcept;
  // A message that was not taken, when it is for its size.
  void count_refused(const Error& error) noexcept;
  // Whether it was one of the server's limits that cancelled a call.
  void count_cancelled(const Error& reason) noexcept;

 private:
  friend class Connection;
  Task<void> accept_loop();
  Task<void> serve(std::unique_ptr<net::Stream> stream, std::string peer);
  bool admit(const std::string& peer);
  void sweep();
  void link(Connection& connection) noexcept;
  void unlink(Connection& connection) noexcept;
  Task<bool> wait_until_quiet(TimePoint deadline, bool force_idle);
  template <class F>
  void for_each_connection(F action);

  Loop& loop_;
  const ServerState& state_;
  std::unique_ptr<net::Listener> listener_;
  Connection* connections_ = nullptr;
  std::size_t connection_count_ = 0;
  Timer sweep_timer_;
  TimePoint sweep_began_{};
  Connection* sweep_at_ = nullptr;  // the next one to look at; null between two sweeps
  OpenCalls open_calls_;
  bool draining_ = false;
  bool accepting_ = false;
  Event changed_;  // a connection or a call has ended
  WorkerCounters counters_;
  MemoryShare unfinished_;
  MemoryShare unsent_;
  Heartbeats heartbeats_;
  http::DateCache date_;
  Buffer encode_buffer_;
  http::Request request_;
  std::vector<std::unique_ptr<GrpcCall>> free_calls_;
  std::vector<std::unique_ptr<HttpCall>> free_http_calls_;
  std::vector<char> scratch_;
};

}  // namespace micro::rpc
