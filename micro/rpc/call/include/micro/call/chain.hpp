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

inline Task<Reply> Next::operator()(Context& context, Call& call) const {
  if (index_ == chain_->middleware_.size()) return last_->handle(context, call);
  return chain_->middleware_[index_]->handle(context, call, Next(*chain_, index_ + 1, *last_));
}

}  // namespace micro::rpc
