#include <micro/grpc/web.hpp>

#include <micro/grpc/framing.hpp>
#include <micro/metadata/metadata.hpp>

#include "base64_alphabet.hpp"
#include "trim.hpp"

namespace micro::grpc {
namespace {

// The format behind `type`: "" for the type alone, "json" for "+json"; nullopt when it is another type.
std::optional<std::string_view> format_behind(std::string_view content_type, std::string_view type) noexcept {
  if (!equals_ignore_case(content_type.substr(0, type.size()), type)) return std::nullopt;
  std::string_view format = content_type.substr(type.size());
  format = trim(format.substr(0, format.find(';')));
  if (format.empty()) return format;
  if (format.front() != '+' || format.size() == 1) return std::nullopt;
  return format.substr(1);
}

}  // namespace

std::optional<WebContentType> parse_web_content_type(std::string_view content_type) noexcept {
  for (const bool text : {true, false}) {
    const auto format = format_behind(content_type, text ? kWebTextContentType : kWebContentType);
    if (format) return WebContentType{.text = text, .format = format->empty() ? "proto" : *format};
  }
  return std::nullopt;
}

void append_web_trailers(Buffer& out, const FieldList& trailers) {
  const std::size_t frame = begin_frame(out);
  for (const Field field : trailers) {
    out.append(field.name);
    out.append(": ");
    out.append(field.value);
    out.append("\r\n");
  }
  end_frame(out, frame, false);
  out.data()[frame] = static_cast<char>(kWebTrailerFlag);
}

void append_web_text(Buffer& out, std::string_view bytes) {
  const std::size_t size = (bytes.size() + 2) / 3 * 4;
  char* to = out.prepare(size);
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, from += 3) {
    const std::uint32_t group = std::uint32_t{from[0]} << 16 | std::uint32_t{from[1]} << 8 | from[2];
    *to++ = kAlphabet[group >> 18];
    *to++ = kAlphabet[group >> 12 & 63];
    *to++ = kAlphabet[group >> 6 & 63];
    *to++ = kAlphabet[group & 63];
  }
  if (left > 0) {
    const std::uint32_t group = std::uint32_t{from[0]} << 16 | (left == 2 ? std::uint32_t{from[1]} << 8 : 0);
    *to++ = kAlphabet[group >> 18];
    *to++ = kAlphabet[group >> 12 & 63];
    *to++ = left == 2 ? kAlphabet[group >> 6 & 63] : '=';
    *to++ = '=';
  }
  out.commit(size);
}

Result<void> WebTextDecoder::decode(std::string_view text, Buffer& out) {
  const auto refuse = [this](std::string_view why) {
    failed_ = true;
    return fail(invalid_argument("the body is not base64, as application/grpc-web-text must be: " + std::string(why)));
  };
  if (failed_) return refuse("it was refused before");
  char* to = out.prepare((text.size() + 3) / 4 * 3);
  std::size_t written = 0;
  for (const char c : text) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (c == '=') {
      if (size_ < 2) return refuse("padding in the wrong place");
      ++padding_;
    } else if (value == kForeign) {
      return refuse("a foreign character");
    } else if (padding_ > 0) {
      return refuse("padding inside a group of four");
    }
    group_[size_++] = c == '=' ? 0 : value;
    if (size_ < 4) continue;
    const std::uint32_t group =
        std::uint32_t{group_[0]} << 18 | std::uint32_t{group_[1]} << 12 | std::uint32_t{group_[2]} << 6 | group_[3];
    to[written] = static_cast<char>(group >> 16);
    if (padding_ < 2) to[written + 1] = static_cast<char>(group >> 8);
    if (padding_ < 1) to[written + 2] = static_cast<char>(group);
    written += 3U - padding_;
    size_ = padding_ = 0;
  }
  out.commit(written);
  return {};
}

Result<void> WebTextDecoder::finish() const {
  if (failed_ || size_ == 0) return {};
  return fail(invalid_argument("the body is not base64, as application/grpc-web-text must be: it ends in the middle of a group"));
}

}  // namespace micro::grpc
