#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <micro/registry/layout.hpp>

namespace micro::registry {

// Each with what its keys begin with; empty: the usual.
std::shared_ptr<const Layout> make_go_micro_layout(std::string root);
std::shared_ptr<const Layout> make_kratos_layout(std::string root);
std::shared_ptr<const Layout> make_go_zero_layout(std::string root);
std::shared_ptr<const Layout> make_goms_layout(std::string project);
std::shared_ptr<const Layout> make_go_garden_layout(std::string project);

// The same on every machine, as it ends in keys: FNV-1a, 64 bits.
std::uint64_t stable_hash(std::string_view text) noexcept;

// INVALID_ARGUMENT "service "x" cannot be registered in the layout kratos: <why>"
Error cannot_carry(std::string_view layout, const Service& record, std::string_view why);
// INVALID_ARGUMENT "the go-zero record under "key" is unusable: <why>"
Error malformed(std::string_view layout, std::string_view key, std::string_view why);

}  // namespace micro::registry
