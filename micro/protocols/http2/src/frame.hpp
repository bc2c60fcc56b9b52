#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <micro/bytes/chain.hpp>
#include <micro/http2/error_code.hpp>
#include <micro/http2/options.hpp>

namespace micro::http2 {

// The client's connection preface (RFC 9113 section 3.4).
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline constexpr std::size_t kFrameHeaderSize = 9;
inline constexpr std::uint32_t kMaxStreamId = 0x7fffffff;
inline constexpr std::int64_t kMaxWindow = 0x7fffffff;
inline constexpr std::int32_t kDefaultWindow = 65535;
inline constexpr std::uint32_t kDefaultMaxFrameSize = 16384;
inline constexpr std::uint32_t kLargestMaxFrameSize = 16777215;

// RFC 9113 section 6. Values beyond kContinuation are unknown types, which are ignored.
enum class FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

inline constexpr std::uint8_t kFlagEndStream = 0x1;
inline constexpr std::uint8_t kFlagAck = 0x1;
inline constexpr std::uint8_t kFlagEndHeaders = 0x4;
inline constexpr std::uint8_t kFlagPadded = 0x8;
inline constexpr std::uint8_t kFlagPriority = 0x20;

// RFC 9113 section 6.5.2 and RFC 8441.
enum class Setting : std::uint16_t {
  kHeaderTableSize = 1,
  kEnablePush = 2,
  kMaxConcurrentStreams = 3,
  kInitialWindowSize = 4,
  kMaxFrameSize = 5,
  kMaxHeaderListSize = 6,
  kEnableConnectProtocol = 8,
};
inline constexpr std::size_t kSettingSize = 6;
struct SettingValue {
  Setting id;
  std::uint32_t value;
};

struct FrameHeader {
  std::uint32_t length = 0;
  FrameType type = FrameType::kData;
  std::uint8_t flags = 0;
  std::uint32_t stream_id = 0;

  bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

// `in` and `out` point to 9 bytes.
FrameHeader load_frame_header(const char* in) noexcept;
void store_frame_header(char* out, const FrameHeader& header) noexcept;

// Writes frames into the output of a session. Knows sizes and layouts, no protocol state.
class FrameWriter {
 public:
  explicit FrameWriter(Counters& counters) : counters_(counters) {}

  Chain& output() noexcept { return output_; }

  void preface() {
    output_.append(kPreface);
    counters_.bytes_sent += kPreface.size();
  }

  void settings(std::span<const SettingValue> values);
  void settings_ack() { control(FrameType::kSettings, kFlagAck, 0, {}); }

  // HEADERS, continued by CONTINUATION where `max_frame_size` asks for it. `prefix` goes before `block`.
  void headers(std::uint32_t stream_id, std::string_view prefix, std::string_view block, bool end_stream,
               std::uint32_t max_frame_size);
  void data(std::uint32_t stream_id, std::string_view payload, bool end_stream);
  // DATA with the first `count` bytes of `from`.
  void data(std::uint32_t stream_id, Chain& from, std::size_t count, bool end_stream);
  void rst_stream(std::uint32_t stream_id, ErrorCode code);
  void ping(std::uint64_t payload, bool ack);
  void goaway(std::uint32_t last_stream_id, ErrorCode code, std::string_view debug);
  void window_update(std::uint32_t stream_id, std::uint32_t increment);

  // A payload written in place: room for a DATA frame of up to `count` bytes, to be fixed by end_data().
  char* begin_data(std::size_t count);
  void end_data(std::uint32_t stream_id, std::size_t count, bool end_stream);

 private:
  void control(FrameType type, std::uint8_t flags, std::uint32_t stream_id, std::string_view payload);
  // A frame of so many bytes is complete.
  void committed(std::size_t bytes) noexcept {
    output_.commit(bytes);
    counters_.bytes_sent += bytes;
    ++counters_.frames_sent;
  }

  Counters& counters_;
  Chain output_;
  char* open_data_ = nullptr;
};

}  // namespace micro::http2
