#include <micro/service/service.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/run_on.hpp>

#include "service_fixture.hpp"

namespace micro {
namespace {

using std::chrono::milliseconds;
using test::at;
using test::call;
using test::Echo;
using test::FakeRegistry;
using test::listed;
using test::quiet;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(Service, TwoInOneProcessCallEachOther) {
  const auto registry = std::make_shared<registry::Memory>();
  Service ping(quiet("ping", registry));
  Service pong(quiet("pong", registry));
  const auto ping_echo = std::make_shared<Echo>();
  const auto pong_echo = std::make_shared<Echo>();
  ping_echo->client = &ping.client();
  ping_echo->next = "pong";
  pong_echo->client = &pong.client();
  pong_echo->next = "ping";
  ping.handle(ping_echo);
  pong.handle(pong_echo);
  ASSERT_TRUE(ping.start());
  ASSERT_TRUE(pong.start());
  EXPECT_NE(ping.address(), pong.address());

  EXPECT_EQ(call(ping, "pong", "Say", "a"), "you said a");
  EXPECT_EQ(call(pong, "ping", "Say", "b"), "you said b");
  // Through a handler of the other one and back.
  EXPECT_EQ(call(ping, "pong", "Forward", "c"), "ping: you said c");
  EXPECT_EQ(call(pong, "ping", "Forward", "d"), "pong: you said d");
  EXPECT_THAT(listed(ping, *registry), ElementsAre("ping@latest " + ping.address(), "pong@latest " + pong.address()));

  pong.stop();
  EXPECT_THAT(listed(ping, *registry), ElementsAre("ping@latest " + ping.address()));
  const Result<std::string> gone = call(ping, "pong", "Say", "e");
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message(), HasSubstr("pong"));
  EXPECT_EQ(call(ping, "ping", "Say", "f"), "you said f") << "the other one goes on";
}

TEST(Service, AHandlerThatCallsOnWithItsContextKeepsItsOwnReplyHeaders) {
  const auto registry = std::make_shared<registry::Memory>();
  Service service(quiet("echo", registry));
  const auto echo = std::make_shared<Echo>();
  echo->client = &service.client();
  echo->next = "echo";
  service.handle(echo);
  ASSERT_TRUE(service.start());
  struct Run {
    static Task<void> once(Service& service, Metadata& headers, Metadata& trailers) {
      Context context;
      test::Text text;
      text.set_value("x");
      const rpc::CallOptions options;
      const rpc::Reply done =
          co_await service.client().call(context, "echo", "test.Echo", "Forward", codec::ref(text), codec::ref(text), options);
      if (!done) throw std::runtime_error(done.error().to_string());
      headers = context.reply_headers();
      trailers = context.reply_trailers();
    }
  };
  Metadata headers;
  Metadata trailers;
  service.run_on_loop(Run::once(service, headers, trailers));
  EXPECT_EQ(headers.get("x-forwarded-by"), "forward");
  EXPECT_FALSE(headers.contains("x-said")) << "what the other service answered is for the handler alone";
  EXPECT_FALSE(trailers.contains("x-end"));
}

TEST(Service, StartsAgainAfterAStop) {
  const auto registry = std::make_shared<registry::Memory>();
  Service service(quiet("echo", registry));
  service.handle(std::make_shared<Echo>());
  for (int round = 0; round < 3; ++round) {
    const Result<void> started = service.start();
    ASSERT_TRUE(started) << started.error().message();
    EXPECT_EQ(service.health().get(""), Health::Status::kServing);
    EXPECT_EQ(call(service, "echo", "Say", "x"), "you said x");
    EXPECT_THAT(listed(service, *registry), ElementsAre("echo@latest " + service.address()));
    service.stop();
    EXPECT_EQ(service.health().get(""), Health::Status::kNotServing);
  }
}

TEST(Service, CallsFromEveryLoop) {
  const auto registry = std::make_shared<registry::Memory>();
  ServiceOptions options = quiet("echo", registry);
  options.loops = 3;
  Service service(options);
  service.handle(std::make_shared<Echo>());
  ASSERT_TRUE(service.start());
  ASSERT_EQ(service.loops().size(), 3u);
  struct Run {
    static Task<void> once(Service& service, std::string& out) {
      Context context;
      test::Text text;
      text.set_value("x");
      const rpc::CallOptions options;
      const rpc::Reply done =
          co_await service.client().call(context, "echo", "test.Echo", "Say", codec::ref(text), codec::ref(text), options);
      out = done ? text.value() : done.error().to_string();
    }
  };
  for (std::size_t i = 0; i < 3; ++i) {
    std::string out;
    run_on(service.loops().loop(i), Run::once(service, out));
    EXPECT_EQ(out, "you said x") << i;
  }
}

TEST(Service, PublishesWhatItAnswers) {
  const auto registry = std::make_shared<registry::Memory>();
  ServiceOptions options = quiet("echo", registry);
  options.version = "1.2.3";
  options.advertise = "203.0.113.7:8080";
  options.metadata = {{"zone", "a"}};
  Service service(options);
  service.handle(std::make_shared<Echo>());
  ASSERT_TRUE(service.start());
  EXPECT_EQ(service.published_address(), "203.0.113.7:8080");
  EXPECT_THAT(service.address(), AllOf(StartsWith("127.0.0.1:"), Not("127.0.0.1:0")));

  struct Run {
    static Task<void> get(registry::Registry& registry, std::vector<registry::Service>& out) {
      Context context;
      out = (co_await registry.get_service(context, "echo")).value();
    }
  };
  std::vector<registry::Service> found;
  service.run_on_loop(Run::get(*registry, found));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].version, "1.2.3");
  ASSERT_EQ(found[0].nodes.size(), 1u);
  const registry::Node& node = found[0].nodes[0];
  EXPECT_THAT(node.id, StartsWith("echo-"));
  EXPECT_EQ(node.address, "203.0.113.7:8080");
  EXPECT_EQ(registry::property(node.metadata, "zone"), "a");
  EXPECT_EQ(registry::property(node.metadata, "protocol"), "mucp") << "for go-micro's clients";
  EXPECT_EQ(registry::property(node.metadata, "server"), "mucp");
  EXPECT_EQ(registry::property(node.metadata, "transport"), "http");
  EXPECT_EQ(registry::property(node.metadata, "protocols"), "grpc,http,mucp") << "for ours";
  ASSERT_EQ(found[0].endpoints.size(), 4u) << "health and reflection are not listed";
  const registry::Endpoint& say = found[0].endpoints[0];
  EXPECT_EQ(say.name, "Echo.Say");
  EXPECT_EQ(registry::property(say.metadata, "path"), "/test.Echo/Say");
  EXPECT_EQ(registry::property(say.metadata, "kind"), "unary");
  EXPECT_EQ(registry::property(say.metadata, "stream"), "");
  EXPECT_EQ(registry::property(say.metadata, "description"), "Says it again.");
  EXPECT_EQ(say.request.type, "StringValue");
}

