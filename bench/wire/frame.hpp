// HTTP/2 frames as bytes (RFC 9113, section 4.1): just enough for a load generator and a server that answers canned replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

enum FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
};

inline constexpr std::uint8_t kEndStream = 0x1;
inline constexpr std::uint8_t kAck = 0x1;
inline constexpr std::uint8_t kEndHeaders = 0x4;
inline constexpr std::size_t kFrameHeaderSize = 9;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Flow control is not what is measured: the connection window is opened wide, and again whenever this much of it is used.
inline constexpr std::uint32_t kWindowStep = 1u << 29;

struct Frame {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint32_t stream;
  std::string_view payload;
};

inline std::uint32_t read_u32(const char* p) {
  std::uint32_t value;
  std::memcpy(&value, p, sizeof value);
  return __builtin_bswap32(value);
}

inline void write_u32(char* p, std::uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(p, &value, sizeof value);
}

inline std::string u32_bytes(std::uint32_t value) {
  std::string bytes(4, '\0');
  write_u32(bytes.data(), value);
  return bytes;
}

inline void append_frame(std::string& out, FrameType type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  char header[kFrameHeaderSize];
  write_u32(header, static_cast<std::uint32_t>(payload.size()) << 8 | type);
  header[4] = static_cast<char>(flags);
  write_u32(header + 5, stream);
  out.append(header, sizeof header).append(payload);
}

// Calls on_frame(const Frame&) for every whole frame and returns how many bytes those took.
template <class OnFrame>
std::size_t each_frame(std::string_view bytes, OnFrame&& on_frame) {
  std::size_t used = 0;
  while (bytes.size() - used >= kFrameHeaderSize) {
    const char* p = bytes.data() + used;
    const std::size_t length = read_u32(p) >> 8;
    if (bytes.size() - used < kFrameHeaderSize + length) break;
    on_frame(Frame{static_cast<std::uint8_t>(p[3]),
                   static_cast<std::uint8_t>(p[4]),
                   read_u32(p + 5) & 0x7fffffffu,
                   {p + kFrameHeaderSize, length}});
    used += kFrameHeaderSize + length;
  }
  return used;
}

// Protobuf's variable-length integers.
inline std::string varint(std::uint32_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

// A message with its 5-byte gRPC prefix.
inline std::string grpc_frame(std::string_view protobuf) {
  std::string message("\0", 1);
  return message.append(u32_bytes(static_cast<std::uint32_t>(protobuf.size()))).append(protobuf);
}

// One string as field 1: both HelloRequest and HelloReply.
inline std::string grpc_message(std::string_view text) {
  return grpc_frame("\x0a" + varint(static_cast<std::uint32_t>(text.size())) + std::string(text));
}

// One integer as field 1: both CountdownRequest and CountdownReply.
inline std::string grpc_message(std::uint32_t value) { return grpc_frame(value == 0 ? "" : "\x08" + varint(value)); }

// HPACK (RFC 7541, section 5.2): a string shorter than 127 bytes, not Huffman coded.
inline std::string hpack_string(std::string_view text) { return std::string(1, static_cast<char>(text.size())).append(text); }

}  // namespace bench
