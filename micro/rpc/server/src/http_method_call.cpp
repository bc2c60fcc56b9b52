#include "http_method_call.hpp"

#include <utility>

#include "worker.hpp"

namespace micro::rpc {

HttpMethodCall::HttpMethodCall(Worker& worker, const Endpoint& endpoint, Protocol protocol)
    : HttpCarriedCall(worker),
      call_{.service = endpoint.service,
            .method = endpoint.method,
            .kind = endpoint.kind,
            .protocol = protocol,
            .idempotent = endpoint.idempotent,
            .endpoint = &endpoint} {
  if (!reads_stream()) {
    request_message_ = codec::MessagePtr(*endpoint.request_type);
    call_.request = request_message_.get();
  }
  if (!writes_stream()) {
    reply_message_ = codec::MessagePtr(*endpoint.reply_type);
    call_.reply = reply_message_.get();
  }
  if (endpoint.kind != MethodKind::kUnary) call_.stream = this;
}

Task<Result<void>> HttpMethodCall::run() {
  Reply reply = co_await worker_.state().chain.run(context_, call_, *endpoint().handler);
  if (!reply || !call_.reply || exchange_ == nullptr) co_return reply;
  co_return send_message(call_.reply);
}

void HttpMethodCall::interrupt() {
  readable_.set();
  writable_.set();
}

Task<Result<bool>> HttpMethodCall::read(codec::MessageRef message) {
  while (true) {
    if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
    const Result<Next> found = next(message);
    if (!found) co_return fail(found.error());
    if (*found != Next::kNothingYet) co_return *found == Next::kMessage;
    readable_.reset();
    co_await readable_.wait();
  }
}

Task<Result<void>> HttpMethodCall::write(codec::MessageRef message) {
  if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
  if (exchange_ == nullptr) co_return fail(cancelled("the call has ended"));
  if (Result<void> sent = send_message(message); !sent) co_return sent;
  while (exchange_ != nullptr && !context_.cancelled() && exchange_->congested()) {
    writable_.reset();
    exchange_->wake_when_writable();
    co_await writable_.wait();
  }
  if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
  co_return Result<void>{};
}

Task<Result<void>> HttpMethodCall::close_send() { co_return Result<void>{}; }

}  // namespace micro::rpc