TEST(Service, PublishesWhichMethodsStream) {
  struct Streams final : rpc::Handler {
    std::vector<rpc::Endpoint> endpoints() override {
      rpc::Endpoint endpoint;
      endpoint.service = "test.Streams";
      endpoint.method = "Watch";
      endpoint.kind = rpc::MethodKind::kServerStream;
      endpoint.request_type = endpoint.reply_type = &codec::message_type<google::protobuf::StringValue>();
      return {endpoint};
    }
  };
  const auto registry = std::make_shared<registry::Memory>();
  Service service(quiet("streams", registry));
  service.handle(std::make_shared<Streams>());
  ASSERT_TRUE(service.start());
  struct Run {
    static Task<void> get(registry::Registry& registry, std::vector<registry::Service>& out) {
      Context context;
      out = (co_await registry.get_service(context, "streams")).value();
    }
  };
  std::vector<registry::Service> found;
  service.run_on_loop(Run::get(*registry, found));
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0].endpoints.size(), 1u);
  EXPECT_EQ(registry::property(found[0].endpoints[0].metadata, "stream"), "true") << "go-micro's gateway looks for it";
  EXPECT_EQ(registry::property(found[0].endpoints[0].metadata, "kind"), "server_stream");
}

TEST(Service, WithoutRegistrationAnswersAtItsAddress) {
  const auto registry = std::make_shared<registry::Memory>();
  ServiceOptions options = quiet("echo", registry);
  options.register_node = false;
  Service service(options);
  service.handle(std::make_shared<Echo>());
  ASSERT_TRUE(service.start());
  EXPECT_THAT(listed(service, *registry), IsEmpty());
  EXPECT_EQ(call(service, "any name", "Say", "x", at(service)), "you said x");
}

Task<void> block_the_loop() {
  std::this_thread::sleep_for(milliseconds(150));  // what nobody may do; longer than the threshold
  co_return;
}

TEST(Service, SaysThatALoopWasBlocked) {
  testing::internal::CaptureStderr();
  {
    ServiceOptions options = quiet("echo", std::make_shared<registry::Memory>());
    options.register_node = false;
    options.log.level = log::Level::kWarn;
    Service service(options);
    ASSERT_TRUE(service.start());
    service.run_on_loop(block_the_loop());
    service.stop();
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("a loop was blocked; give long work to offload() loop=echo"));
}

TEST(Service, HandlerThatThrowsEndsOneCallOnly) {
  const auto registry = std::make_shared<registry::Memory>();
  Service service(quiet("echo", registry));
  service.handle(std::make_shared<Echo>());
  ASSERT_TRUE(service.start());
  const Result<std::string> thrown = call(service, "echo", "Throw", "secret");
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().code(), Code::kInternal);
  EXPECT_THAT(thrown.error().message(), AllOf(HasSubstr("test.Echo/Throw"), HasSubstr("server's log"), Not(HasSubstr("secret"))));
  EXPECT_EQ(call(service, "echo", "Say", "x"), "you said x");
}

