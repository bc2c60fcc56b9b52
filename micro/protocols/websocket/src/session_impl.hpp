#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <micro/websocket/session.hpp>

#include "frame.hpp"
#include "utf8.hpp"
#include "zlib_stream.hpp"

namespace micro::websocket {

class SessionImpl {
 public:
  SessionImpl(Role role, const Options& options, std::optional<Deflate> deflate);

  // receive.cpp
  Result<Event> next(std::string_view& input);
  Result<void> finish();

  // send.cpp
  Result<void> send(MessageKind kind, std::string_view payload);
  Result<void> send(MessageKind kind, Buffer&& payload);
  Result<void> send_piece(MessageKind kind, std::string_view piece, bool last);
  void send_control(Opcode opcode, std::string_view payload);
  void close(std::optional<std::uint16_t> code, std::string_view reason);

  bool can_send() const noexcept { return !close_sent_; }
  bool closed() const noexcept { return close_sent_ && (close_received_ || error_); }

  Chain output;
  MessageKind kind = MessageKind::kText;
  std::string_view payload;
  Buffer message;
  std::uint16_t received_code = close_code::kAbnormal;
  std::uint16_t sent_code = close_code::kAbnormal;

 private:
  // nullopt: more bytes or another step are needed.
  using Step = std::optional<Result<Event>>;

  bool take_header(std::string_view& input);
  Step parse_start();
  Step parse_header();
  Step check_data_frame();
  Step take_payload(std::string_view& input);
  Step take_data(std::string_view masked);
  Step frame_complete();
  Step message_complete();
  Step close_received(std::string_view body);
  Step inflated(Decompressor::Status status, std::size_t before);
  Code blame() const noexcept;
  Result<Event> fail_with(std::uint16_t code, Error error);
  Result<Event> protocol_error(std::string message);
  Result<Event> invalid_data(std::string message);
  Result<Event> too_large(std::string message);

  Result<void> check_sendable(MessageKind kind) const;
  void write_header(Opcode opcode, bool fin, bool rsv1, std::size_t size, const MaskKey& key);
  void write_frame(Opcode opcode, bool fin, bool rsv1, std::string_view body);
  void write_frame(Opcode opcode, bool fin, Buffer&& body);
  MaskKey new_key() const;

  const Role role_;
  const Options options_;
  std::optional<Compressor> compressor_;
  std::optional<Decompressor> decompressor_;

  // The frame that is arriving.
  std::array<char, kMaxFrameHeader> header_{};
  std::size_t header_have_ = 0;
  std::size_t header_need_ = 2;
  bool in_payload_ = false;
  FrameHeader frame_;
  std::uint64_t received_ = 0;  // of its payload
  std::array<char, kMaxControlPayload> control_{};

  // The message that is arriving, in `message`.
  bool in_message_ = false;
  bool compressed_ = false;
  bool message_told_ = false;
  std::uint32_t empty_frames_ = 0;
  Utf8Checker text_;
  Buffer scratch_;

  bool close_received_ = false;
  bool close_sent_ = false;
  std::optional<Error> error_;

  // The message that is being sent in pieces.
  std::optional<MessageKind> sending_;
  bool sending_compressed_ = false;
  Utf8Checker sending_text_;
};

}  // namespace micro::websocket
