#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <micro/bytes/chain.hpp>
#include <micro/context/context.hpp>
#include <micro/coro/event.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/loop/timer.hpp>
#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>

namespace micro::tls {
class ClientCredentials;
}

namespace micro::web {

// The name a target goes by in messages and in Host.
struct Target;
std::string name_of(const Target& target);
// "wss://host:port/path" for the scheme "ws" of a target with TLS.
std::string url_of(const Target& target, std::string_view scheme);

// Connects in the time that is given, TLS included. `timeout` of zero: no limit but the context's.
Task<Result<std::unique_ptr<net::Stream>>> dial(Context& context, const Target& target,
                                                const std::shared_ptr<tls::ClientCredentials>& credentials, Duration timeout);

// A connection that ends with a context, at a deadline or at a limit of its owner, with an error that says which. Must not be
// destroyed while it is awaited.
class Wire {
 public:
  // `name` begins every error. `deadline` goes before a later one of the context.
  Wire(Context& context, std::unique_ptr<net::Stream> stream, std::string name, std::optional<TimePoint> deadline);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  // Waits for bytes; an empty view when the peer has finished. Valid until the next call.
  Task<Result<std::string_view>> read();
  // What is there already; nullopt: nothing. Not while read() waits.
  Result<std::optional<std::string_view>> try_read();
  bool reading() const noexcept { return reading_; }

  // Writes all of `out`, whoever adds to it meanwhile. Several may wait.
  Task<Result<void>> flush(Chain& out);
  // Writes what the kernel takes now; errors show with the next flush().
  void try_flush(Chain& out);

  // Gives up with UNAVAILABLE "<name>: <what> within 5s" unless cleared before. One at a time.
  void set_limit(Duration timeout, std::string_view what);
  void clear_limit() noexcept { limit_.cancel(); }

  // Ends the connection; the first error stays.
  void fail_with(Error error);
  void close();
  const std::optional<Error>& error() const noexcept { return error_; }
  // `function` is called before the context or the deadline closes the connection: the last chance to tell the peer.
  void on_end(void (*function)(void*), void* argument) noexcept {
    goodbye_ = function;
    goodbye_argument_ = argument;
  }

  const std::string& name() const noexcept { return name_; }
  // Who the peer has shown to be; null without TLS.
  std::shared_ptr<const PeerIdentity> identity() const;
  Loop& loop() const noexcept { return stream_->loop(); }

 private:
  void end(Error error);
  Error error_of(Error io) const;

  std::unique_ptr<net::Stream> stream_;
  std::string name_;
  std::optional<Error> error_;
  std::array<char, std::size_t{16} * 1024> buffer_;
  bool reading_ = false;
  bool flushing_ = false;
  Event flushed_;
  Duration allowed_{};
  Duration limit_timeout_{};
  std::string_view limit_what_;
  Timer deadline_;
  Timer limit_;
  CancelCallback cancelled_;
  void (*goodbye_)(void*) = nullptr;
  void* goodbye_argument_ = nullptr;
};

}  // namespace micro::web
