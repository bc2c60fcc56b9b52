#include "multi_address.hpp"

#include <optional>
#include <utility>

namespace micro {
namespace {

Error wrong(std::string_view text, std::size_t position, const std::string& why) {
  return invalid_argument("multi registry \"" + std::string(text) + "\": at position " + std::to_string(position) + ": " + why +
                          "; write for example \"etcd@10.0.0.1:2379;mdns\" (--registry_address)");
}

// Where the part that begins at `begin` ends: at the next ';' outside of parentheses. nullopt: they do not match.
std::optional<std::size_t> end_of_part(std::string_view text, std::size_t begin) {
  std::size_t depth = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && depth-- == 0) return std::nullopt;
    if (text[i] == ';' && depth == 0) return i;
  }
  if (depth != 0) return std::nullopt;
  return text.size();
}

}  // namespace

Result<std::vector<MultiPart>> parse_multi(std::string_view text) {
  std::vector<MultiPart> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    while (begin < text.size() && text[begin] == ' ') ++begin;
    const auto end = end_of_part(text, begin);
    if (!end) return fail(wrong(text, begin, "the parentheses do not match"));
    std::string_view piece = text.substr(begin, *end - begin);
    while (piece.ends_with(' ')) piece.remove_suffix(1);
    if (piece.empty()) return fail(wrong(text, begin, "the name of a registry is missing"));
    MultiPart part;
    const std::size_t at = piece.find('@');
    if (at != std::string_view::npos) {
      std::string_view address = piece.substr(at + 1);
      if (address.size() >= 2 && address.front() == '(' && address.back() == ')') address = address.substr(1, address.size() - 2);
      part.config.address = address;
    }
    const std::string_view name = piece.substr(0, at);
    const std::size_t plus = name.find('+');
    part.name = name.substr(0, plus);
    if (plus != std::string_view::npos) part.config.layout = name.substr(plus + 1);
    if (part.name.empty()) return fail(wrong(text, begin, "the name of a registry is missing"));
    if (part.name == "multi") return fail(wrong(text, begin, "\"multi\" cannot be a part of itself"));
    parts.push_back(std::move(part));
    begin = *end + 1;
  }
  return parts;
}

}  // namespace micro
