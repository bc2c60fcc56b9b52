#include "ended.hpp"

#include <utility>

namespace micro::registry {

std::optional<Error> ended(const Context& context) {
  if (context.cancelled()) return context.error().value_or(cancelled("the call was cancelled"));
  if (context.deadline() && *context.deadline() <= Clock::now()) {
    return deadline_exceeded("the deadline of the call passed before the registry was asked");
  }
  return std::nullopt;
}

std::optional<Error> watch_ended(const Context& context) {
  std::optional<Error> reason = ended(context);
  if (!reason) return std::nullopt;
  return cancelled("the watch ended with its context").with_cause(std::move(*reason));
}

Error watcher_stopped() { return cancelled("the watcher was stopped"); }

}  // namespace micro::registry
