#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/bytes/chain.hpp>
#include <micro/error/error.hpp>
#include <micro/websocket/close_code.hpp>
#include <micro/websocket/deflate.hpp>
#include <micro/websocket/options.hpp>

namespace micro::websocket {

// What next() found.
enum class Event : std::uint8_t {
  kNeedMore,  // `input` is used up; come back with more bytes
  kMessage,   // a whole message: kind() and payload()
  kPing,      // payload(); the pong is in the output already
  kPong,      // payload()
  kClose,     // the peer's close frame: close_code(), payload() is its reason; our own is in the output. The last event
};

class SessionImpl;

// One WebSocket connection after its handshake (RFC 6455) with or without permessage-deflate (RFC 7692): bytes in, events and
// bytes out, both roles; no sockets, no clock, no threads.
//
//   while (true) {
//     auto event = session.next(input);        // takes what it uses off the front of `input`, cut anywhere
//     flush(session.output());                 // answers to pings and closes, whether it failed or not
//     if (!event) return event.error();        // then close the connection
//     if (*event == Event::kMessage) handle(session.kind(), session.payload());
//     if (*event == Event::kNeedMore) break;
//   }
//
// An owner that stops calling next() holds the peer back; one that does so while its output is not taken bounds what the answers
// to a flood of pings can cost.
//
// A peer that breaks a rule is told with a close frame (1002 protocol, 1007 not UTF-8 or not decompressible, 1009 too large), and
// next() fails from then on. Text is checked as it arrives, in whatever pieces. Errors: INVALID_ARGUMENT on a server and INTERNAL
// on a client, RESOURCE_EXHAUSTED for limits; reasons WEBSOCKET_PROTOCOL, WEBSOCKET_INVALID_DATA, WEBSOCKET_TOO_LARGE. Thread
// safety: one thread at a time.
class Session {
 public:
  // `deflate`: what the handshake agreed on.
  Session(Role role, const Options& options, std::optional<Deflate> deflate = std::nullopt);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // --- Receiving ---

  Result<Event> next(std::string_view& input);

  // The peer will send no more. Fails with UNAVAILABLE (WEBSOCKET_ABNORMAL) when its close frame has not come.
  Result<void> finish();

  // Of the last kMessage.
  MessageKind kind() const noexcept;
  // Of the last event, valid until the next call of next().
  std::string_view payload() const noexcept;
  // The payload of the last kMessage, moved out.
  Buffer take_payload() noexcept;
  // Bytes of a message that has not come whole, or was not taken.
  std::size_t unfinished() const noexcept;

  // The code of the peer's close frame, 1005 when it had none; 1006 as long as none has come.
  std::uint16_t close_code() const noexcept;
  // The code of our own close frame, 1005 when it had none; 1006 as long as none was sent.
  std::uint16_t sent_close_code() const noexcept;

  // --- Sending ---

  // Bytes to send. The owner consumes them, or takes all with Chain's moves.
  Chain& output() noexcept;

  // A whole message. Fails with FAILED_PRECONDITION after a close frame was sent, with INVALID_ARGUMENT for text that is not
  // UTF-8, with RESOURCE_EXHAUSTED when there is no memory to compress it. Nothing is sent then.
  Result<void> send(MessageKind kind, std::string_view payload);
  // Moves a large payload to the output instead of copying it where that is possible (servers, uncompressed).
  Result<void> send(MessageKind kind, Buffer&& payload);

  // A message in pieces, a frame each; `kind` must stay the same until `last`. Pieces of text may end within a character. Fails
  // as send() does, and with FAILED_PRECONDITION for another kind than the one begun. A failure in the middle leaves the message
  // unfinished, and nothing to do but close().
  Result<void> send_piece(MessageKind kind, std::string_view piece, bool last);

  // Control frames, also between the pieces of a message. The payload is cut to 125 bytes. Ignored after a close frame was sent.
  void ping(std::string_view payload = {});
  void pong(std::string_view payload = {});

  // Starts or answers the closing handshake; ignored when a close frame was sent before. The peer's messages still come until its
  // own close frame does. The reason goes through close_reason(). Throws std::logic_error for a code that is not valid.
  void close(std::uint16_t code, std::string_view reason = {});

  // --- State ---

  // No close frame was sent, so messages can be.
  bool can_send() const noexcept;
  // Nothing follows in either direction: flush the output and close the connection, servers at once, clients when the server has
  // done so or after a little while (section 7.1.1).
  bool closed() const noexcept;

 private:
  std::unique_ptr<SessionImpl> impl_;
};

}  // namespace micro::websocket
