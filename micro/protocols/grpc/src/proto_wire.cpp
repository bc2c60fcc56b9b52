#include <micro/grpc/proto_wire.hpp>

#include <algorithm>
#include <cstddef>

namespace micro::grpc::proto {
namespace {

std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool too_high = lead == 0xF4 && byte(1) > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !too_high ? 4 : 0;
  }
  return 0;
}

}  // namespace

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_number(std::string& out, unsigned number, std::uint64_t value) {
  put_varint(out, number << 3 | kVarint);
  put_varint(out, value);
}

void put_fixed64(std::string& out, unsigned number, std::uint64_t value) {
  put_varint(out, number << 3 | kFixed64);
  for (int i = 0; i < 8; ++i, value >>= 8) out += static_cast<char>(value & 0xFF);
}

void put_bytes(std::string& out, unsigned number, std::string_view bytes) {
  put_varint(out, number << 3 | kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_string(std::string& out, unsigned number, std::string_view text) {
  if (!text.empty()) put_bytes(out, number, to_utf8(text));
}

std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    out += size != 0 ? text.substr(0, size) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

bool Reader::next() {
  if (rest_.empty() || !good_) return false;
  std::uint64_t tag = 0;
  good_ = varint(tag) && tag >> 3 != 0 && tag >> 3 <= 0x1FFFFFFF;
  if (!good_) return false;
  number = static_cast<unsigned>(tag >> 3);
  type = static_cast<WireType>(tag & 7);
  std::uint64_t size = 0;
  switch (type) {
    case kVarint:
      return good_ = varint(value);
    case kFixed64:
      if (!take(8)) return good_ = false;
      value = 0;
      for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
      return true;
    case kFixed32:
      return good_ = take(4);
    case kBytes:
      return good_ = varint(size) && take(size);
  }
  return good_ = false;  // groups are not used by these messages
}

bool Reader::varint(std::uint64_t& out) {
  out = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    out |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool Reader::take(std::uint64_t size) {
  if (size > rest_.size()) return false;
  bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

}  // namespace micro::grpc::proto
