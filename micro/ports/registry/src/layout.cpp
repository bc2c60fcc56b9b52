#include <micro/registry/layout.hpp>

#include <array>

#include "layouts.hpp"

namespace micro::registry {
namespace {

struct Known {
  std::string_view name;
  std::shared_ptr<const Layout> (*make)(std::string root);
};
constexpr std::array<Known, 5> kKnown{{{"go-micro", make_go_micro_layout},
                                       {"kratos", make_kratos_layout},
                                       {"go-zero", make_go_zero_layout},
                                       {"goms", make_goms_layout},
                                       {"go-garden", make_go_garden_layout}}};

}  // namespace

Result<std::shared_ptr<const Layout>> make_layout(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.empty() ? kKnown[0].name : text.substr(0, colon);
  std::string root(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
  if (colon != std::string_view::npos && root.empty()) {
    return fail(invalid_argument("the layout \"" + std::string(text) +
                                 "\" ends with a colon: say what keys begin with behind it, or leave it out"));
  }
  for (const Known& known : kKnown) {
    if (known.name == name) return known.make(std::move(root));
  }
  return fail(invalid_argument("unknown layout of records \"" + std::string(name) + "\"; there are " + layout_names() +
                               " (--registry_layout, MICRO_REGISTRY_LAYOUT)"));
}

std::string layout_names() {
  std::string names;
  for (const Known& known : kKnown) names.append(names.empty() ? "" : ", ").append(known.name);
  return names;
}

std::uint64_t stable_hash(std::string_view text) noexcept {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return value;
}

Error cannot_carry(std::string_view layout, const Service& record, std::string_view why) {
  return invalid_argument("service \"" + record.name + "\" cannot be registered in the layout " + std::string(layout) + ": " +
                          std::string(why));
}

Error malformed(std::string_view layout, std::string_view key, std::string_view why) {
  return invalid_argument("the " + std::string(layout) + " record under \"" + std::string(key) +
                          "\" is unusable: " + std::string(why));
}

}  // namespace micro::registry
