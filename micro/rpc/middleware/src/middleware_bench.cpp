// What the middleware every service has adds to a call: a handler that does nothing, alone and behind them.
#include <benchmark/benchmark.h>

#include <memory>

#include <micro/call/chain.hpp>
#include <micro/loop/loop.hpp>
#include <micro/middleware/access_log.hpp>
#include <micro/middleware/deadline.hpp>
#include <micro/middleware/recovery.hpp>

namespace micro::rpc {
namespace {

class Nothing final : public CallHandler {
 public:
  Task<Reply> handle(Context&, Call&) override { co_return Reply{}; }
};

Task<void> call_many(Loop& loop, const MiddlewareChain& chain, bool with_deadline, benchmark::State& state) {
  Nothing last;
  Context context;
  Call call{.service = "greeter.Greeter", .method = "Hello", .kind = MethodKind::kUnary, .protocol = Protocol::kGrpc};
  for (auto _ : state) {
    // As a server does for each call.
    context.reset();
    if (with_deadline) context.set_deadline(loop.now() + std::chrono::seconds(10));
    const Reply reply = co_await chain.run(context, call, last);
    benchmark::DoNotOptimize(&reply);
  }
  loop.stop();
}

void run(benchmark::State& state, const MiddlewareChain& chain, bool with_deadline) {
  Loop loop;
  loop.post_remote([&] { spawn(call_many(loop, chain, with_deadline, state)); });
  loop.run();
}

void BM_NoMiddleware(benchmark::State& state) { run(state, MiddlewareChain(), false); }
BENCHMARK(BM_NoMiddleware);

// Recovery, deadline and an access log whose level is off. Arg: whether the caller gave a deadline, for which a timer is set.
void BM_UsualMiddleware(benchmark::State& state) {
  log::Logger logger(log::Logger::Options{.level = log::Level::kWarn});
  MiddlewareChain chain;
  chain.add(recovery(logger));
  chain.add(deadline(Duration::zero()));
  chain.add(access_log(logger));
  run(state, chain, state.range(0) != 0);
}
BENCHMARK(BM_UsualMiddleware)->Arg(0)->Arg(1);

}  // namespace
}  // namespace micro::rpc
