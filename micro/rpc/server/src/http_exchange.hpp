#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/context/peer_identity.hpp>
#include <micro/error/error.hpp>
#include <micro/http/message.hpp>
#include <micro/metadata/metadata.hpp>
#include <micro/server/cors.hpp>

#include "abandoned.hpp"

namespace micro::rpc {

// What a request says before its body.
struct HttpHead {
  // Complete but for the body. The carrier may swap parts out.
  http::Request& request;
  // Of the body, as declared.
  std::optional<std::uint64_t> content_length;
  // Asks to go on as WebSocket: an Upgrade (RFC 6455, section 4.1) or an extended CONNECT (RFC 8441).
  bool websocket = false;
  // No body and no end of it will be told: the request is complete.
  bool ended = false;
  // HttpExchange::begin_messages() is possible (HTTP/1.1).
  bool message_pipe = false;
};

// What is carried by an HTTP exchange: a call, a stream of events, the bytes of another protocol. Owns itself; knows nothing of
// the version of HTTP.
class HttpCarrier {
 public:
  // A piece of the body, perhaps an empty one; with `end` the request is complete. The bytes are valid during the call, and count
  // as held until HttpExchange::consumed() gives them back.
  virtual void receive(std::string_view data, bool end) = 0;
  // After HttpExchange::begin_messages(): a further request has come, of which `head` is what it says before its body; receive()
  // brings that. False, with `head` as before, when it is not to be taken just now: it waits, and is offered again after the next
  // consumed(), or to another carrier once this one is over.
  virtual bool take_message(HttpHead&) { return false; }
  // The caller has ended its side of the connection. True when it has said before that it only waits: detach() follows otherwise.
  virtual bool may_leave() const noexcept { return false; }
  // Once after HttpExchange::wake_when_writable().
  virtual void writable() {}
  // The caller or the connection is gone, for `reason`; the exchange is no more.
  virtual void detach(const Error& reason) = 0;

 protected:
  ~HttpCarrier() = default;
};

// One HTTP request and its response, of either version. Exactly one of answer(), end_reply() and reset() ends it for the carrier,
// from inside any call; both forget each other then, and the rest of the request is read and dropped within reason.
class HttpExchange {
 public:
  void attach(HttpCarrier& carrier) noexcept { carrier_ = &carrier; }
  // Every reply of this exchange says that a page of `origin` may read it. `options` must live as long.
  void allow_origin(const CorsOptions& options, std::string_view origin) {
    cors_ = &options;
    origin_ = origin;
  }

  // A whole response. Content-Length and Date are added.
  virtual void answer(int status, const Metadata& headers, std::string_view body) = 0;

  // A response in pieces, its length unknown. INVALID_ARGUMENT when a header cannot be sent; nothing has been sent then.
  virtual Result<void> begin_reply(int status, const Metadata& headers) = 0;
  virtual void send(std::string_view bytes) = 0;
  virtual void end_reply(const Metadata& trailers = {}) = 0;

  // Once the request is complete: agrees to go on as `protocol`, whose bytes then are what is sent and received until
  // end_reply(). Errors as for begin_reply().
  virtual Result<void> switch_protocols(std::string_view protocol, const Metadata& headers) = 0;

  // Once the request is complete: the connection becomes a pipe of messages until end_reply() or reset(). Each further request is
  // one, told by HttpCarrier::take_message(); send_message() sends a whole response, however many there are.
  virtual void begin_messages() {}
  // Errors as for begin_reply().
  virtual Result<void> send_message(const Metadata&, std::string_view) { return {}; }

  // Breaks off, in the middle of a reply too: the caller sees that it is not complete. The connection is closed behind what was
  // sent.
  virtual void reset() = 0;

  // Received bytes are used up: the peer may send as many again.
  virtual void consumed(std::size_t bytes) = 0;
  // True while so much waits for the peer that the carrier should pause.
  virtual bool congested() const noexcept = 0;
  // HttpCarrier::writable() is called when that may have changed.
  virtual void wake_when_writable() = 0;

  virtual const std::string& peer() const noexcept = 0;
  // Who TLS says the peer is; null on a plain connection.
  virtual const std::shared_ptr<const PeerIdentity>& identity() const noexcept = 0;

  // The exchange is over, or will be, before the carrier's work has returned: held until then.
  virtual Abandoned::Ticket abandon() { return {}; }

 protected:
  ~HttpExchange() = default;
  // The headers of a reply, with what allow_origin() adds; `scratch` may be where they are put together.
  const Metadata& complete(const Metadata& headers, Metadata& scratch) const;
  void forget_origin() noexcept { cors_ = nullptr; }

  HttpCarrier* carrier_ = nullptr;

 private:
  const CorsOptions* cors_ = nullptr;
  std::string origin_;
};

}  // namespace micro::rpc
