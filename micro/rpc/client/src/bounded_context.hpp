#pragma once

#include <micro/context/context.hpp>
#include <micro/coro/deadline.hpp>

#include "exchange.hpp"
#include "slot.hpp"

namespace micro::client {

// The context of what a call does outside of an HTTP/2 stream: ends with the caller's, at the deadline of the call, and when the
// client stops. Outlived by `info`.
class BoundedContext {
 public:
  explicit BoundedContext(const CallInfo& info) : context_(info.context) {
    if (info.deadline) context_.set_deadline(*info.deadline);
    deadline_.watch(context_, info.slot.loop());
    stopping_.link(
        info.slot.stopping(),
        [](void* self, const Error& reason) { static_cast<BoundedContext*>(self)->context_.cancel(reason); }, this);
  }
  Context& get() noexcept { return context_; }

 private:
  Context context_;
  ContextDeadline deadline_;
  CancelCallback stopping_;
};

}  // namespace micro::client
