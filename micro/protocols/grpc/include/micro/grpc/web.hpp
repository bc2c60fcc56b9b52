#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/error/error.hpp>
#include <micro/grpc/fields.hpp>

// gRPC-Web (doc/PROTOCOL-WEB.md of the gRPC project): what browsers speak, over any version of HTTP. Messages are framed as in
// gRPC; trailers are a last frame of the body, since browsers do not show those of HTTP. The text form is the same body in
// base64.
namespace micro::grpc {

inline constexpr std::string_view kWebContentType = "application/grpc-web";
inline constexpr std::string_view kWebTextContentType = "application/grpc-web-text";

struct WebContentType {
  bool text = false;                  // the body is base64
  std::string_view format = "proto";  // of the messages: "json" for "application/grpc-web+json"
};

// nullopt for whatever is not gRPC-Web; parameters behind ';' are ignored. The view is into `content_type` or static.
std::optional<WebContentType> parse_web_content_type(std::string_view content_type) noexcept;

// Bit 7 of a frame's flags: it holds trailers.
inline constexpr std::uint8_t kWebTrailerFlag = 0x80;

// Appends the frame that ends a body: one line "name: value" with CRLF a trailer.
void append_web_trailers(Buffer& out, const FieldList& trailers);

// Appends `bytes` in base64, padded, as one of the pieces a text body may consist of.
void append_web_text(Buffer& out, std::string_view bytes);

// Decodes a text body however it was split on its way: base64 with padding wherever a sender has flushed.
//
//   Result<void> decoded = decoder.decode(data, bytes);       // appends to `bytes`
//   at the end of the body: decoder.finish()
//
// Fails with INVALID_ARGUMENT for a foreign character or misplaced padding, and at the end for an incomplete group; an error is
// final. Thread safety: none; belongs to one body.
class WebTextDecoder {
 public:
  Result<void> decode(std::string_view text, Buffer& out);
  Result<void> finish() const;

 private:
  std::array<std::uint8_t, 4> group_{};
  std::uint8_t size_ = 0;     // characters of the present group
  std::uint8_t padding_ = 0;  // of them '='
  bool failed_ = false;
};

}  // namespace micro::grpc
