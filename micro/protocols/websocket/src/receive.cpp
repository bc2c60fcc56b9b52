#include <algorithm>
#include <cstring>

#include "session_impl.hpp"

namespace micro::websocket {
namespace {

// Compressed payload is unmasked in portions of this size before it is decompressed.
constexpr std::size_t kScratch = std::size_t{16} * 1024;
// What is kept of a message buffer for the next message.
constexpr std::size_t kKeptCapacity = std::size_t{64} * 1024;

std::uint64_t load_be64(const char* in) noexcept { return std::uint64_t{load_be32(in)} << 32 | load_be32(in + 4); }

}  // namespace

Result<Event> SessionImpl::next(std::string_view& input) {
  payload = {};
  if (error_) return fail(*error_);
  if (message_told_) {
    message_told_ = false;
    if (message.capacity() > kKeptCapacity) {
      message.release();
    } else {
      message.clear();
    }
  }
  if (close_received_) {
    input = {};
    return Event::kNeedMore;
  }
  while (true) {
    Step step;
    if (!in_payload_) {
      if (!take_header(input)) return Event::kNeedMore;
      step = header_have_ == 2 ? parse_start() : std::nullopt;
      if (!step && header_have_ == header_need_) step = parse_header();
    } else if (received_ < frame_.size) {
      if (input.empty()) return Event::kNeedMore;
      step = take_payload(input);
    } else {
      step = frame_complete();
    }
    if (step) return std::move(*step);
  }
}

// Two bytes first, because they tell how many more there are and already decide most of what can be wrong.
bool SessionImpl::take_header(std::string_view& input) {
  const std::size_t count = std::min(header_need_ - header_have_, input.size());
  std::memcpy(header_.data() + header_have_, input.data(), count);
  input.remove_prefix(count);
  header_have_ += count;
  return header_have_ == header_need_;
}

SessionImpl::Step SessionImpl::parse_start() {
  const auto first = static_cast<unsigned char>(header_[0]);
  const auto second = static_cast<unsigned char>(header_[1]);
  const unsigned number = first & 0x0f;
  frame_ = {};
  frame_.opcode = static_cast<Opcode>(number);
  frame_.fin = (first & kFin) != 0;
  frame_.rsv1 = (first & kRsv1) != 0;
  frame_.masked = (second & kMasked) != 0;
  frame_.size = second & 0x7f;

  if ((first & kOtherReserved) != 0) return protocol_error("a frame has a reserved bit (RSV2, RSV3) set");
  if ((number > 2 && number < 8) || number > 10)
    return protocol_error("a frame has the reserved opcode " + std::to_string(number));
  if (frame_.masked != (role_ == Role::kServer))
    return protocol_error(frame_.masked ? "a frame of the server is masked" : "a frame of the client is not masked");
  if (is_control(frame_.opcode)) {
    if (!frame_.fin) return protocol_error("a control frame is fragmented");
    if (frame_.rsv1) return protocol_error("a control frame has RSV1 set");
    if (frame_.size > kMaxControlPayload) return protocol_error("a control frame has more than 125 bytes");
  } else if (Step wrong = check_data_frame()) {
    return wrong;
  }
  const std::size_t extended = frame_.size == 126 ? 2 : frame_.size == 127 ? 8 : 0;
  header_need_ = 2 + extended + (frame_.masked ? frame_.key.size() : 0);
  return std::nullopt;
}

SessionImpl::Step SessionImpl::check_data_frame() {
  if (frame_.opcode == Opcode::kContinuation) {
    if (!in_message_) return protocol_error("a continuation frame has no message to continue");
    if (frame_.rsv1) return protocol_error("a continuation frame has RSV1 set");
    return std::nullopt;
  }
  if (in_message_) return protocol_error("a new message begins before the fragmented one has ended");
  if (frame_.rsv1 && !decompressor_) return protocol_error("a message is compressed (RSV1) but no compression was agreed on");
  in_message_ = true;
  compressed_ = frame_.rsv1;
  kind = static_cast<MessageKind>(frame_.opcode);
  empty_frames_ = 0;
  text_.reset();
  return std::nullopt;
}

SessionImpl::Step SessionImpl::parse_header() {
  const char* at = header_.data() + 2;
  if (frame_.size == 126) {
    frame_.size = load_be16(at);
    at += 2;
    if (frame_.size < 126) return protocol_error("a payload length is not in its shortest form");
  } else if (frame_.size == 127) {
    frame_.size = load_be64(at);
    at += 8;
    if (frame_.size >> 63 != 0) return protocol_error("a payload length has its highest bit set");
    if (frame_.size <= 0xffff) return protocol_error("a payload length is not in its shortest form");
  }
  if (frame_.masked) std::memcpy(frame_.key.data(), at, frame_.key.size());
  header_have_ = 0;
  header_need_ = 2;
  received_ = 0;
  in_payload_ = true;
  if (is_control(frame_.opcode)) return std::nullopt;

  if (frame_.size > options_.max_frame)
    return too_large("a frame has " + std::to_string(frame_.size) + " bytes (the limit is " + std::to_string(options_.max_frame) +
                     ")");
  if (!compressed_ && frame_.size > options_.max_message - message.size())
    return too_large("a message is larger than the limit of " + std::to_string(options_.max_message) + " bytes");
  if (frame_.size == 0 && !frame_.fin && ++empty_frames_ > options_.max_empty_frames)
    return too_large("a message has more than " + std::to_string(options_.max_empty_frames) + " empty frames");
  return std::nullopt;
}

SessionImpl::Step SessionImpl::take_payload(std::string_view& input) {
  auto count = static_cast<std::size_t>(std::min<std::uint64_t>(frame_.size - received_, input.size()));
  const bool control = is_control(frame_.opcode);
  if (!control && compressed_) count = std::min(count, kScratch);
  const std::string_view masked = input.substr(0, count);
  input.remove_prefix(count);
  Step step;
  if (control) {
    apply_mask(frame_.key, static_cast<std::size_t>(received_), masked, control_.data() + received_);
  } else {
    step = take_data(masked);
  }
  received_ += count;
  return step;
}

// Server-to-client frames have the key 0, which changes nothing.
SessionImpl::Step SessionImpl::take_data(std::string_view masked) {
  const auto offset = static_cast<std::size_t>(received_ % 8);
  if (compressed_) {
    scratch_.clear();
    apply_mask(frame_.key, offset, masked, scratch_.prepare(masked.size()));
    scratch_.commit(masked.size());
    const std::size_t before = message.size();
    return inflated(decompressor_->decompress(scratch_.view(), options_.max_message, message), before);
  }
  char* const to = message.prepare(masked.size());
  apply_mask(frame_.key, offset, masked, to);
  message.commit(masked.size());
  if (kind == MessageKind::kText && !text_.feed({to, masked.size()})) return invalid_data("a text message is not UTF-8");
  return std::nullopt;
}

SessionImpl::Step SessionImpl::inflated(Decompressor::Status status, std::size_t before) {
  // What came out before the fault is checked first, so that the answer does not depend on how the bytes were cut.
  if (kind == MessageKind::kText && !text_.feed(message.view().substr(before)))
    return invalid_data("a text message is not UTF-8");
  switch (status) {
    case Decompressor::Status::kOk:
      return std::nullopt;
    case Decompressor::Status::kTooLarge:
      return too_large("a message is larger than the limit of " + std::to_string(options_.max_message) +
                       " bytes once decompressed");
    case Decompressor::Status::kCorrupt:
      return invalid_data("a compressed message is damaged");
    case Decompressor::Status::kNoMemory:
      return fail_with(close_code::kInternalError,
                       Error(Code::kResourceExhausted, "WEBSOCKET_NO_MEMORY", "no memory to decompress a message"));
  }
  return std::nullopt;
}

SessionImpl::Step SessionImpl::frame_complete() {
  in_payload_ = false;
  const std::string_view body(control_.data(), static_cast<std::size_t>(frame_.size));
  switch (frame_.opcode) {
    case Opcode::kPing:
      send_control(Opcode::kPong, body);
      payload = body;
      return Event::kPing;
    case Opcode::kPong:
      payload = body;
      return Event::kPong;
    case Opcode::kClose:
      return close_received(body);
    default:
      return frame_.fin ? message_complete() : std::nullopt;
  }
}

SessionImpl::Step SessionImpl::message_complete() {
  in_message_ = false;
  if (compressed_) {
    const std::size_t before = message.size();
    if (Step wrong = inflated(decompressor_->finish(options_.max_message, message), before)) return wrong;
  }
  if (kind == MessageKind::kText && !text_.complete()) return invalid_data("a text message ends within a character");
  message_told_ = true;
  payload = message.view();
  return Event::kMessage;
}

SessionImpl::Step SessionImpl::close_received(std::string_view body) {
  std::optional<std::uint16_t> code;
  if (body.size() == 1) return protocol_error("a close frame has half a code");
  if (!body.empty()) {
    code = load_be16(body.data());
    body.remove_prefix(2);
    if (!is_valid_close_code(*code))
      return protocol_error("a close frame has the code " + std::to_string(*code) + ", which is reserved");
    if (!is_utf8(body)) return invalid_data("the reason of a close frame is not UTF-8");
  }
  close_received_ = true;
  received_code = code.value_or(close_code::kNoStatus);
  payload = body;
  close(code, {});
  return Event::kClose;
}

Result<void> SessionImpl::finish() {
  if (error_) return fail(*error_);
  if (close_received_) return {};
  error_ = Error(Code::kUnavailable, "WEBSOCKET_ABNORMAL", "the WebSocket's connection ended without a close frame");
  close_sent_ = true;
  return fail(*error_);
}

Result<Event> SessionImpl::fail_with(std::uint16_t code, Error error) {
  close(code, close_reason(error.message()));
  error_ = std::move(error).with_context("cannot read from the WebSocket");
  message.release();
  return fail(*error_);
}

Code SessionImpl::blame() const noexcept { return role_ == Role::kServer ? Code::kInvalidArgument : Code::kInternal; }

Result<Event> SessionImpl::protocol_error(std::string what) {
  return fail_with(close_code::kProtocolError, Error(blame(), std::move(what)).with_reason("WEBSOCKET_PROTOCOL"));
}

Result<Event> SessionImpl::invalid_data(std::string what) {
  return fail_with(close_code::kInvalidData, Error(blame(), std::move(what)).with_reason("WEBSOCKET_INVALID_DATA"));
}

Result<Event> SessionImpl::too_large(std::string what) {
  return fail_with(close_code::kMessageTooBig, Error(Code::kResourceExhausted, "WEBSOCKET_TOO_LARGE", std::move(what)));
}

}  // namespace micro::websocket
