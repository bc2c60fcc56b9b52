#include <micro/builtin/health.hpp>

#include <thread>

#include <micro/coro/block_on.hpp>
#include <micro/health/health.hpp>
#include <micro/loop/group.hpp>

#include "fake_call.hpp"

namespace micro::rpc {
namespace {

using Status = Health::Status;

class HealthServiceTest : public testing::Test {
 protected:
  const Endpoint& method(std::string_view name) {
    return find_endpoint(endpoints_, "/grpc.health.v1.Health/" + std::string(name));
  }
  Result<std::string> call(std::string_view name, std::string_view json) {
    FakeCall fake(method(name), json);
    const Reply done = block_on(loop_, fake.run());
    if (!done) return fail(done.error());
    return fake.reply();
  }

  Loop loop_;
  Health health_;
  const std::shared_ptr<Handler> service_ = health_service(health_);
  const std::vector<Endpoint> endpoints_ = service_->endpoints();
};

TEST_F(HealthServiceTest, DescribesItself) {
  ASSERT_EQ(endpoints_.size(), 3U);
  EXPECT_EQ(method("Check").kind, MethodKind::kUnary);
  EXPECT_EQ(method("Watch").kind, MethodKind::kServerStream);
  EXPECT_EQ(method("Check").request_type->name(), "grpc.health.v1.HealthCheckRequest");
  EXPECT_EQ(method("Check").request_type->schema().values.front().name, "service");
  EXPECT_EQ(method("List").name(), "Health.List");
}

TEST_F(HealthServiceTest, CheckAnswersTheStatus) {
  health_.set("up", Status::kServing);
  health_.set("down", Status::kNotServing);
  health_.set("starting", Status::kUnknown);
  const std::pair<std::string_view, std::string_view> cases[] = {{R"({})", R"({"status":"SERVING"})"},
                                                                 {R"({"service":"up"})", R"({"status":"SERVING"})"},
                                                                 {R"({"service":"down"})", R"({"status":"NOT_SERVING"})"},
                                                                 {R"({"service":"starting"})", R"({"status":"UNKNOWN"})"}};
  for (const auto& [request, reply] : cases) EXPECT_EQ(call("Check", request).value_or("error"), reply) << request;
  health_.shutdown();
  EXPECT_EQ(call("Check", R"({"service":"up"})").value_or("error"), R"({"status":"NOT_SERVING"})");
}

TEST_F(HealthServiceTest, CheckOfAnUnknownServiceIsNotFound) {
  const auto reply = call("Check", R"({"service":"nobody"})");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kNotFound);
  EXPECT_EQ(reply.error().message(), "no health status is known for service \"nobody\"; \"\" stands for the whole process");
}

TEST_F(HealthServiceTest, ListsAllUpToALimit) {
  health_.set("greeter", Status::kNotServing);
  EXPECT_EQ(call("List", "{}").value_or("error"), R"({"statuses":{"":{"status":"SERVING"},"greeter":{"status":"NOT_SERVING"}}})");
  for (int i = 0; i < 100; ++i) health_.set("s" + std::to_string(i), Status::kServing);
  const auto reply = call("List", "{}");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kResourceExhausted);
}

TEST_F(HealthServiceTest, WatchTellsThePresentThenEachChange) {
  FakeCall watch(method("Watch"), R"({"service":"greeter"})");
  auto scenario = [&]() -> Task<void> {
    watch.start();
    std::string heard = co_await watch.stream.next();
    EXPECT_EQ(heard, R"({"status":"SERVICE_UNKNOWN"})");
    for (const Status status : {Status::kServing, Status::kNotServing, Status::kUnknown, Status::kServiceUnknown}) {
      health_.set("greeter", status);
      health_.set("other", status);
      heard = co_await watch.stream.next();
      EXPECT_EQ(heard, R"({"status":")" + std::string(to_string(status)) + R"("})");
    }
    health_.set("", Status::kNotServing);  // is nothing to a watch of another service
    health_.set("greeter", Status::kServing);
    heard = co_await watch.stream.next();
    EXPECT_EQ(heard, R"({"status":"SERVING"})");
    EXPECT_FALSE(watch.has_ended());

    watch.context.cancel(cancelled("the caller went away"));
    const Reply ended = co_await watch.end();
    EXPECT_EQ(ended.error().message(), "the caller went away");
    health_.set("greeter", Status::kNotServing);  // nobody listens any more
  };
  block_on(loop_, scenario());
  EXPECT_EQ(watch.stream.out.size(), 0U);
}

