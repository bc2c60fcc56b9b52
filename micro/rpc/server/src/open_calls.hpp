#pragma once

#include <cstddef>
#include <utility>

#include <micro/context/context.hpp>

namespace micro::rpc {

// A call's place in the list of those under way. Lives in the call, beside its context.
class OpenCall {
 public:
  explicit OpenCall(Context& context) noexcept : context_(context) {}
  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;

 private:
  friend class OpenCalls;
  Context& context_;
  OpenCall* next_ = this;
  OpenCall* previous_ = this;
};

// The calls under way on one loop: a ring of links, so that beginning and ending one costs a few stores.
class OpenCalls {
 public:
  std::size_t size() const noexcept { return size_; }
  void add(OpenCall& call) noexcept {
    call.next_ = &anchor_;
    call.previous_ = std::exchange(anchor_.previous_, &call);
    call.previous_->next_ = &call;
    ++size_;
  }
  void remove(OpenCall& call) noexcept {
    call.next_->previous_ = call.previous_;
    call.previous_->next_ = call.next_;
    --size_;
  }
  // Every call there is now. One may end by it, and take others along.
  void cancel_all(const Error& reason) {
    for (std::size_t left = size_; left > 0 && size_ > 0; --left) {
      OpenCall& call = *anchor_.next_;
      remove(call);
      add(call);  // behind those still to be cancelled
      call.context_.cancel(reason);
    }
  }

 private:
  Context nobodys_;
  OpenCall anchor_{nobodys_};
  std::size_t size_ = 0;
};

}  // namespace micro::rpc
