#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <micro/context/cancellation.hpp>
#include <micro/context/compress.hpp>
#include <micro/context/peer_identity.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/metadata/metadata.hpp>

namespace micro {

// What travels with one call: how long it may take, whether anybody still wants it, metadata both ways and who asked.
// The first argument of every handler and of every call.
//
// A server makes one for each request; a handler passes it on to the calls it makes, which inherit the deadline and the
// cancellation (never the incoming metadata: put what should travel on into outgoing()). A program without a request makes one
// itself: `micro::Context context; context.set_timeout(2s);`.
//
// A handler that wants to know what a call of its own was answered (reply_headers(), reply_trailers(), peer()) gives that call a
// child, `Context child(context);`: in the handler's own context these belong to the request it serves, and calls leave them
// alone.
//
// Lifetime: outlives the handler and every call that was given it. Not copied, not moved.
// Thread safety: belongs to the loop of its call; only cancelled() may be asked from other threads (offloaded work).
class Context {
 public:
  Context() = default;
  // A child: ends no later than `parent`, is cancelled with it, and starts with a copy of its outgoing metadata and ids.
  // `parent` must outlive the child.
  explicit Context(Context& parent);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() = default;

  // The instant after which nobody waits for the answer; nullopt: no limit.
  std::optional<TimePoint> deadline() const noexcept { return deadline_; }
  // Moves the deadline forward only: a later one than the present is ignored.
  void set_deadline(TimePoint deadline) noexcept;
  // The same, counted from `now`; a timeout past the end of the clock is no limit.
  void set_timeout(Duration timeout, TimePoint now = Clock::now()) noexcept;
  // Time left at `now`, never negative; nullopt: no limit.
  std::optional<Duration> remaining(TimePoint now = Clock::now()) const noexcept;

  // Cancellation: see cancellation.hpp for callbacks.
  CancelSource& cancellation() noexcept { return cancellation_; }
  const CancelSource& cancellation() const noexcept { return cancellation_; }
  // Ends the call for `reason` (CANCELLED or DEADLINE_EXCEEDED as a rule) and runs the callbacks; the first reason stays.
  void cancel(Error reason) { cancellation_.cancel(std::move(reason)); }
  bool cancelled() const noexcept { return cancellation_.cancelled(); }
  // Why it was cancelled; nullopt while it was not.
  std::optional<Error> error() const { return cancellation_.reason(); }

  // What came with the request.
  const Metadata& metadata() const noexcept { return incoming_; }
  Metadata& incoming() noexcept { return incoming_; }
  // What goes with every call made with this context.
  Metadata& outgoing() noexcept { return outgoing_; }
  const Metadata& outgoing() const noexcept { return outgoing_; }
  // On a server: sent before the first message of the reply, and after the last. On a client: what the server sent.
  Metadata& reply_headers() noexcept { return reply_headers_; }
  const Metadata& reply_headers() const noexcept { return reply_headers_; }
  Metadata& reply_trailers() noexcept { return reply_trailers_; }
  const Metadata& reply_trailers() const noexcept { return reply_trailers_; }

  // Compression, where the protocol has it (gRPC; HTTP/JSON ignores what is chosen here). A choice holds for the messages sent
  // after it was made: a unary handler makes it before it returns, a stream may make another one before each write.
  //
  // On a server, about the messages of the reply. The encoding is the best one the caller reads, and is settled when the first
  // message is sent: kDefault then, after a request that was not compressed, means that none will be compressed.
  Compress reply_compression() const noexcept { return reply_compression_; }
  void set_reply_compression(Compress choice) noexcept { reply_compression_ = choice; }
  // On a client, about the messages of the request. The encoding is named by CallOptions::compression; without one nothing is
  // compressed, so kOff is what makes a difference.
  Compress request_compression() const noexcept { return request_compression_; }
  void set_request_compression(Compress choice) noexcept { request_compression_ = choice; }
  // Whether the message read last came compressed: on a server that of the request, on a client that of the reply.
  bool request_was_compressed() const noexcept { return request_was_compressed_; }
  void set_request_was_compressed(bool compressed) noexcept { request_was_compressed_ = compressed; }
  bool reply_was_compressed() const noexcept { return reply_was_compressed_; }
  void set_reply_was_compressed(bool compressed) noexcept { reply_was_compressed_ = compressed; }

  // On a server, the address of the caller ("10.0.0.7:50122", "unix:"); on a client after the call, of the node that answered.
  const std::string& peer() const noexcept { return peer_; }

  // Whether that connection is encrypted (TLS).
  bool secure() const noexcept { return peer_identity_ != nullptr; }
  // Who TLS says the peer is; null on a plain connection. A child context has none.
  const std::shared_ptr<const PeerIdentity>& peer_identity() const noexcept { return peer_identity_; }

  // For servers: a request of `peer` is served with this context from now on, until reset().
  void begin_serving(std::string_view peer, std::shared_ptr<const PeerIdentity> identity);
  bool serving() const noexcept { return serving_; }
  // For clients: a call goes to `peer` now; what a former one was answered is forgotten. Does nothing while serving().
  void begin_calling(std::string_view peer, std::shared_ptr<const PeerIdentity> identity);

  // The id by which logs of several processes name one request. On a server, what the caller sent as "x-request-id", otherwise 32
  // random hex digits, made when first asked for; elsewhere what was set, or empty. Calls made with this context send it on.
  const std::string& request_id() const;
  // 1 to 128 visible ASCII characters. Anything else is ignored, as an id nobody sent: it came from a stranger and ends in logs.
  void set_request_id(std::string_view id);
  // What a call made with this context sends as "x-request-id": request_id(), unless outgoing() has one already. Empty: nothing.
  std::string_view request_id_to_send() const;

  // Back to the state of a new object; keeps memory, for pools. Nobody may hold a reference from the former use.
  void reset() noexcept;

 private:
  std::optional<TimePoint> deadline_;
  CancelSource cancellation_;
  CancelCallback parent_link_;  // cancels this context with its parent
  Metadata incoming_;
  Metadata outgoing_;
  Metadata reply_headers_;
  Metadata reply_trailers_;
  std::string peer_;
  std::shared_ptr<const PeerIdentity> peer_identity_;
  mutable std::string request_id_;  // made by request_id()
  Compress reply_compression_ = Compress::kDefault;
  Compress request_compression_ = Compress::kDefault;
  bool request_was_compressed_ = false;
  bool reply_was_compressed_ = false;
  bool serving_ = false;
};

}  // namespace micro
