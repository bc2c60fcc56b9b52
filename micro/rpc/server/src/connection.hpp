#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <micro/context/peer_identity.hpp>
#include <micro/coro/event.hpp>
#include <micro/loop/loop.hpp>
#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>

#include "connection_protocol.hpp"
#include "connection_watch.hpp"
#include "memory_share.hpp"

namespace micro::rpc {

class Worker;

// Reason of the error a plain connection is refused with.
inline constexpr std::string_view kTlsRequiredReason = "TLS_REQUIRED";

// One accepted connection: moves bytes between the socket and the protocol. Its first bytes decide which protocol that is.
// Lives until its read side, its write side and its calls have ended; see serve().
class Connection {
 public:
  Connection(Worker& worker, std::unique_ptr<net::Stream> stream);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs the connection to its end.
  Task<void> serve();

  Worker& worker() noexcept { return worker_; }
  const std::string& peer() const noexcept { return stream_->peer(); }
  // Who TLS says the peer is; null on a plain connection.
  const std::shared_ptr<const PeerIdentity>& identity() const noexcept { return identity_; }

  // There is output: it is sent at the end of this turn, together with what else the turn brings.
  void output_added() noexcept;
  // wants_bytes() of the protocol has become true.
  void resume_reading();
  // Counts what the peer did to be refused.
  void count_failure(const Error& error) noexcept;
  // Replaces the protocol (h2c upgrade). The present one is destroyed later, so it may call this itself.
  void switch_to(std::unique_ptr<ConnectionProtocol> next);

  void drain();
  // Now and then: ends what takes too long.
  void look(TimePoint now);
  // For a drain: closes when that loses nothing; with `force` also when a peer without calls has not answered our farewell.
  void close_if_idle(bool force);
  // Cancels all calls and closes.
  void abort(const Error& reason);

 private:
  friend class Worker;
  Result<void> receive(std::string_view bytes);
  Result<void> detect(std::string_view bytes);
  // The first bytes are a TLS hello.
  bool begins_tls(std::string_view bytes) const noexcept;
  // Puts TLS between the socket and the protocol; `hello` is what has been read.
  Task<void> secure(std::string_view hello);
  // What ALPN agreed on; nothing when that is empty: then the first bytes decide.
  void begin_agreed_protocol(std::string_view name);
  // Tells a peer without TLS that it needs it.
  Result<void> refuse_plain(bool http2);
  void flush();
  void begin_close();
  // Gives the kernel what it takes; false when the connection failed by it.
  void all_written();
  bool write_out();
  // Counts what the peer has not taken; false when that is too much and the connection failed by it.
  bool count_unsent();
  bool may_read() const noexcept;
  void time_out(const Error& reason);
  Task<void> write_rest();

  Worker& worker_;
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<ConnectionProtocol> protocol_;
  std::unique_ptr<ConnectionProtocol> former_;  // switched away from; its last output goes first
  Deferred flush_;
  Timer linger_;
  Event changed_;         // something serve() waits for may have come true
  bool writing_ = false;  // write_rest() is running
  bool failed_ = false;   // the socket is of no more use
  bool discard_ = false;  // the protocol is broken: what still arrives is of no interest
  bool closing_ = false;  // our side is ended, waiting for the peer's end
  bool draining_ = false;
  ConnectionWatch watch_;
  std::uint64_t received_ = 0;  // bytes, for the watch
  std::uint64_t sent_ = 0;
  HeldBytes unsent_;
  bool handshaking_ = false;
  std::shared_ptr<const PeerIdentity> identity_;
  std::string detected_;        // the beginning of a preface that arrived in pieces
  Connection* next_ = nullptr;  // in the worker's list
  Connection* previous_ = nullptr;
};

}  // namespace micro::rpc
