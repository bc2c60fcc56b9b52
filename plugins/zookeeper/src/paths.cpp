#include "paths.hpp"

#include <algorithm>
#include <cstdint>

namespace micro::zookeeper {
namespace {

void escape(std::string& out, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out.append(1, '%').append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
}

// The length of the character at the start of `text` that ZooKeeper takes as it is; 0 when the first byte must be escaped.
std::size_t plain(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto more = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned first = at(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F && first != '/' ? 1 : 0;
  if (first >= 0xC2 && first <= 0xDF && more(1)) {
    const unsigned code = (first & 0x1FU) << 6 | (at(1) & 0x3FU);
    return code > 0x9F ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF && more(1) && more(2)) {
    const unsigned code = (first & 0xFU) << 12 | (at(1) & 0x3FU) << 6 | (at(2) & 0x3FU);
    return code >= 0x800 && !(code >= 0xD800 && code <= 0xF8FF) && code < 0xFFF0 ? 3 : 0;
  }
  return 0;  // and above: two halves for Java, which ZooKeeper refuses
}

}  // namespace

std::string safe_part(std::string_view part) {
  std::string out;
  if (part == "." || part == "..") {
    for (const char c : part) escape(out, static_cast<unsigned char>(c));
    return out;
  }
  while (!part.empty()) {
    const std::size_t length = plain(part);
    if (length == 0) escape(out, static_cast<unsigned char>(part.front()));
    out.append(part.substr(0, length));
    part.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

Result<Paths> Paths::make(std::shared_ptr<const registry::Layout> layout) {
  const std::string prefix = layout->prefix({});
  const auto refuse = [&](const std::string& why) {
    return fail(invalid_argument("the layout \"" + std::string(layout->name()) + "\" cannot be used with ZooKeeper: " + why +
                                 "; write go-micro, kratos, or one of them with a root: go-micro:/elsewhere"));
  };
  if (!layout->prefix("x").ends_with("x/")) return refuse("it has no folder for a service");
  if (!prefix.starts_with('/') || prefix.size() < 3) return refuse("its keys do not begin with a path");
  std::string root = prefix.substr(0, prefix.size() - 1);
  for (std::size_t begin = 0; begin < root.size();) {
    const std::size_t end = std::min(root.find('/', begin + 1), root.size());
    const std::string part = root.substr(begin + 1, end - begin - 1);
    if (part.empty() || safe_part(part) != part) return refuse("\"" + root + "\" is no path");
    begin = end;
  }
  return Paths(std::move(layout), std::move(root));
}

std::string Paths::folder(std::string_view service) const {
  const std::string prefix = layout_->prefix(service);
  return safe_part(std::string_view(prefix).substr(root_.size() + 1, prefix.size() - root_.size() - 2));
}

std::string Paths::leaf(std::string_view service, const registry::Node& node) const {
  return safe_part(layout_->key(service, node, 0).substr(layout_->prefix(service).size()));
}

}  // namespace micro::zookeeper
