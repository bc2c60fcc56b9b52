#include <cstring>
#include <utility>

#include "session_impl.hpp"

namespace micro::websocket {
namespace {

Error not_text() {
  return Error(Code::kInvalidArgument, "WEBSOCKET_INVALID_DATA",
               "cannot send a WebSocket text message: it is not UTF-8; send it as binary");
}

Error no_memory() {
  return Error(Code::kResourceExhausted, "WEBSOCKET_NO_MEMORY", "cannot send a WebSocket message: no memory to compress it");
}

Error unfinished() {
  return Error(Code::kFailedPrecondition, "WEBSOCKET_UNFINISHED",
               "cannot send a WebSocket message: another one, sent in pieces, is not finished");
}

Opcode opcode_of(MessageKind kind) noexcept { return static_cast<Opcode>(kind); }

}  // namespace

MaskKey SessionImpl::new_key() const {
  if (options_.mask_source == nullptr) return random_mask();
  MaskKey key;
  store_be32(key.data(), options_.mask_source());
  return key;
}

void SessionImpl::write_header(Opcode opcode, bool fin, bool rsv1, std::size_t size, const MaskKey& key) {
  char* const start = output.prepare(kMaxFrameHeader);
  char* at = start;
  const auto bits = static_cast<unsigned>(opcode) | (fin ? unsigned{kFin} : 0U) | (rsv1 ? unsigned{kRsv1} : 0U);
  *at++ = static_cast<char>(bits);
  const bool masked = role_ == Role::kClient;
  const unsigned mask_bit = masked ? kMasked : 0;
  if (size < 126) {
    *at++ = static_cast<char>(mask_bit | size);
  } else if (size <= 0xffff) {
    *at++ = static_cast<char>(mask_bit | 126);
    store_be16(at, static_cast<std::uint16_t>(size));
    at += 2;
  } else {
    *at++ = static_cast<char>(mask_bit | 127);
    store_be32(at, static_cast<std::uint32_t>(std::uint64_t{size} >> 32));
    store_be32(at + 4, static_cast<std::uint32_t>(size));
    at += 8;
  }
  if (masked) {
    std::memcpy(at, key.data(), key.size());
    at += key.size();
  }
  output.commit(static_cast<std::size_t>(at - start));
}

void SessionImpl::write_frame(Opcode opcode, bool fin, bool rsv1, std::string_view body) {
  if (role_ == Role::kServer) {
    write_header(opcode, fin, rsv1, body.size(), {});
    output.append(body);
    return;
  }
  const MaskKey key = new_key();
  write_header(opcode, fin, rsv1, body.size(), key);
  if (body.empty()) return;
  apply_mask(key, 0, body, output.prepare(body.size()));
  output.commit(body.size());
}

Result<void> SessionImpl::check_sendable(MessageKind kind_of_piece) const {
  if (close_sent_)
    return fail(
        Error(Code::kFailedPrecondition, "WEBSOCKET_CLOSED", "cannot send a WebSocket message: the connection is being closed"));
  if (sending_ && *sending_ != kind_of_piece) return fail(unfinished());
  return {};
}

Result<void> SessionImpl::send(MessageKind kind_of_message, std::string_view body) {
  if (sending_) return fail(unfinished());
  if (auto ready = check_sendable(kind_of_message); !ready) return ready;
  if (kind_of_message == MessageKind::kText && !is_utf8(body)) return fail(not_text());
  if (!compressor_ || !compressor_->usable() || body.size() < options_.compress_from) {
    write_frame(opcode_of(kind_of_message), true, false, body);
    return {};
  }
  Buffer compressed;
  if (!compressor_->compress(body, true, compressed)) return fail(no_memory());
  write_frame(opcode_of(kind_of_message), true, true, compressed.view());
  return {};
}

Result<void> SessionImpl::send(MessageKind kind_of_message, Buffer&& body) {
  const bool compress = compressor_ && compressor_->usable() && body.size() >= options_.compress_from;
  if (role_ == Role::kClient || compress || body.size() < Chain::kCopyThreshold || sending_)
    return send(kind_of_message, body.view());
  if (auto ready = check_sendable(kind_of_message); !ready) return ready;
  if (kind_of_message == MessageKind::kText && !is_utf8(body.view())) return fail(not_text());
  write_header(opcode_of(kind_of_message), true, false, body.size(), {});
  output.append(std::move(body));
  return {};
}

Result<void> SessionImpl::send_piece(MessageKind kind_of_message, std::string_view piece, bool last) {
  if (auto ready = check_sendable(kind_of_message); !ready) return ready;
  const bool first = !sending_;
  if (first) {
    sending_compressed_ = compressor_ && compressor_->usable() && (!last || piece.size() >= options_.compress_from);
    sending_text_.reset();
  }
  if (kind_of_message == MessageKind::kText && !(sending_text_.feed(piece) && (!last || sending_text_.complete())))
    return fail(not_text());
  const Opcode opcode = first ? opcode_of(kind_of_message) : Opcode::kContinuation;
  if (sending_compressed_) {
    Buffer compressed;
    if (!compressor_->compress(piece, last, compressed)) return fail(no_memory());
    write_frame(opcode, last, first, compressed.view());
  } else {
    write_frame(opcode, last, false, piece);
  }
  sending_ = last ? std::nullopt : std::optional(kind_of_message);
  return {};
}

void SessionImpl::send_control(Opcode opcode, std::string_view body) {
  if (!close_sent_) write_frame(opcode, true, false, body);
}

void SessionImpl::close(std::optional<std::uint16_t> code, std::string_view reason) {
  if (close_sent_) return;
  std::array<char, kMaxControlPayload> body;
  std::size_t size = 0;
  if (code) {
    store_be16(body.data(), *code);
    reason.copy(body.data() + 2, reason.size());  // an empty view may have no data
    size = 2 + reason.size();
  }
  write_frame(Opcode::kClose, true, false, {body.data(), size});
  close_sent_ = true;
  sent_code = code.value_or(close_code::kNoStatus);
}

}  // namespace micro::websocket
