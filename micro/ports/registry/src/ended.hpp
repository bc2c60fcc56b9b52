#pragma once

#include <optional>

#include <micro/context/context.hpp>
#include <micro/registry/back_end.hpp>

namespace micro::registry {

// ended() as watchers report it: always CANCELLED, with the reason as cause.
std::optional<Error> watch_ended(const Context& context);
// What next() answers after stop().
Error watcher_stopped();

}  // namespace micro::registry