TEST(Service, RefusesMessagesThatAreTooLarge) {
  const auto registry = std::make_shared<registry::Memory>();
  ServiceOptions options = quiet("echo", registry);
  options.server.max_receive_message_size = 1000;
  Service server(options);
  server.handle(std::make_shared<Echo>());
  ASSERT_TRUE(server.start());
  ServiceOptions small = quiet("caller", registry);
  small.client.max_receive_message_size = 500;
  small.client.max_send_message_size = 2000;
  Service caller(small);
  ASSERT_TRUE(caller.start());

  const struct {
    std::size_t size;
    const char* where;
  } cases[] = {{3000, "sent"}, {1500, "server"}, {700, "received"}};
  for (const auto& each : cases) {
    const Result<std::string> refused = call(caller, "echo", "Say", std::string(each.size, 'x'));
    ASSERT_FALSE(refused) << each.where;
    EXPECT_EQ(refused.error().code(), Code::kResourceExhausted) << each.where;
    EXPECT_THAT(refused.error().message(), testing::ContainsRegex("(500|1000|2000)")) << "the limit is named: " << each.where;
  }
  EXPECT_EQ(call(caller, "echo", "Say", "x"), "you said x");
}

TEST(Service, DeadlineOfTheServerHolds) {
  const auto registry = std::make_shared<registry::Memory>();
  ServiceOptions options = quiet("echo", registry);
  options.server.request_timeout = milliseconds(1);
  Service service(options);
  const auto echo = std::make_shared<Echo>();
  service.handle(echo);
  ASSERT_TRUE(service.start());
  rpc::CallOptions patient;
  patient.timeout = std::chrono::hours(1);
  const Result<std::string> late = call(service, "echo", "Hang", "x", patient);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
  service.stop();
  EXPECT_EQ(echo->cancelled_calls, 1);
}

TEST(Service, DoesNotStartWithLimitsOutOfRange) {
  ServiceOptions options = quiet("echo", std::make_shared<registry::Memory>());
  options.server.http2.max_resets = 0;
  Service service(options);
  const Result<void> started = service.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(started.error().message(), testing::HasSubstr("option http2.max_resets is 0"));
}

// Makes a call that hangs, from a thread of its own.
class HangingCall {
 public:
  HangingCall(Service& from, Service& to, Echo& echo)
      : thread_([&] {
          rpc::CallOptions options = at(to);
          options.timeout = std::chrono::hours(1);
          result_ = call(from, "echo", "Hang", "done", options);
        }) {
    echo.hanging.wait_for(1);
  }
  const Result<std::string>& join() {
    thread_.join();
    return result_;
  }

 private:
  Result<std::string> result_;
  std::thread thread_;
};

TEST(ServiceStop, SaysNotServingThenLeavesThenDrains) {
  const auto registry = std::make_shared<FakeRegistry>();
  Service caller(quiet("caller", registry));
  ASSERT_TRUE(caller.start());
  Service service(quiet("echo", registry));
  const auto echo = std::make_shared<Echo>();
  service.handle(echo);
  ASSERT_TRUE(service.start());
  HangingCall hanging(caller, service, *echo);

  std::vector<Health::Status> at_deregistration;
  registry->on_deregister = [&] {
    at_deregistration = {service.health().get(""), service.health().get("test.Echo")};
    echo->released = true;  // from here on the call may end
  };
  service.stop();
  EXPECT_THAT(at_deregistration, ElementsAre(Health::Status::kNotServing, Health::Status::kNotServing));
  EXPECT_EQ(hanging.join(), "done") << "the call under way ends well";
  EXPECT_EQ(echo->cancelled_calls, 0);
  registry->on_deregister = nullptr;
}

TEST(ServiceStop, CancelsWhatDoesNotEndInTime) {
  const auto registry = std::make_shared<registry::Memory>();
  Service caller(quiet("caller", registry));
  ASSERT_TRUE(caller.start());
  ServiceOptions options = quiet("echo", registry);
  options.drain_timeout = milliseconds(1);
  Service service(options);
  const auto echo = std::make_shared<Echo>();
  service.handle(echo);
  ASSERT_TRUE(service.start());
  HangingCall hanging(caller, service, *echo);
  service.stop();
  const Result<std::string>& result = hanging.join();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kUnavailable) << result.error().message();
  EXPECT_EQ(echo->cancelled_calls, 1);
}

TEST(ServiceStop, OfARegistryThatIsDownIsStillAStop) {
  const auto registry = std::make_shared<FakeRegistry>();
  Service service(quiet("echo", registry));
  service.handle(std::make_shared<Echo>());
  ASSERT_TRUE(service.start());
  registry->down = true;
  service.stop();
  EXPECT_EQ(registry->deregistered.get(), 3) << "it has tried";
}

TEST(ServiceStop, TwiceOrWithoutStartDoesNothing) {
  Service service(quiet("echo", std::make_shared<registry::Memory>()));
  service.stop();
  ASSERT_TRUE(service.start());
  service.stop();
  service.stop();
}

TEST(ServiceStop, HappensInTheDestructor) {
  const auto registry = std::make_shared<FakeRegistry>();
  {
    Service service(quiet("echo", registry));
    ASSERT_TRUE(service.start());
  }
  EXPECT_EQ(registry->deregistered.get(), 1);
}

}  // namespace
}  // namespace micro
