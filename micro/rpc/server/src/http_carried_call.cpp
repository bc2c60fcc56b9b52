#include "http_carried_call.hpp"

#include <utility>

#include <micro/grpc/fields.hpp>
#include <micro/grpc/timeout.hpp>
#include <micro/http/error.hpp>
#include <micro/http/status.hpp>

#include "worker.hpp"

namespace micro::rpc {
namespace {

Error too_large(std::size_t limit) {
  return http::error_with_status(http::status::kContentTooLarge, "HTTP_BODY_SIZE",
                                 "the request body is larger than the limit of " + std::to_string(limit) + " bytes");
}

}  // namespace

HttpCarriedCall::HttpCarriedCall(Worker& worker) noexcept : worker_(worker), unfinished_(worker.unfinished()) {}

void HttpCarriedCall::take(HttpExchange& exchange, HttpHead& head) {
  exchange_ = &exchange;
  exchange.attach(*this);
  swap(request_, head.request);
  context_.begin_serving(exchange.peer(), exchange.identity());
  cancelled_.link(
      context_.cancellation(), [](void* self, const Error& reason) { static_cast<HttpCarriedCall*>(self)->on_cancel(reason); },
      this);
  worker_.call_begun(open_);
}

Result<void> HttpCarriedCall::take_headers() {
  for (const Metadata::Entry entry : request_.headers) {
    if (equals_ignore_case(entry.key, "grpc-timeout")) {
      const Result<Duration> timeout = grpc::parse_timeout(entry.value);
      if (!timeout) return fail(invalid_argument(timeout.error().message()));
      context_.set_deadline(worker_.loop().now() + *timeout);
    } else if (Result<void> taken = grpc::take_field(entry.key, entry.value, context_.incoming()); !taken) {
      return fail(invalid_argument(taken.error().message()));
    }
  }
  context_.set_request_id(context_.metadata().get("x-request-id"));
  return {};
}

bool HttpCarriedCall::admit(const HttpHead& head) {
  const std::size_t limit = worker_.state().options.max_receive_message_size;
  if (head.content_length.value_or(0) <= limit) return true;
  worker_.counters().oversized.add();
  refuse(too_large(limit));
  return false;
}

bool HttpCarriedCall::gather(std::string_view data) {
  const std::size_t limit = worker_.state().options.max_receive_message_size;
  if (data.size() > limit - request_.body.size()) {
    worker_.counters().oversized.add();
    refuse(too_large(limit));
    return false;
  }
  request_.body += data;
  if (!unfinished_.set(request_.body.size())) {
    refuse(worker_.no_room());
    return false;
  }
  if (!data.empty()) exchange_->consumed(data.size());
  return true;
}

void HttpCarriedCall::start() {
  running_ = true;
  (void)unfinished_.set(0);
  const KeepResumeDepth keep;  // each call of a read batch has the budget to itself
  drive();
}

Detached HttpCarriedCall::drive() {
  Result<void> outcome;
  try {
    outcome = co_await run();
  } catch (...) {
    // The recovery middleware says more in the log; this is the net below it.
    outcome = fail(internal("the handler of " + request_.path + " failed with an exception"));
  }
  running_ = false;
  finish(std::move(outcome));
}

void HttpCarriedCall::finish(Result<void> outcome) {
  failed_ = failed_ || !outcome;
  if (exchange_ != nullptr) {
    ending_ = true;
    end(std::move(outcome));
    ending_ = false;
  }
  release();
}

void HttpCarriedCall::on_cancel(const Error& reason) {
  failed_ = true;
  worker_.count_cancelled(reason);
  if (ending_) return;
  if (!running_) return finish(fail(reason));
  if (exchange_ != nullptr) {
    abandoned_ = exchange_->abandon();
    ending_ = true;
    end(fail(reason));
    ending_ = false;
  }
  interrupt();
}

void HttpCarriedCall::detach(const Error& reason) {
  HttpExchange* const exchange = std::exchange(exchange_, nullptr);
  lost_exchange();
  if (ending_) return;
  if (running_ && exchange != nullptr) abandoned_ = exchange->abandon();
  if (running_) {
    context_.cancel(reason);
    return;
  }
  failed_ = true;
  release();
}

void HttpCarriedCall::release() {
  worker_.call_ended(open_, std::exchange(failed_, false));
  (void)unfinished_.set(0);
  cancelled_.unlink();
  abandoned_.reset();
  dispose();
}

}  // namespace micro::rpc
