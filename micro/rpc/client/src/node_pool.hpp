#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/coro/waiter.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/uri/uri.hpp>

#include "method_blocks.hpp"

namespace micro::client {

class Connection;
class Slot;

// The connections of one loop to one node, and those who wait for a free stream on one of them.
//
// Lives as long as a Snapshot lists the node or one of its connections is open.
class NodePool {
 public:
  // `secure`: its connections speak TLS.
  NodePool(Slot& slot, std::string address, bool secure);
  NodePool(const NodePool&) = delete;
  NodePool& operator=(const NodePool&) = delete;
  ~NodePool();

  Slot& slot() const noexcept { return slot_; }
  const std::string& address() const noexcept { return address_; }
  bool secure() const noexcept { return secure_; }
  const Result<Address>& parsed() const noexcept { return parsed_; }
  MethodBlocks& blocks() noexcept { return blocks_; }

  // Uses by snapshots. The last release() closes the connections when their calls have ended, and may destroy the pool.
  void acquire() noexcept { ++uses_; }
  void release();

  // A connection on which a stream can be opened now, or nullptr: then wait() for one. `granted`: the caller has waited.
  // Nobody overtakes those who wait.
  Connection* take(bool granted);
  // The caller of take() has not opened a stream after all.
  void give_back() { wake_waiters(); }

  // `Result<void> room = co_await pool.wait(context)`: success is a grant that has to be used with take(true) at once (which may
  // still find that the connection has died meanwhile). Connects when that is needed. Errors: the context's end, or why the
  // attempt to connect failed, which all who wait share.
  class Waiting {
   public:
    Waiting(NodePool& pool, Context& context) noexcept : pool_(pool), context_(context) {}
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle);
    Result<void> await_resume();

   private:
    friend class NodePool;
    NodePool& pool_;
    Context& context_;
    Waiter waiter_;
    std::optional<Error> error_;
    bool queued_ = false;
    Waiting* next_ = nullptr;
    Waiting* previous_ = nullptr;
  };
  Waiting wait(Context& context) noexcept { return Waiting(*this, context); }

  // Whether the last attempt to connect failed: other nodes are to be preferred.
  bool failing() const noexcept { return failing_; }
  // Of a failing node: tries again in the background when its pause is over.
  void probe();

  // Ends every connection and everybody who waits.
  void abort(const Error& reason);

  // --- What its connections tell ---
  void on_ready(Connection& connection);
  void on_connect_failed(Connection& connection, const Error& error);
  // A stream has ended or the peer allows more of them.
  void on_room() {
    if (first_ != nullptr) wake_waiters();
  }
  // No new streams on it; it is still open.
  void on_leave(Connection& connection);
  // It is being destroyed. May destroy the pool.
  void on_gone(Connection& connection);

 private:
  void wake_waiters();
  void fail_waiters(const Error& error);
  void connect();
  void connect_if_needed();
  std::size_t room() const noexcept;
  void push(Waiting& waiting) noexcept;
  void remove(Waiting& waiting) noexcept;

  Slot& slot_;
  const std::string address_;
  const bool secure_;
  const Result<Address> parsed_;
  MethodBlocks blocks_;
  std::size_t uses_ = 0;
  std::vector<Connection*> usable_;  // ready or connecting
  std::vector<Connection*> all_;     // and those that are going away
  std::size_t connecting_ = 0;
  Waiting* first_ = nullptr;
  Waiting* last_ = nullptr;
  std::size_t granted_ = 0;  // who was woken and has not called take() yet
  bool failing_ = false;
  Duration pause_{};
  TimePoint retry_at_{};
};

}  // namespace micro::client
