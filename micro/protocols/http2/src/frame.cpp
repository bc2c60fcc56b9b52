#include "frame.hpp"

#include <algorithm>
#include <cstring>

namespace micro::http2 {

FrameHeader load_frame_header(const char* in) noexcept {
  return {load_be24(in), static_cast<FrameType>(in[3]), static_cast<std::uint8_t>(in[4]), load_be32(in + 5) & kMaxStreamId};
}

void store_frame_header(char* out, const FrameHeader& header) noexcept {
  store_be24(out, header.length);
  out[3] = static_cast<char>(header.type);
  out[4] = static_cast<char>(header.flags);
  store_be32(out + 5, header.stream_id);
}

void FrameWriter::settings(std::span<const SettingValue> values) {
  Buffer payload;
  for (const SettingValue& entry : values) {
    char* out = payload.prepare(kSettingSize);
    store_be16(out, static_cast<std::uint16_t>(entry.id));
    store_be32(out + 2, entry.value);
    payload.commit(kSettingSize);
  }
  control(FrameType::kSettings, 0, 0, payload.view());
}

void FrameWriter::control(FrameType type, std::uint8_t flags, std::uint32_t stream_id, std::string_view payload) {
  char* out = output_.prepare(kFrameHeaderSize + payload.size());
  store_frame_header(out, {static_cast<std::uint32_t>(payload.size()), type, flags, stream_id});
  if (!payload.empty()) std::memcpy(out + kFrameHeaderSize, payload.data(), payload.size());
  committed(kFrameHeaderSize + payload.size());
}

void FrameWriter::headers(std::uint32_t stream_id, std::string_view prefix, std::string_view block, bool end_stream,
                          std::uint32_t max_frame_size) {
  std::size_t left = prefix.size() + block.size();
  FrameHeader header{0, FrameType::kHeaders, static_cast<std::uint8_t>(end_stream ? kFlagEndStream : 0), stream_id};
  do {
    const std::size_t count = std::min<std::size_t>(left, max_frame_size);
    left -= count;
    header.length = static_cast<std::uint32_t>(count);
    if (left == 0) header.flags |= kFlagEndHeaders;
    char* out = output_.prepare(kFrameHeaderSize + count);
    store_frame_header(out, header);
    out += kFrameHeaderSize;
    const std::size_t first = std::min(count, prefix.size());
    out = std::copy_n(prefix.data(), first, out);
    std::copy_n(block.data(), count - first, out);
    prefix.remove_prefix(first);
    block.remove_prefix(count - first);
    committed(kFrameHeaderSize + count);
    header.type = FrameType::kContinuation;
    header.flags = 0;
  } while (left != 0);
}

void FrameWriter::data(std::uint32_t stream_id, std::string_view payload, bool end_stream) {
  char* out = begin_data(payload.size());
  if (!payload.empty()) std::memcpy(out, payload.data(), payload.size());
  end_data(stream_id, payload.size(), end_stream);
}

void FrameWriter::data(std::uint32_t stream_id, Chain& from, std::size_t count, bool end_stream) {
  begin_data(0);
  store_frame_header(open_data_, {static_cast<std::uint32_t>(count), FrameType::kData,
                                  static_cast<std::uint8_t>(end_stream ? kFlagEndStream : 0), stream_id});
  committed(kFrameHeaderSize);
  from.move_to(output_, count);
  counters_.bytes_sent += count;
  counters_.data_bytes_sent += count;
  ++counters_.data_frames_sent;
}

void FrameWriter::rst_stream(std::uint32_t stream_id, ErrorCode code) {
  char payload[4];
  store_be32(payload, static_cast<std::uint32_t>(code));
  control(FrameType::kRstStream, 0, stream_id, {payload, sizeof(payload)});
  ++counters_.resets_sent;
}

void FrameWriter::ping(std::uint64_t payload, bool ack) {
  char bytes[8];
  store_be32(bytes, static_cast<std::uint32_t>(payload >> 32));
  store_be32(bytes + 4, static_cast<std::uint32_t>(payload));
  control(FrameType::kPing, ack ? kFlagAck : 0, 0, {bytes, sizeof(bytes)});
}

void FrameWriter::goaway(std::uint32_t last_stream_id, ErrorCode code, std::string_view debug) {
  debug = debug.substr(0, 1024);
  char* out = output_.prepare(kFrameHeaderSize + 8 + debug.size());
  store_frame_header(out, {static_cast<std::uint32_t>(8 + debug.size()), FrameType::kGoaway, 0, 0});
  store_be32(out + kFrameHeaderSize, last_stream_id);
  store_be32(out + kFrameHeaderSize + 4, static_cast<std::uint32_t>(code));
  std::copy_n(debug.data(), debug.size(), out + kFrameHeaderSize + 8);
  committed(kFrameHeaderSize + 8 + debug.size());
}

void FrameWriter::window_update(std::uint32_t stream_id, std::uint32_t increment) {
  char payload[4];
  store_be32(payload, increment);
  control(FrameType::kWindowUpdate, 0, stream_id, {payload, sizeof(payload)});
}

char* FrameWriter::begin_data(std::size_t count) {
  open_data_ = output_.prepare(kFrameHeaderSize + count);
  return open_data_ + kFrameHeaderSize;
}

void FrameWriter::end_data(std::uint32_t stream_id, std::size_t count, bool end_stream) {
  store_frame_header(open_data_, {static_cast<std::uint32_t>(count), FrameType::kData,
                                  static_cast<std::uint8_t>(end_stream ? kFlagEndStream : 0), stream_id});
  committed(kFrameHeaderSize + count);
  counters_.data_bytes_sent += count;
  ++counters_.data_frames_sent;
}

}  // namespace micro::http2
