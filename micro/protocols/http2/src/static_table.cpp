#include "static_table.hpp"

#include <array>

#include <micro/http2/field.hpp>

namespace micro::http2 {
namespace {

// Entries of the same name are neighbours: find_static relies on it.
constexpr std::array<StaticEntry, kStaticEntries> kTable = {{
    {"", ""},
    {":authority", ""},
    {":method", "GET"},
    {":method", "POST"},
    {":path", "/"},
    {":path", "/index.html"},
    {":scheme", "http"},
    {":scheme", "https"},
    {":status", "200"},
    {":status", "204"},
    {":status", "206"},
    {":status", "304"},
    {":status", "400"},
    {":status", "404"},
    {":status", "500"},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", ""},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", ""},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", ""},
    {"cookie", ""},
    {"date", ""},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", ""},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", ""},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", ""},
    {"user-agent", ""},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""},
}};

constexpr std::size_t kSlots = 256;

constexpr std::size_t slot_of(std::string_view name) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(name[i])); };
  return (name.size() * 37 + at(0) * 5 + at(name.size() - 1) * 11 + at(name.size() / 2) * 3) % kSlots;
}

// Open addressing from a name to its first index.
constexpr auto kIndex = [] {
  std::array<std::uint8_t, kSlots> slots{};
  for (std::size_t i = 1; i < kTable.size(); ++i) {
    if (kTable[i].name == kTable[i - 1].name) continue;
    std::size_t slot = slot_of(kTable[i].name);
    while (slots[slot] != 0) slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<std::uint8_t>(i);
  }
  return slots;
}();

void encode_string(Buffer& out, std::string_view text) {
  encode_integer(out, 0x00, 7, text.size());
  out.append(text);
}

}  // namespace

const StaticEntry& static_entry(std::size_t index) noexcept { return kTable[index]; }

StaticMatch find_static(std::string_view name, std::string_view value) noexcept {
  if (name.empty()) return {};
  for (std::size_t slot = slot_of(name); kIndex[slot] != 0; slot = (slot + 1) % kSlots) {
    const std::uint8_t first = kIndex[slot];
    if (kTable[first].name != name) continue;
    for (std::uint8_t i = first; i < kTable.size() && kTable[i].name == name; ++i) {
      if (kTable[i].value == value && !value.empty()) return {i, true};
    }
    return {first, false};
  }
  return {};
}

void encode_integer(Buffer& out, std::uint8_t first, unsigned bits, std::uint64_t value) {
  const std::uint64_t limit = (1U << bits) - 1;
  if (value < limit) {
    out.push_back(static_cast<char>(first | value));
    return;
  }
  out.push_back(static_cast<char>(first | limit));
  value -= limit;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(0x80 | (value & 0x7f)));
  out.push_back(static_cast<char>(value));
}

void encode_static(std::span<const Field> fields, Buffer& out) {
  for (const Field& field : fields) {
    const StaticMatch match = find_static(field.name, field.value);
    if (match.with_value && !field.sensitive) {
      encode_integer(out, 0x80, 7, match.index);
      continue;
    }
    encode_integer(out, field.sensitive ? 0x10 : 0x00, 4, match.index);
    if (match.index == 0) encode_string(out, field.name);
    encode_string(out, field.value);
  }
}

}  // namespace micro::http2
