#include <micro/middleware/access_log.hpp>

#include <micro/loop/loop.hpp>

namespace micro::rpc {
namespace {

log::Level level_of(Code code) noexcept {
  switch (code) {
    case Code::kOk:
      return log::Level::kDebug;
    case Code::kUnknown:
    case Code::kInternal:
    case Code::kDataLoss:
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return log::Level::kWarn;
    default:
      return log::Level::kInfo;
  }
}

class AccessLog final : public Middleware {
 public:
  explicit AccessLog(log::Logger& logger) : logger_(logger) {}
  std::string_view name() const noexcept override { return "access_log"; }

  Task<Reply> handle(Context& context, Call& call, Next next) override {
    if (!logger_.enabled(log::Level::kWarn)) return next(context, call);  // nothing would be written
    return logged(context, call, next);
  }

 private:
  Task<Reply> logged(Context& context, Call& call, Next next) {
    // The loop's clock: reading the real one twice would cost more than the rest of this.
    const TimePoint start = Loop::current()->now();
    Reply reply = co_await next(context, call);
    const Code code = reply ? Code::kOk : reply.error().code();
    const log::Level level = level_of(code);
    if (logger_.enabled(level)) write(level, code, start, context, call, reply);
    co_return reply;
  }

  void write(log::Level level, Code code, TimePoint start, const Context& context, const Call& call, const Reply& reply) {
    const double milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    logger_.write(level, "call",
                  {{"service", call.service},
                   {"method", call.method},
                   {"protocol", to_string(call.protocol)},
                   {"peer", context.peer()},
                   {"code", to_string(code)},
                   {"ms", milliseconds},
                   {"request_id", context.request_id()},
                   {"error", reply ? std::string_view{} : std::string_view(reply.error().message())}});
  }

  log::Logger& logger_;
};

}  // namespace

std::shared_ptr<Middleware> access_log(log::Logger& logger) { return std::make_shared<AccessLog>(logger); }

}  // namespace micro::rpc
