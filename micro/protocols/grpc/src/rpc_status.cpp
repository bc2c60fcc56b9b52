#include "rpc_status.hpp"

#include <algorithm>
#include <cstdint>
#include <ranges>

#include <micro/grpc/status.hpp>

namespace micro::grpc::rpc_status {
namespace {

constexpr std::string_view kErrorInfoUrl = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr std::string_view kErrorInfoName = "/google.rpc.ErrorInfo";

enum WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_bytes(std::string& out, unsigned number, std::string_view bytes) {
  put_varint(out, number << 3 | kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

// proto3 leaves out fields that have their default value.
void put_string(std::string& out, unsigned number, std::string_view text) {
  if (!text.empty()) put_bytes(out, number, to_utf8(text));
}

// Reads the fields of a message one by one: `while (reader.next()) switch (reader.number) ...; return reader.good()`.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  unsigned number = 0;
  WireType type = kVarint;
  std::uint64_t value = 0;  // of a kVarint
  std::string_view bytes;   // of a kBytes

  bool next() {
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
        return good_ = take(8);
      case kFixed32:
        return good_ = take(4);
      case kBytes:
        return good_ = varint(size) && take(size);
    }
    return good_ = false;  // groups are not used by these messages
  }
  bool good() const { return good_; }
  bool is(unsigned wanted_number, WireType wanted_type) const { return number == wanted_number && type == wanted_type; }

 private:
  bool varint(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      out |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool take(std::uint64_t size) {
    if (size > rest_.size()) return false;
    bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  bool good_ = true;
};

struct ErrorInfo {
  std::string_view reason;
  std::string_view domain;
  Error::Metadata metadata;
};

bool contains(const Error::Metadata& metadata, std::string_view key) {
  return std::ranges::find(metadata, key, &Error::Metadata::value_type::first) != metadata.end();
}

bool parse_entry(std::string_view bytes, Error::Metadata& out) {
  std::string_view key;
  std::string_view value;
  Reader reader(bytes);
  while (reader.next()) {
    if (reader.is(1, kBytes)) key = reader.bytes;
    if (reader.is(2, kBytes)) value = reader.bytes;
  }
  // Of two entries with one key the last counts, as in any protobuf map.
  std::erase_if(out, [&](const auto& entry) { return entry.first == key; });
  out.emplace_back(key, value);
  return reader.good();
}

// nullopt when the Any holds something else, or is damaged.
std::optional<ErrorInfo> parse_error_info(std::string_view any) {
  std::string_view url;
  std::string_view value;
  Reader outer(any);
  while (outer.next()) {
    if (outer.is(1, kBytes)) url = outer.bytes;
    if (outer.is(2, kBytes)) value = outer.bytes;
  }
  if (!outer.good() || !url.ends_with(kErrorInfoName)) return std::nullopt;
  ErrorInfo info;
  Reader inner(value);
  while (inner.next()) {
    if (inner.is(1, kBytes)) info.reason = inner.bytes;
    if (inner.is(2, kBytes)) info.domain = inner.bytes;
    if (inner.is(3, kBytes) && !parse_entry(inner.bytes, info.metadata)) return std::nullopt;
  }
  if (!inner.good()) return std::nullopt;
  return info;
}

// A map holds a key once; the first value is the one Error::find() gives.
Error::Metadata unique_keys(const Error::Metadata& metadata) {
  Error::Metadata out;
  for (const auto& [key, value] : metadata) {
    if (!contains(out, key)) out.emplace_back(key, value);
  }
  return out;
}

std::string encode_error_info(std::string_view reason, const Error::Metadata& metadata) {
  std::string info;
  put_string(info, 1, reason);
  put_string(info, 2, kErrorDomain);
  for (const auto& [key, value] : metadata) {
    std::string entry;  // map entries always have both fields
    put_bytes(entry, 1, to_utf8(key));
    put_bytes(entry, 2, to_utf8(value));
    put_bytes(info, 3, entry);
  }
  std::string any;
  put_string(any, 1, kErrorInfoUrl);
  put_bytes(any, 2, info);
  return any;
}

// An error that came from elsewhere keeps its ErrorInfo among the details; saying the same twice would hide its domain.
bool told_by_details(const Error& error, const Error::Metadata& metadata) {
  for (const std::string& detail : error.details()) {
    if (const auto info = parse_error_info(detail)) return info->reason == error.reason() && info->metadata == metadata;
  }
  return false;
}

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

std::string encode(const Error& error, std::string_view message, Content content) {
  std::string out;
  put_varint(out, 1 << 3 | kVarint);
  put_varint(out, static_cast<std::uint64_t>(error.code()));
  put_string(out, 2, message);
  const bool foreign = content == Content::kAll;
  if (!error.reason().empty() || !error.metadata().empty()) {
    const Error::Metadata metadata = unique_keys(error.metadata());
    if (!foreign || !told_by_details(error, metadata)) put_bytes(out, 3, encode_error_info(error.reason(), metadata));
  }
  if (foreign) {
    for (const std::string& detail : error.details()) put_bytes(out, 3, detail);
  }
  return out;
}

std::optional<Status> decode(std::string_view bytes) {
  Status status;
  bool has_info = false;
  Reader reader(bytes);
  while (reader.next()) {
    if (reader.is(1, kVarint)) status.code = static_cast<std::int32_t>(reader.value);
    if (reader.is(2, kBytes)) status.message = reader.bytes;
    if (!reader.is(3, kBytes)) continue;
    auto info = has_info ? std::nullopt : parse_error_info(reader.bytes);
    if (info) {
      has_info = true;
      status.reason = info->reason;
      status.metadata = std::move(info->metadata);
    }
    if (!info || info->domain != kErrorDomain) status.details.emplace_back(reader.bytes);
  }
  if (!reader.good()) return std::nullopt;
  return status;
}

}  // namespace micro::grpc::rpc_status
