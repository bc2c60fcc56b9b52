#include <micro/middleware/deadline.hpp>

#include <algorithm>

#include <micro/call/endpoint.hpp>
#include <micro/call/reasons.hpp>
#include <micro/coro/deadline.hpp>
#include <micro/loop/loop.hpp>
#include <micro/loop/timer.hpp>

namespace micro::rpc {
namespace {

class Deadline final : public Middleware {
 public:
  explicit Deadline(Duration limit) : limit_(limit) {}
  std::string_view name() const noexcept override { return "deadline"; }

  Task<Reply> handle(Context& context, Call& call, Next next) override {
    const Duration own = call.endpoint != nullptr && call.endpoint->timeout > Duration{} ? call.endpoint->timeout : limit_;
    if (own > Duration{}) {
      const TimePoint latest = Loop::current()->now() + own;
      if (!context.deadline() || latest < *context.deadline()) {
        context.set_deadline(latest);
        return limited(context, call, next);
      }
    }
    if (!context.deadline()) return next(context, call);
    return watched(context, call, next);
  }

 private:
  // By us, not by the caller, who is told so.
  static Task<Reply> limited(Context& context, Call& call, Next next) {
    Timer timer;
    timer.set(
        *Loop::current(), *context.deadline(),
        [](void* limited) {
          static_cast<Context*>(limited)->cancel(Error(Code::kDeadlineExceeded, std::string(kRequestTimeoutReason),
                                                       "the call took longer than this server allows (option request_timeout, "
                                                       "or the timeout of the method)"));
        },
        &context);
    co_return co_await next(context, call);
  }

  static Task<Reply> watched(Context& context, Call& call, Next next) {
    ContextDeadline watch(context);
    if (context.deadline() <= Loop::current()->now()) {
      // Too late before it began: the handler is not even called.
      co_return fail(deadline_exceeded("the deadline had passed when the call arrived"));
    }
    co_return co_await next(context, call);
  }

  Duration limit_;
};

}  // namespace

std::shared_ptr<Middleware> deadline(Duration limit) { return std::make_shared<Deadline>(limit); }

}  // namespace micro::rpc
