#pragma once

#include <cstddef>
#include <cstdint>

#include "mask.hpp"

namespace micro::websocket {

enum class Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

constexpr bool is_control(Opcode opcode) noexcept { return (static_cast<unsigned>(opcode) & 8) != 0; }

inline constexpr unsigned char kFin = 0x80;
inline constexpr unsigned char kRsv1 = 0x40;
inline constexpr unsigned char kOtherReserved = 0x30;
inline constexpr unsigned char kMasked = 0x80;

// Two bytes, eight of an extended length, four of a key (RFC 6455, section 5.2).
inline constexpr std::size_t kMaxFrameHeader = 14;

struct FrameHeader {
  Opcode opcode = Opcode::kContinuation;
  bool fin = false;
  bool rsv1 = false;
  bool masked = false;
  MaskKey key{};
  std::uint64_t size = 0;  // of the payload
};

}  // namespace micro::websocket
