#pragma once

#include <memory>
#include <string_view>

#include <micro/bytes/chain.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

#include "connection_watch.hpp"

namespace micro::rpc {

class Connection;

// One connection's protocol: turns bytes into calls and calls into bytes. Knows no socket; tells its Connection when there is
// output (Connection::output_added) and when reading should stop or go on.
class ConnectionProtocol {
 public:
  virtual ~ConnectionProtocol() = default;
  // Takes bytes that arrived. An Error means that the connection cannot go on: what is in output() is still sent.
  virtual Result<void> receive(std::string_view bytes) = 0;
  // The peer will send no more; calls under way may still be answered.
  virtual void receive_end() = 0;
  // The connection is gone: every call is cancelled for `reason` and nothing is sent any more.
  virtual void abort(const Error& reason) = 0;
  // Accept no more calls than those begun, and tell the peer where the protocol can.
  virtual void drain() = 0;
  // Bytes to send.
  virtual Chain& output() noexcept = 0;
  // Bytes that wait for the peer's permission to become output.
  virtual std::size_t queued() const noexcept { return 0; }
  // All output went to the kernel.
  virtual void output_flushed() {}
  // Calls under way.
  virtual std::size_t open_calls() const noexcept = 0;
  // Nothing more will come from here and the output may be the last: close once it is sent.
  virtual bool finished() const noexcept = 0;
  // Nothing is under way, so that closing now loses nothing the peer could not send again.
  virtual bool idle() const noexcept = 0;
  // What it waits for, how many requests have begun, and whether ping() works; the rest of the sample is the connection's.
  virtual void sample(ConnectionSample& sample) const noexcept = 0;
  // Looks at calls one by one: those whose peers had time enough are ended.
  virtual void look_at_calls(TimePoint) {}
  // The peer has had time enough for a request: says so to it, where the protocol can, and finishes.
  virtual void time_out(const Error& reason) = 0;
  // Asks the peer for a sign of life.
  virtual void ping() {}
  // False while it cannot take more bytes (an HTTP/1.1 request is being answered and the next one has arrived, or too much
  // output waits).
  virtual bool wants_bytes() const noexcept { return true; }
};

}  // namespace micro::rpc
