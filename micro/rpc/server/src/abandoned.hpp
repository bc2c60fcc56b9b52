#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace micro::rpc {

// How many handlers of a connection go on although their streams are gone. A stream is closed as soon as its peer resets it or
// its deadline passes, a handler when it notices; without a count of these, a peer that opens streams only to leave them could
// have any number of handlers at work.
class Abandoned {
 public:
  // Held by the call until its handler has returned, which may be long after the connection.
  class Ticket {
   public:
    Ticket() = default;
    explicit Ticket(std::shared_ptr<std::size_t> count) noexcept : count_(std::move(count)) { ++*count_; }
    Ticket(Ticket&& other) noexcept : count_(std::move(other.count_)) {}
    Ticket& operator=(Ticket&& other) noexcept {
      reset();
      count_ = std::move(other.count_);
      return *this;
    }
    ~Ticket() { reset(); }
    void reset() noexcept {
      if (!count_) return;
      --*count_;
      count_.reset();
    }

   private:
    std::shared_ptr<std::size_t> count_;
  };

  Ticket add() {
    if (!count_) count_ = std::make_shared<std::size_t>(0);
    return Ticket(count_);
  }
  std::size_t size() const noexcept { return count_ ? *count_ : 0; }

 private:
  std::shared_ptr<std::size_t> count_;
};

}  // namespace micro::rpc
