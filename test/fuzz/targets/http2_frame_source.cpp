#include "http2_frame_source.hpp"

#include <algorithm>

namespace micro::fuzz {

using namespace http2;
using namespace http2::testing;

// Most frames are about one of the last few streams; a new one is begun by the largest number.
std::uint32_t FrameSource::stream(Input& in) {
  const auto choice = in.byte();
  if (choice >= 0xf0) return in.u32() & kMaxStreamId;
  const std::uint32_t back = choice % 6;
  if (back == 0 && from_client_) return std::exchange(next_, next_ + 2);
  return next_ > 2 * back ? next_ - 2 * back : 1;
}

std::string FrameSource::block(Input& in) {
  static const std::string kNames[] = {
      "te",    "content-length", "cookie", "host",         "connection", "x-a", "transfer-encoding",
      ":path", ":status",        "Upper",  "content-type", "x-bin"};
  static const std::string kValues[] = {"trailers", "0", "5",   "a=b",    "a.b:80",     "close",
                                        "1",        "/", "200", " blank", "text/plain", "a\nb"};
  Fields fields;
  const auto choice = in.byte();
  if (from_client_) {
    switch (choice % 8) {
      case 0:
        break;
      case 1:
        fields = {{":method", "CONNECT"}, {":authority", "a:443"}};
        break;
      case 2:
        fields = {{":method", "OPTIONS"}, {":scheme", "https"}, {":path", "*"}};
        break;
      case 3:
        fields = {{":method", "GET"}, {":path", "/"}};
        break;
      default:
        fields = choice % 2 == 0 ? kGet : kPost;
    }
  } else {
    static const std::string kStatus[] = {"200", "204", "304", "100", "103", "101", "500", "99"};
    if (choice % 8 != 0) fields = {{":status", kStatus[choice / 8 % 8]}};
  }
  std::string named;
  std::string valued;
  for (std::size_t i = choice / 64; i-- > 0;) {
    const auto name = in.byte();
    const auto value = in.byte();
    fields.push_back({kNames[name % std::size(kNames)], kValues[value % std::size(kValues)], name >= 0x80});
  }
  if (choice / 64 == 3) {
    named = in.bytes(in.below(16));
    valued = in.bytes(in.below(32));
    fields.push_back({named, valued});
  }
  std::string bytes = http2::testing::block(fields);
  // Now and then a piece of HPACK that no encoder of ours makes.
  if (choice % 16 == 9) bytes.append(in.bytes(in.below(24)));
  return bytes;
}

std::string FrameSource::frame(Input& in, std::size_t op) {
  const auto flags = in.byte();
  const bool end = (flags & 1) != 0;
  switch (op % kKinds) {
    case 0: {
      const auto id = stream(in);
      return http2::testing::frame(FrameType::kHeaders, kFlagEndHeaders | (end ? kFlagEndStream : 0), id, block(in));
    }
    case 1: {  // padding, priority, CONTINUATION
      const auto id = stream(in);
      std::string whole = block(in);
      const std::size_t cut = std::min<std::size_t>(in.byte() % 40, whole.size());
      std::string head;
      std::uint8_t bits = (flags & (kFlagEndStream | kFlagPadded | kFlagPriority));
      const std::size_t padding = (flags & 2) != 0 ? in.byte() : 3;
      if ((bits & kFlagPadded) != 0) head.push_back(static_cast<char>(padding));
      if ((bits & kFlagPriority) != 0) head += be32(in.flag() ? id : id + 2) + "\x10";
      head += whole.substr(0, cut);
      if ((bits & kFlagPadded) != 0) head.append(padding % 32, '\0');
      if (cut == whole.size()) return http2::testing::frame(FrameType::kHeaders, bits | kFlagEndHeaders, id, head);
      std::string out = http2::testing::frame(FrameType::kHeaders, bits, id, head);
      for (std::size_t empty = in.below(6); empty-- > 0;) out += http2::testing::frame(FrameType::kContinuation, 0, id);
      const bool wrong = (flags & 0x40) != 0 && (flags & 0x80) != 0;
      return out + http2::testing::frame(FrameType::kContinuation, kFlagEndHeaders, wrong ? id + 2 : id, whole.substr(cut));
    }
    case 2: {
      const auto id = stream(in);
      return http2::testing::frame(FrameType::kData, end ? kFlagEndStream : 0, id, in.bytes(in.byte() % 48));
    }
    case 3: {
      const auto id = stream(in);
      const std::size_t padding = in.byte() % 40;
      std::string payload(1, static_cast<char>(padding));
      payload.append(in.bytes(in.byte() % 48)).append((flags & 2) != 0 ? padding : padding / 2, '\0');
      return http2::testing::frame(FrameType::kData, kFlagPadded | (end ? kFlagEndStream : 0), id, payload);
    }
    case 4: {  // more than the windows of small options allow
      const auto id = stream(in);
      return http2::testing::frame(FrameType::kData, end ? kFlagEndStream : 0, id, std::string(in.u16() % 16385, 'd'));
    }
    case 5: {
      const auto id = stream(in);
      return rst(id, static_cast<ErrorCode>(in.byte() % 16));
    }
    case 6: {
      std::string payload;
      for (std::size_t i = in.below(4); i-- > 0;) {
        static constexpr std::uint32_t kTelling[] = {0, 1, 2, 100, 4096, 16384, 65535, 0x7fffffff, 0x80000000, 0xffffffff};
        const auto id = in.byte() % 10;
        const auto value = in.byte();
        payload += be16(id) + be32(value < 0xe0 ? kTelling[value % std::size(kTelling)] : in.u32());
      }
      return http2::testing::frame(FrameType::kSettings, 0, 0, payload);
    }
    case 7:
      return settings_ack();
    case 8:
      return ping("payload" + std::string(1, static_cast<char>(flags)), end);
    case 9: {
      const auto id = (flags & 2) != 0 ? 0 : stream(in);
      const auto choice = in.byte();
      return window_update(id, choice < 0xc0 ? choice : in.u32());
    }
    case 10: {
      const auto id = stream(in);
      return http2::testing::frame(FrameType::kPriority, 0, id, be32(end ? id : 0) + "\x10");
    }
    case 11:
      return goaway(in.below(12), static_cast<ErrorCode>(in.byte() % 16), in.bytes(in.below(8)));
    default: {
      const auto type = static_cast<FrameType>(in.byte() % 16);
      const auto id = (flags & 0x80) != 0 ? 0 : stream(in);
      return http2::testing::frame(type, flags & 0x7f, id, in.bytes(in.byte() % 24));
    }
  }
}

}  // namespace micro::fuzz
