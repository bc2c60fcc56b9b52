#include <micro/codec/table.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace micro::codec {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Nearly all spell it as it is registered.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && (a == b || std::ranges::equal(a, b, {}, lower, lower));
}

bool speaks(const Codec& codec, std::string_view type) noexcept {
  if (equal_ignoring_case(codec.content_type(), type)) return true;
  return std::ranges::any_of(codec.content_type_aliases(),
                             [&](std::string_view alias) { return equal_ignoring_case(alias, type); });
}

bool is_media_type(std::string_view type) noexcept {
  const auto slash = type.find('/');
  return slash != std::string_view::npos && slash != 0 && slash + 1 != type.size() && media_type(type) == type;
}

}  // namespace

std::string_view media_type(std::string_view content_type) noexcept {
  content_type = content_type.substr(0, content_type.find(';'));
  const auto first = content_type.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return content_type.substr(first, content_type.find_last_not_of(" \t") - first + 1);
}

Result<void> Table::add(std::shared_ptr<const Codec> codec) {
  if (codec == nullptr) return fail(invalid_argument("codec table: the codec to add is null"));
  if (codec->name().empty()) return fail(invalid_argument("codec table: the codec to add has no name"));
  const std::string what = "codec table: cannot add codec \"" + std::string(codec->name()) + "\": ";
  if (find(codec->name()) != nullptr) {
    return fail(already_exists(what + "there is one of that name already; give yours another name or add only yours"));
  }
  const auto check = [&](std::string_view type) -> Result<void> {
    if (!is_media_type(type)) {
      return fail(invalid_argument(what + "its content type \"" + std::string(type) + "\" is not of the form type/subtype"));
    }
    if (const Codec* other = find_content_type(type)) {
      return fail(already_exists(what + "content type \"" + std::string(type) + "\" belongs to codec \"" +
                                 std::string(other->name()) + "\""));
    }
    return {};
  };
  if (auto ok = check(codec->content_type()); !ok) return ok;
  for (const std::string_view alias : codec->content_type_aliases()) {
    if (auto ok = check(alias); !ok) return ok;
  }
  codecs_.push_back(std::move(codec));
  return {};
}

const Codec* Table::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find_if(codecs_, [&](const auto& codec) { return codec->name() == name; });
  return found == codecs_.end() ? nullptr : found->get();
}

const Codec* Table::find_content_type(std::string_view content_type) const noexcept {
  const std::string_view type = media_type(content_type);
  const auto found = std::ranges::find_if(codecs_, [&](const auto& codec) { return speaks(*codec, type); });
  return found == codecs_.end() ? nullptr : found->get();
}

}  // namespace micro::codec
