#pragma once

#include <micro/call/call.hpp>
#include <micro/codec/codec.hpp>
#include <micro/context/context.hpp>
#include <micro/http/message.hpp>
#include <micro/server/http_routes.hpp>
#include <micro/task/task.hpp>

#include "open_calls.hpp"

namespace micro::rpc {

class Worker;

// One HTTP request on a server, whichever version brought it: a call of an endpoint with a JSON (or protobuf) body, or a plain
// route. Made with new; deletes itself when it has answered (or its owner is gone) and its handler has returned.
class HttpCall {
 public:
  // Whoever received the request.
  class Owner {
   public:
    // Comes once, perhaps before start() returns; the owner forgets the call then.
    virtual void answer(http::Response& response) = 0;

   protected:
    ~Owner() = default;
  };

  HttpCall(Worker& worker, Owner& owner, const std::string& peer);
  HttpCall(const HttpCall&) = delete;
  HttpCall& operator=(const HttpCall&) = delete;

  // To be filled before start().
  http::Request& request() noexcept { return request_; }
  void start();
  // The owner is gone: nobody waits for the answer, and the handler is cancelled.
  void detach(const Error& reason);

 private:
  ~HttpCall();
  Detached drive();
  Task<Result<http::Response>> dispatch();
  Task<Result<http::Response>> call_endpoint(const Endpoint& endpoint);
  Result<void> take_headers();
  void answer(http::Response response);
  void on_cancel(const Error& reason);

  Worker& worker_;
  Owner* owner_;
  Context context_;
  OpenCall open_{context_};
  http::Request request_;
  CancelCallback cancelled_;
  bool running_ = false;
  bool failed_ = false;
};

}  // namespace micro::rpc
