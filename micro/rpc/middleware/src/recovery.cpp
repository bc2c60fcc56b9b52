#include <micro/middleware/recovery.hpp>

#include <exception>
#include <string>

namespace micro::rpc {
namespace {

class Recovery final : public Middleware {
 public:
  explicit Recovery(log::Logger& logger) : logger_(logger) {}
  std::string_view name() const noexcept override { return "recovery"; }

  Task<Reply> handle(Context& context, Call& call, Next next) override {
    std::string what;
    try {
      co_return co_await next(context, call);
    } catch (const std::exception& exception) {
      what = exception.what();
    } catch (...) {
      what = "an exception that is no std::exception";
    }
    const std::string method = std::string(call.service) + "/" + std::string(call.method);
    logger_.error("handler failed with an exception",
                  {{"method", method}, {"exception", what}, {"peer", context.peer()}, {"request_id", context.request_id()}});
    co_return fail(internal("the handler of " + method + " failed with an exception; the server's log says more"));
  }

 private:
  log::Logger& logger_;
};

}  // namespace

std::shared_ptr<Middleware> recovery(log::Logger& logger) { return std::make_shared<Recovery>(logger); }

}  // namespace micro::rpc
