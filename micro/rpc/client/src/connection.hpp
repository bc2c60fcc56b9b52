#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/context/peer_identity.hpp>
#include <micro/coro/gate.hpp>
#include <micro/error/error.hpp>
#include <micro/http2/session.hpp>
#include <micro/loop/loop.hpp>
#include <micro/loop/timer.hpp>
#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>

namespace micro::client {

class Exchange;
class NodePool;
class Slot;

// One HTTP/2 connection to a node: the socket, the session and the coroutine that reads. Everything its calls write in one turn
// of the loop goes out with one write at the end of the turn.
//
// Life: open() connects, then it serves until the peer or the network ends it, it is idle for too long, or shutdown() or abort()
// is called; then it destroys itself. Streams hold no reference to it after they ended.
class Connection final : private http2::Events {
 public:
  static Connection& open(NodePool& pool);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  NodePool& pool() const noexcept { return pool_; }
  Slot& slot() const noexcept { return slot_; }
  http2::Session& session() noexcept { return session_; }

  bool can_open() const noexcept { return state_ == State::kReady && session_.can_open(); }
  std::size_t active() const noexcept { return session_.active_streams(); }
  // How many more streams may be opened.
  std::size_t room() const noexcept;

  // Opens a stream for `exchange`; nullptr when that is not possible any more.
  http2::Stream* open_stream(Exchange& exchange, std::string_view block, std::span<const http2::Field> extra);
  // Where in the stream of bytes to the peer the next ones go, and how far the socket has taken them.
  std::uint64_t position() noexcept { return written_ + session_.output().size(); }
  std::uint64_t written() const noexcept { return written_; }
  // Who TLS says the node is; null on a plain connection.
  const std::shared_ptr<const PeerIdentity>& identity() const noexcept { return identity_; }
  // Why it ended, once it has.
  const std::optional<Error>& ended() const noexcept { return ended_; }

  // Something was added to the session's output: it is written at the end of the turn.
  void output_added() noexcept { loop_.defer(flush_); }
  // The same at once.
  void flush();
  // So much output waits for the socket that writers of streams should pause; those who ask are told (Exchange::on_writable).
  bool congested() noexcept { return session_.output().size() > kMostOutput; }
  void tell_when_flushed(Exchange& exchange) { waiting_.push_back(&exchange); }
  void forget(Exchange& exchange) noexcept { std::erase(waiting_, &exchange); }

  // A call sent at `since` got no answer in its time. When nothing else has come meanwhile either, the peer is asked with a PING.
  void suspect(TimePoint since);

  // Takes no more calls and closes when those under way have ended.
  void shutdown();
  // Ends everything now.
  void abort(const Error& reason);

 private:
  enum class State : std::uint8_t { kConnecting, kReady, kLeaving, kClosed };
  static constexpr std::size_t kMostOutput = 256 * 1024;
  static constexpr std::size_t kLittleOutput = 64 * 1024;

  explicit Connection(NodePool& pool);
  ~Connection() override;

  Task<void> run(Gate::Holder holder);
  Task<Result<void>> connect();
  // Puts TLS between the socket and the session.
  Task<Result<void>> secure();
  Error connect_error(const Error& error) const;
  // Reads until the connection ends, or, for `handshake`, until the peer's SETTINGS have come.
  Task<Result<void>> read(bool handshake);
  Result<void> receive(std::span<char> buffer, std::size_t count);
  // False when the socket takes no more just now.
  bool write_some();
  Detached write_rest(Gate::Holder holder);
  void flushed();
  void leave();
  void ask();
  void heard();
  void tick();
  void schedule_tick();
  Duration keepalive_interval() const noexcept;

  void on_headers(http2::Stream& stream, const http2::HeaderBlock& block, bool end_stream) override;
  void on_data(http2::Stream& stream, std::string_view data, bool end_stream) override;
  void on_trailers(http2::Stream& stream, const http2::HeaderBlock& block) override;
  void on_reset(http2::Stream& stream, http2::ErrorCode code, bool by_peer) override;
  void on_drained(http2::Stream& stream) override;
  void on_close(http2::Stream& stream) override;
  void on_goaway(std::uint32_t last_stream_id, http2::ErrorCode code, std::string_view debug) override;

  NodePool& pool_;
  Slot& slot_;
  Loop& loop_;
  http2::Session session_;
  std::unique_ptr<net::Stream> socket_;
  Context* connecting_ = nullptr;  // while connect() runs
  State state_ = State::kConnecting;
  bool securing_ = false;   // secure() runs: nothing may be written yet
  bool needs_tls_ = false;  // the peer has said so
  bool blocked_ = false;    // write_rest() waits for the socket
  bool ping_sent_ = false;
  bool asked_ = false;  // with a PING since the last message or header section
  std::optional<Error> ended_;
  std::shared_ptr<const PeerIdentity> identity_;
  std::string farewell_;       // what the peer has said with GOAWAY
  std::uint64_t written_ = 0;  // bytes the socket has taken
  TimePoint active_since_{};   // when the first of the present streams began, or the last one ended
  TimePoint received_{};
  TimePoint ping_at_{};
  Deferred flush_;
  Timer tick_;
  Gate writers_;
  std::vector<Exchange*> waiting_;
};

}  // namespace micro::client
