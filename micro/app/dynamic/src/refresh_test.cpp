#include <micro/coro/when_all.hpp>
#include <micro/dynamic/caller.hpp>

#include "test_node.hpp"

// When the schema is fetched, and by whom.
namespace micro::dynamic {
namespace {

const DynamicCallerOptions kEager{.refresh_interval = {}};
const DynamicCallerOptions kPatient{.refresh_interval = std::chrono::hours(1)};

class RefreshTest : public DynamicTest {
 protected:
  // Keeps it until the end of the test.
  Node& serve(std::shared_ptr<rpc::Handler> handler) { return *nodes_.emplace_back(make_node({std::move(handler)})); }
  ~RefreshTest() override {
    for (const auto& node : nodes_) stop(*node);
  }
  int fetches() const {
    int sum = 0;
    for (const auto& node : nodes_) sum += node->reflection ? node->reflection->calls : 0;
    return sum;
  }

  std::vector<std::unique_ptr<Node>> nodes_;
};

TEST_F(RefreshTest, NodesOfTheSameVersionKeepTheSchema) {
  DynamicCaller caller(client_, cache_, kEager);
  Node& first = serve(std::make_shared<Greeting>("one"));
  join(first);
  ASSERT_TRUE(call(caller, "Greeter.Hello", "{}"));
  join(serve(std::make_shared<Greeting>("two")));
  ASSERT_TRUE(call(caller, "Greeter.Hello", "{}"));
  leave(first);
  EXPECT_EQ(call(caller, "Greeter.Hello", "{}").value_or("error"), R"({"message":"Hello ","count":0,"nodeName":"two"})");
  EXPECT_EQ(fetches(), 1);
}

TEST_F(RefreshTest, AnotherVersionBringsItsSchema) {
  DynamicCaller caller(client_, cache_, kPatient);
  Node& old = serve(std::make_shared<Greeting>("old"));
  join(old, "1");
  ASSERT_TRUE(call(caller, "Greeter.Hello", "{}"));
  Node& fresh = serve(std::make_shared<NewGreeting>());
  join(fresh, "2");
  leave(old);
  EXPECT_EQ(call(caller, "Greeter.Hello", R"({"title":"Mr"})").value_or("error"), R"({"message":"new"})");
  EXPECT_EQ(fetches(), 2);
  EXPECT_EQ(fresh.reflection->calls, 1);
}

TEST_F(RefreshTest, WhatDoesNotFitIsLookedUpAgain) {
  DynamicCaller caller(client_, cache_, kEager);
  Node& old = serve(std::make_shared<Greeting>("old"));
  join(old);
  ASSERT_TRUE(call(caller, "Greeter.Hello", "{}"));
  join(serve(std::make_shared<NewGreeting>()));  // says it is of the same version
  leave(old);
  EXPECT_EQ(call(caller, "Greeter.Wave", "{}").value_or("error"), R"({"message":"new"})");
  EXPECT_EQ(fetches(), 2);
  EXPECT_EQ(call(caller, "Greeter.Hello", R"({"title":"Mr"})").value_or("error"), R"({"message":"new"})");
  EXPECT_EQ(fetches(), 2);

  // An unknown field as well; text that is no JSON at all is not the schema's fault.
  EXPECT_THAT(call(caller, "Greeter.Hello", R"({"nothing":1})").error().message(), testing::HasSubstr("nothing"));
  EXPECT_EQ(fetches(), 3);
  EXPECT_FALSE(call(caller, "Greeter.Hello", "{]"));
  EXPECT_EQ(fetches(), 3);
}

TEST_F(RefreshTest, MistakesOfCallersDoNotFloodTheNode) {
  DynamicCaller caller(client_, cache_, kPatient);
  join(serve(std::make_shared<Greeting>("one")));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(call(caller, "Greeter.Nothing", "{}"));
  EXPECT_EQ(fetches(), 1);
}

TEST_F(RefreshTest, TheLastGoodSchemaStaysWhileNoNodeTells) {
  DynamicCaller caller(client_, cache_, kPatient);
  Node& one = serve(std::make_shared<Greeting>("one"));
  join(one, "1");
  ASSERT_TRUE(call(caller, "Greeter.Hello", "{}"));
  const auto mute = make_node_without_reflection({std::make_shared<Greeting>("mute")});
  join(*mute, "2");
  leave(one);
  EXPECT_EQ(call(caller, "Greeter.Hello", "{}").value_or("error"), R"({"message":"Hello ","count":0,"nodeName":"mute"})");
  EXPECT_TRUE(call(caller, "Greeter.Hello", "{}"));
  leave(*mute);
  const auto reply = call(caller, "Greeter.Hello", "{}");
  ASSERT_FALSE(reply) << "no node at all";
  EXPECT_EQ(reply.error().code(), Code::kNotFound);
  stop(*mute);
}

TEST_F(RefreshTest, CallsAtTheSameTimeShareOneFetch) {
  DynamicCaller caller(client_, cache_);
  join(serve(std::make_shared<Greeting>("one")));
  auto run = [&]() -> Task<void> {
    Context context;
    const rpc::CallOptions options;
    std::vector<Task<Result<std::string>>> calls;
    for (int i = 0; i < 20; ++i) calls.push_back(caller.call_json(context, "greeter", "Greeter.Hello", "{}", options));
    const auto replies = co_await when_all(std::move(calls));
    for (const auto& reply : replies) EXPECT_TRUE(reply);
  };
  on(run());
  EXPECT_EQ(fetches(), 1);
}

TEST_F(RefreshTest, OneWhoGivesUpDoesNotTakeTheOthersAlong) {
  DynamicCaller caller(client_, cache_);
  Node& node = serve(std::make_shared<Greeting>("one"));
  join(node);
  auto run = [&]() -> Task<void> {
    node.reflection->may_go.reset();
    const rpc::CallOptions options;
    Context impatient;
    Context patient;
    Context bored;
    auto impatient_call = [&]() -> Task<void> {
      const auto reply = co_await caller.call_json(impatient, "greeter", "Greeter.Hello", "{}", options);
      EXPECT_EQ(reply.error().code(), Code::kCancelled);
    };
    auto patient_call = [&]() -> Task<void> {
      const auto reply = co_await caller.call_json(patient, "greeter", "Greeter.Hello", "{}", options);
      EXPECT_TRUE(reply);
    };
    auto bored_call = [&]() -> Task<void> {
      const auto reply = co_await caller.call_json(bored, "greeter", "Greeter.Hello", "{}", options);
      EXPECT_EQ(reply.error().message(), "enough");
    };
    auto director = [&]() -> Task<void> {
      co_await node.reflection->has_come.wait();
      bored.cancel(cancelled("enough"));
      node.reflection->has_come.reset();
      impatient.cancel(cancelled("no time"));
      // Now the patient one fetches by itself.
      co_await node.reflection->has_come.wait();
      node.reflection->may_go.set();
    };
    co_await when_all(impatient_call(), patient_call(), bored_call(), director());
  };
  on(run());
  EXPECT_EQ(fetches(), 2);
}

// Calls in flight keep the schema they began with, also when it is replaced meanwhile.
TEST_F(RefreshTest, AReplacedSchemaOutlivesTheCallsThatUseIt) {
  DynamicCaller caller(client_, cache_, kEager);
  Node& node = serve(std::make_shared<Greeting>("one"));
  join(node);
  struct Held final : JsonSource {
    Task<Result<std::optional<std::string>>> next(Context&) override {
      if (std::exchange(given, true)) co_return std::nullopt;
      asked.set();
      co_await go_on.wait();
      co_return std::string(R"({"name":"late"})");
    }
    Event asked;
    Event go_on;
    bool given = false;
  };
  struct Keep final : JsonSink {
    Task<Result<void>> put(Context&, std::string json) override {
      got = std::move(json);
      co_return Result<void>{};
    }
    std::string got;
  };
  Held source;
  Keep sink;
  auto run = [&]() -> Task<void> {
    Context context;
    Context other;
    const rpc::CallOptions options;
    auto streaming = [&]() -> Task<void> {
      const Result<void> done = co_await caller.stream_json(context, "greeter", "Greeter.Chat", source, sink, options);
      EXPECT_TRUE(done);
    };
    auto replacing = [&]() -> Task<void> {
      co_await source.asked.wait();
      const auto reply = co_await caller.call_json(other, "greeter", "Greeter.Nothing", "{}", options);
      EXPECT_FALSE(reply);
      source.go_on.set();
    };
    co_await when_all(streaming(), replacing());
  };
  on(run());
  EXPECT_EQ(fetches(), 2);
  EXPECT_EQ(sink.got, R"({"message":"echo late","count":0,"nodeName":""})");
}

class LoopsTest : public DynamicTest {
 protected:
  LoopsTest() : DynamicTest(3) {}
};

TEST_F(LoopsTest, EveryLoopMayCall) {
  rpc::ServerOptions options;
  options.address.host = "127.0.0.1";
  rpc::Server server(loops_, options);
  ASSERT_TRUE(server.handle(rpc::reflection_service(server.endpoints())));
  ASSERT_TRUE(server.handle(rpc::health_service(health_)));
  ASSERT_TRUE(server.listen());
  server.accept();
  DynamicCaller caller(client_, cache_);
  rpc::CallOptions there;
  there.addresses.push_back(server.address().to_string());
  auto on_loop = [&](std::size_t i) -> Task<int> {
    Loop& home = *Loop::current();
    co_await loops_.loop(i).schedule();
    int good = 0;
    for (int n = 0; n < 20; ++n) {
      Context context;
      const auto reply = co_await caller.call_json(context, "health", "Health.Check", "{}", there);
      if (reply == R"({"status":"SERVING"})") ++good;
    }
    co_await home.schedule();
    co_return good;
  };
  auto run = [&]() -> Task<void> {
    const auto good = co_await when_all(on_loop(0), on_loop(1), on_loop(2));
    EXPECT_EQ(good, std::make_tuple(20, 20, 20));
    co_await server.stop(Clock::now());
  };
  on(run());
}

}  // namespace
}  // namespace micro::dynamic
