#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <micro/http2/error_code.hpp>
#include <micro/http2/field.hpp>
#include <micro/http2/stream.hpp>

namespace micro::http2 {

// What a Session tells its owner.
//
// Order of the events of one stream: on_headers, any number of on_data, perhaps on_trailers, perhaps on_reset, on_close. A
// stream the client opened can be reset before on_headers. After on_close the Stream no longer exists.
// When: from inside Session::feed, and from inside the call that causes the event; in particular on_close comes before
// submit_data, submit_headers or reset returns when that call ends the stream. Every method of the session may be called from an
// event except feed, upgrade and the destructor.
class Events {
 public:
  virtual ~Events() = default;

  // Server: a request. Client: the final response (interim 1xx responses are skipped). `end_stream`: no body, no trailers.
  virtual void on_headers(Stream& stream, const HeaderBlock& block, bool end_stream) = 0;

  // A piece of the body, as it arrives; pieces follow no frame boundaries. The bytes stay charged to the stream's receive window
  // until Session::consumed gives them back. `data` is valid during the call and may be empty when `end_stream` is true.
  virtual void on_data(Stream& stream, std::string_view data, bool end_stream) = 0;

  // The end of the stream, with trailer fields; `block` has no pseudo-header fields.
  virtual void on_trailers(Stream& stream, const HeaderBlock& block) = 0;

  // The stream ended early; on_close follows. `by_peer`: the peer sent RST_STREAM, or a GOAWAY that leaves this stream out (then
  // `code` is kRefusedStream and the request was not processed). Else the peer broke a rule and the session has reset the
  // stream, or the connection failed. Not raised for Session::reset. A server that has answered in full may end the rest of
  // the request with kNoError: when remote_closed() is true by then, the response is complete and good.
  virtual void on_reset(Stream& stream, ErrorCode code, bool by_peer) = 0;

  // All that had to be queued on this stream has been framed into the output: room for more. Only after Stream::queued() was
  // not 0; data framed at once raises nothing.
  virtual void on_drained(Stream& stream) { (void)stream; }

  // The stream is over in both directions. Last event; forget the pointer.
  virtual void on_close(Stream& stream) = 0;

  // The peer will process no stream after `last_stream_id`; those already open up to it go on. `debug` is for people.
  virtual void on_goaway(std::uint32_t last_stream_id, ErrorCode code, std::string_view debug) {
    (void)last_stream_id, (void)code, (void)debug;
  }

  // The answer to Session::ping with this payload.
  virtual void on_ping_ack(std::uint64_t payload) { (void)payload; }
};

}  // namespace micro::http2
