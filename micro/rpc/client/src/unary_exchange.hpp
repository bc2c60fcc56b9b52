#pragma once

#include <coroutine>

#include "exchange.hpp"

namespace micro::client {

// One attempt of a unary call. The reply is decoded as it arrives, from where it was read into.
//
//   UnaryExchange exchange(info, reply);
//   exchange.start(connection, request);
//   co_await exchange;
class UnaryExchange final : public Exchange {
 public:
  UnaryExchange(const CallInfo& info, codec::MessageRef reply) noexcept : Exchange(info), reply_(reply) {}

  void start(Connection& connection, codec::MessageRef request) { open(connection, request); }

  bool await_ready() const noexcept { return ended(); }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter_ = handle; }
  void await_resume() const noexcept {}

 private:
  void take_data(std::string_view data) override;
  Result<void> check_complete() override;
  void on_end() override;

  const codec::MessageRef reply_;
  bool has_reply_ = false;
  std::coroutine_handle<> waiter_;
};

}  // namespace micro::client
