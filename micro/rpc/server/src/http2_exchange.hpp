#pragma once

#include <memory>
#include <string_view>

#include <micro/http/message.hpp>
#include <micro/http2/session.hpp>

#include "flush_waiter.hpp"
#include "http_exchange.hpp"
#include "pace.hpp"

namespace micro::rpc {

class Http2Protocol;

// A plain HTTP exchange on an HTTP/2 stream. Made with new; deletes itself when the stream is gone.
class Http2Exchange final : public HttpExchange, public FlushWaiter {
 public:
  Http2Exchange(Http2Protocol& protocol, http2::Stream& stream) noexcept : protocol_(protocol), stream_(stream) {}
  void begin(const http2::HeaderBlock& block, bool end_stream);
  void receive(std::string_view data, bool end_stream);
  // All that was queued on the stream has been framed.
  void drained();
  void detach(const Error& reason);
  // Now and then: ends the exchange when the request arrives too slowly, or the answer is not taken.
  void look(TimePoint now);

  void flushed() override;

  void answer(int status, const Metadata& headers, std::string_view body) override;
  Result<void> begin_reply(int status, const Metadata& headers) override;
  void send(std::string_view bytes) override;
  void end_reply(const Metadata& trailers) override;
  Result<void> switch_protocols(std::string_view protocol, const Metadata& headers) override;
  void reset() override;
  void consumed(std::size_t bytes) override;
  bool congested() const noexcept override;
  void wake_when_writable() override;
  const std::string& peer() const noexcept override;
  Abandoned::Ticket abandon() override;
  const std::shared_ptr<const PeerIdentity>& identity() const noexcept override;

 private:
  ~Http2Exchange() = default;
  void discard(bool end_stream);
  void send_head(int status, const Metadata& headers, const std::string* length, bool end);
  void send_whole(int status, const Metadata& headers, std::string_view body);
  void stop_caller();

  Http2Protocol& protocol_;
  http2::Stream& stream_;
  std::unique_ptr<http::Response> waiting_;  // until the request has been read
  std::size_t received_ = 0;                 // bytes of the body
  std::size_t unconsumed_ = 0;               // of them, those that count against the stream's window
  bool head_only_ = false;
  bool connect_ = false;
  bool wants_writable_ = false;
  bool replying_ = false;
  Pace pace_;
};

}  // namespace micro::rpc
