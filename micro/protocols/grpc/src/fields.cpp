#include <micro/grpc/fields.hpp>

#include <algorithm>
#include <array>

#include <micro/grpc/base64.hpp>

#include "trim.hpp"

namespace micro::grpc {
namespace {

enum : std::uint8_t { kNotInKey, kKeyByte, kUpperCase };

constexpr std::array<std::uint8_t, 256> kKeyBytes = [] {
  std::array<std::uint8_t, 256> kinds{};
  for (int c = '0'; c <= '9'; ++c) kinds[c] = kKeyByte;
  for (int c = 'a'; c <= 'z'; ++c) kinds[c] = kKeyByte;
  for (int c = 'A'; c <= 'Z'; ++c) kinds[c] = kUpperCase;
  kinds['_'] = kinds['-'] = kinds['.'] = kKeyByte;
  return kinds;
}();

std::uint8_t key_byte(char c) { return kKeyBytes[static_cast<unsigned char>(c)]; }

bool is_value_byte(char c) { return c >= 0x20 && c <= 0x7E; }

std::string byte_text(char c) {
  constexpr char kHex[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  return {'0', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

// Keys go into messages, so they must not carry control characters there.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, 64));
  std::ranges::replace_if(out, [](char c) { return !is_value_byte(c); }, '?');
  return out;
}

Result<void> check_key(std::string_view key) {
  if (key.empty()) return fail(internal("metadata with an empty key cannot be sent"));
  const auto bad = std::ranges::find(key, kNotInKey, key_byte);
  if (bad == key.end()) return {};
  return fail(internal("metadata key '" + printable(key) + "' cannot be sent: it contains the byte " + byte_text(*bad) +
                       "; use letters, digits, '_', '-' and '.'"));
}

Result<void> check_value(std::string_view key, std::string_view value) {
  const auto bad = std::ranges::find_if_not(value, is_value_byte);
  if (bad == value.end()) return {};
  return fail(internal("the value of metadata key '" + printable(key) + "' cannot be sent: it contains the byte " +
                       byte_text(*bad) + "; use printable ASCII, or a key that ends in \"-bin\" for arbitrary bytes"));
}

}  // namespace

std::size_t FieldList::add_name(std::string_view name) {
  const std::size_t offset = text_.size();
  text_.append(name);
  for (std::size_t i = offset; i < text_.size(); ++i) {
    if (key_byte(text_[i]) == kUpperCase) text_[i] = static_cast<char>(text_[i] | 0x20);
  }
  return offset;
}

void FieldList::add(std::string_view name, std::string_view value) {
  const std::size_t offset = add_name(name);
  text_.append(value);
  slots_.push_back({offset, static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())});
}

void FieldList::add_binary(std::string_view name, std::string_view bytes) {
  const std::size_t offset = add_name(name);
  const std::size_t start = text_.size();
  base64_encode(bytes, text_);
  slots_.push_back({offset, static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(text_.size() - start)});
}

void FieldList::truncate(std::size_t size) noexcept {
  if (size >= slots_.size()) return;
  text_.resize(slots_[size].offset);
  slots_.resize(size);
}

std::optional<std::string_view> FieldList::find(std::string_view name) const noexcept {
  for (const Field field : *this) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

bool is_reserved(std::string_view name) noexcept {
  if (name.empty()) return false;
  const char first = static_cast<char>(name.front() | 0x20);
  if (name.front() == ':' || (first == 'g' && equals_ignore_case(name.substr(0, 5), "grpc-"))) return true;
  const auto is = [name](std::string_view other) { return equals_ignore_case(name, other); };
  switch (name.size()) {
    case 2:
      return is("te");
    case 4:
      return is("host");
    case 7:
      return is("upgrade");
    case 10:
      return first == 'u' ? is("user-agent") : first == 'c' ? is("connection") : is("keep-alive");
    case 12:
      return is("content-type");
    case 14:
      return first == 'c' ? is("content-length") : is("http2-settings");
    case 16:
      return is("proxy-connection");
    case 17:
      return is("transfer-encoding");
    default:
      return false;
  }
}

bool is_valid_key(std::string_view name) noexcept {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return key_byte(c) == kKeyByte; });
}

bool is_valid_value(std::string_view value) noexcept { return std::ranges::all_of(value, is_value_byte); }

Result<void> append_metadata(const Metadata& metadata, FieldList& out) {
  const std::size_t before = out.size();
  const auto give_up = [&](Error error) {
    out.truncate(before);
    return fail(std::move(error));
  };
  for (const auto [key, value] : metadata) {
    if (is_reserved(key)) continue;
    if (auto valid = check_key(key); !valid) return give_up(std::move(valid).error());
    if (is_binary(key)) {
      out.add_binary(key, value);
      continue;
    }
    const std::string_view trimmed = trim(value);
    if (auto valid = check_value(key, trimmed); !valid) return give_up(std::move(valid).error());
    out.add(key, trimmed);
  }
  return {};
}

Result<void> take_field(std::string_view name, std::string_view value, Metadata& out) {
  if (is_reserved(name)) return {};
  if (!is_binary(name)) {
    out.add(name, value);
    return {};
  }
  std::string bytes;
  for (;;) {
    const std::size_t comma = std::min(value.find(','), value.size());
    bytes.clear();
    if (!base64_decode(trim(value.substr(0, comma)), bytes)) {
      return fail(
          internal("the value of metadata key '" + printable(name) + "' is not base64, which keys ending in \"-bin\" need"));
    }
    out.add(name, bytes);
    if (comma == value.size()) return {};
    value.remove_prefix(comma + 1);
  }
}

}  // namespace micro::grpc
