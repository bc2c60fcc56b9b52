#pragma once

#include <string>

#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/registry/record.hpp>
#include <micro/task/task.hpp>

namespace micro {

// Work of the user's at the turning points of a service's life: open a pool before the first call, close it after the last.
// Runs on the first loop; hooks run in the order they were added, on stopping in reverse.
class Hook {
 public:
  virtual ~Hook() = default;
  // The port is bound, nothing is accepted yet. An Error stops the start.
  virtual Task<Result<void>> before_start() { co_return Result<void>{}; }
  // Registered and ready.
  virtual Task<Result<void>> after_start() { co_return Result<void>{}; }
  // Before anything else of a stop. Errors are logged, the stop goes on.
  virtual Task<Result<void>> before_stop() { co_return Result<void>{}; }
  // Every call has ended and every connection is closed.
  virtual Task<Result<void>> after_stop() { co_return Result<void>{}; }

  // Whether others should call this node: asked before it is registered and before each renewal. While any hook answers an Error
  // the node is not in the registry, and is asked about every second, or every register_interval when that is shorter.
  // `context` ends after 5 s and when the service stops; who does not listen to it holds up the renewal.
  virtual Task<Result<void>> register_check(Context& context) {
    (void)context;
    co_return Result<void>{};
  }

  // A node of any service, this one included, is in the registry, or is there with another address; and is there no more, with
  // the record that was seen last. What services that are there already tell at the start comes as joins. While the registry
  // cannot be reached nobody joins or leaves. Must be quick, and must not throw.
  virtual void node_joined(const std::string& service, const registry::Node& node) { (void)service, (void)node; }
  virtual void node_left(const std::string& service, const registry::Node& node) { (void)service, (void)node; }
};

}  // namespace micro
