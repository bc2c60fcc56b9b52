#pragma once

#include <optional>

#include <micro/context/context.hpp>
#include <micro/http/message.hpp>
#include <micro/task/task.hpp>

#include "http_exchange.hpp"
#include "memory_share.hpp"
#include "open_calls.hpp"

namespace micro::rpc {

class Worker;

// The life of a call that an HTTP exchange carries, whatever its messages look like. It has two ends that come in any order: the
// exchange is over, and the work has returned; after both the call is released. A call whose context is cancelled ends at once;
// what its work says later is dropped.
class HttpCarriedCall : public HttpCarrier {
 public:
  HttpCarriedCall(const HttpCarriedCall&) = delete;
  HttpCarriedCall& operator=(const HttpCarriedCall&) = delete;
  void detach(const Error& reason) final;

 protected:
  explicit HttpCarriedCall(Worker& worker) noexcept;
  ~HttpCarriedCall() = default;

  // Takes over the request and begins to count as a call under way.
  void take(HttpExchange& exchange, HttpHead& head);
  // For requests whose body is gathered: false when it is declared too large, and the call has been answered and released.
  bool admit(const HttpHead& head);
  // Deadline, metadata and request id, from the headers.
  Result<void> take_headers();
  // Adds to the body, within the limit for messages. False when that is exceeded, and the call has been answered and
  // released.
  bool gather(std::string_view data);
  // Ends a call whose work has not begun.
  void refuse(const Error& error) { finish(fail(error)); }
  // Begins the work, which may end before this returns.
  void start();

  // The work.
  virtual Task<Result<void>> run() = 0;
  // Tells the caller how it ended, and is to let go of the exchange: exchange_ is there, and null afterwards.
  virtual void end(Result<void> outcome) = 0;
  // The exchange is gone while the work goes on: what else refers to it forgets it.
  virtual void lost_exchange() {}
  // The exchange is gone or the call cancelled: whoever waits inside run() goes on.
  virtual void interrupt() {}
  // Nobody refers to the call any more: deletes it or gives it back.
  virtual void dispose() = 0;

  Worker& worker_;
  HttpExchange* exchange_ = nullptr;  // null once it is over
  Context context_;
  http::Request request_;

 private:
  Detached drive();
  void finish(Result<void> outcome);
  void on_cancel(const Error& reason);
  void release();

  OpenCall open_{context_};
  CancelCallback cancelled_;
  HeldBytes unfinished_;
  Abandoned::Ticket abandoned_;
  bool running_ = false;
  bool ending_ = false;  // end() is on the stack
  bool failed_ = false;
};

}  // namespace micro::rpc
