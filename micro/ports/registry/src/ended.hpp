#pragma once

#include <optional>

#include <micro/context/context.hpp>

namespace micro::registry {

// Why `context` has ended: its reason when it was cancelled, DEADLINE_EXCEEDED when its time has run out; nullopt while it goes
// on.
std::optional<Error> ended(const Context& context);
// The same as watchers report it: always CANCELLED, with the reason as cause.
std::optional<Error> watch_ended(const Context& context);
// What next() answers after stop().
Error watcher_stopped();

}  // namespace micro::registry