TEST_F(HealthServiceTest, AChangeAfterTheWatchEndedFindsNobody) {
  FakeCall watch(method("Watch"), "{}");
  auto scenario = [&]() -> Task<void> {
    watch.start();
    co_await watch.stream.next();
    // The news is on its way to the loop when the call ends.
    health_.set("", Status::kNotServing);
    watch.context.cancel(cancelled("the caller went away"));
    const Reply ended = co_await watch.end();
    EXPECT_FALSE(ended);
    co_await loop_.yield();
  };
  block_on(loop_, scenario());
}

TEST_F(HealthServiceTest, WatchEndsWhenItsPeerIsGone) {
  FakeCall watch(method("Watch"), "{}");
  watch.stream.refuse = true;
  const Reply ended = block_on(loop_, watch.run());
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message(), "the peer is gone");
}

TEST_F(HealthServiceTest, WatchEndsWithTheProcess) {
  health_.set("up", Status::kServing);
  health_.set("down", Status::kNotServing);
  struct Case {
    std::string_view request;
    std::vector<std::string> heard;
  };
  const Case cases[] = {{R"({"service":"up"})", {R"({"status":"SERVING"})", R"({"status":"NOT_SERVING"})"}},
                        {R"({"service":"down"})", {R"({"status":"NOT_SERVING"})"}},
                        {R"({"service":"nobody"})", {R"({"status":"SERVICE_UNKNOWN"})"}},
                        {R"({})", {R"({"status":"SERVING"})", R"({"status":"NOT_SERVING"})"}}};
  for (const Case& c : cases) {
    FakeCall watch(method("Watch"), c.request);
    std::vector<std::string> heard;
    auto scenario = [&]() -> Task<void> {
      watch.start();
      heard.push_back(co_await watch.stream.next());
      health_.shutdown();
      const Reply ended = co_await watch.end();
      EXPECT_EQ(ended.error().code(), Code::kUnavailable) << c.request;
      while (std::optional<std::string> more = watch.stream.out.try_receive()) heard.push_back(*more);
    };
    block_on(loop_, scenario());
    EXPECT_EQ(heard, c.heard) << c.request;

    // A watch that comes later ends without a message, so that its client waits before it tries again.
    FakeCall late(method("Watch"), c.request);
    const Reply ended = block_on(loop_, late.run());
    EXPECT_EQ(ended.error().code(), Code::kUnavailable);
    EXPECT_EQ(late.stream.out.size(), 0U);
    health_.resume();
  }
}

// Watches on two loops, changes from four other threads; each watch ends up with the last status.
TEST_F(HealthServiceTest, ChangesComeFromAnyThread) {
  LoopGroup loops({.size = 2});
  loops.start();
  struct Reader {
    static Task<void> follow(Loop& loop, const Endpoint& endpoint, std::string& last, std::atomic<int>& ready) {
      co_await loop.schedule();
      FakeCall watch(endpoint, R"({"service":"greeter"})");
      watch.start();
      last = co_await watch.stream.next();
      ++ready;
      while (last != R"({"status":"UNKNOWN"})") last = co_await watch.stream.next();
      watch.context.cancel(cancelled("enough"));
      const Reply ended = co_await watch.end();
      EXPECT_FALSE(ended);
      --ready;
    }
  };
  std::vector<std::string> last(6);
  std::atomic<int> ready = 0;
  for (std::size_t i = 0; i < last.size(); ++i) spawn(Reader::follow(loops.loop(i % 2), method("Watch"), last[i], ready));
  while (ready != static_cast<int>(last.size())) std::this_thread::yield();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([this, t] {
        for (int i = 0; i < 500; ++i) health_.set("greeter", (i + t) % 2 == 0 ? Status::kServing : Status::kNotServing);
      });
    }
  }
  health_.set("greeter", Status::kUnknown);
  while (ready != 0) std::this_thread::yield();
  loops.stop();
  loops.join();
  for (const std::string& status : last) EXPECT_EQ(status, R"({"status":"UNKNOWN"})");
}

}  // namespace
}  // namespace micro::rpc
