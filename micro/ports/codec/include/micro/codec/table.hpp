#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <micro/codec/codec.hpp>
#include <micro/error/error.hpp>

namespace micro::codec {

// The codecs a server or a client speaks, found by name or by content type. Filled explicitly when a program is put together
// (install(table) of <micro/codecs/install.hpp> adds the usual ones); there is no global table and nothing registers itself.
//
// Thread safety: fill it first, then any number of threads may look up. Copies share the codecs.
class Table {
 public:
  // Adds a codec under its name, its content type and that type's aliases.
  // Errors: INVALID_ARGUMENT for a null codec, an empty name or a content type that is not "type/subtype"; ALREADY_EXISTS when
  // another codec has the name or one of the content types; the table is then as before.
  Result<void> add(std::shared_ptr<const Codec> codec);

  // The codec called `name` ("json"), or nullptr. Exact match.
  const Codec* find(std::string_view name) const noexcept;

  // The codec for a Content-Type header value, or nullptr. Parameters ("; charset=utf-8") and white space around the type are
  // ignored and case does not matter (RFC 9110, section 8.3.1).
  const Codec* find_content_type(std::string_view content_type) const noexcept;

  // All codecs in the order they were added: what an error or an Accept header lists.
  const std::vector<std::shared_ptr<const Codec>>& codecs() const noexcept { return codecs_; }

 private:
  // A handful of entries: a linear search beats a hash table.
  std::vector<std::shared_ptr<const Codec>> codecs_;
};

// "Application/JSON; charset=utf-8" gives "Application/JSON": the media type without its parameters and white space.
std::string_view media_type(std::string_view content_type) noexcept;

}  // namespace micro::codec
