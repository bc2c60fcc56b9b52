#pragma once

#include <memory>
#include <string>

#include <micro/bytes/buffer.hpp>
#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/http1/parser.hpp>
#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>
#include <micro/uri/uri.hpp>

namespace micro::client {

class Slot;

// One connection to a node that speaks go-micro's own RPC: bytes out, responses in. One write and one read at a time. close()
// ends both, from anywhere; what they answer then says nothing about the peer.
class MucpSocket {
 public:
  // The context ends the attempt. Errors as of net::connect() and TLS.
  static Task<Result<std::unique_ptr<MucpSocket>>> open(Slot& slot, Context& context, const Address& address, bool secure);
  MucpSocket(Slot& slot, std::unique_ptr<net::Stream> stream);
  MucpSocket(const MucpSocket&) = delete;
  MucpSocket& operator=(const MucpSocket&) = delete;
  ~MucpSocket();

  Task<Result<void>> write(Buffer bytes);
  // Reads the next response, whole. UNAVAILABLE when the connection ends before.
  Task<Result<void>> read();
  const http1::ResponseHead& head() const noexcept { return parser_.head(); }
  const std::string& body() const noexcept { return body_; }

  // Whether anything of the response that is being read has come, and whether the peer's system says that there is no such
  // connection any more: then the peer has not seen what was written last.
  bool heard() const noexcept { return heard_; }
  bool was_reset() const noexcept { return reset_; }
  // Between two responses: nothing has come that nobody asked for, an end least of all.
  bool alive();
  // Whether the peer keeps it after the response that was read last.
  bool reusable() const noexcept { return parser_.head().keep_alive && rest_.empty(); }

  const std::shared_ptr<const PeerIdentity>& identity() const noexcept { return identity_; }
  void close() { stream_->close(); }
  // Says a last word as far as there is room for it just now, and closes.
  void close_with(std::string_view farewell);

 private:
  // True when the response is complete.
  Result<bool> take();

  Slot& slot_;
  std::unique_ptr<net::Stream> stream_;
  std::shared_ptr<const PeerIdentity> identity_;
  http1::ResponseParser parser_;
  Buffer rest_;  // received and not looked at
  std::string body_;
  bool heard_ = false;
  bool reset_ = false;
};

}  // namespace micro::client
