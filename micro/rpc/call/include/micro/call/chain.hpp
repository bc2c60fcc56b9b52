#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <micro/call/call.hpp>

namespace micro::rpc {

// Middleware in order: the first one is outermost. Filled before use, then shared by all loops.
class MiddlewareChain {
 public:
  void add(std::shared_ptr<Middleware> middleware) { middleware_.push_back(std::move(middleware)); }
  std::size_t size() const noexcept { return middleware_.size(); }
  const Middleware& operator[](std::size_t index) const noexcept { return *middleware_[index]; }

  // Sends a call through all of them to `last`. Both must outlive the task.
  Task<Reply> run(Context& context, Call& call, CallHandler& last) const { return Next(*this, 0, last)(context, call); }

 private:
  friend class Next;
  std::vector<std::shared_ptr<Middleware>> middleware_;
};

}  // namespace micro::rpc
