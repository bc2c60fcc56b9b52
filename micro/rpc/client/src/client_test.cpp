#include <micro/client/client.hpp>

#include <google/protobuf/wrappers.pb.h>

#include <micro/codecs/protobuf.hpp>
#include <micro/coro/deadline.hpp>

#include "client_fixture.hpp"

namespace micro::client::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class ClientTest : public ClientFixture {};

TEST_F(ClientTest, AnswersAUnaryCall) {
  FakeServer& server = serve(hello);
  Context context;
  EXPECT_EQ(call(context, at(server)), "Hello John");
  EXPECT_EQ(context.peer(), server.address());
  EXPECT_EQ(call(at(server), ""), "Hello ");
  EXPECT_EQ(server.accepted, 1);
  EXPECT_EQ(client().counters().calls, 2U);
  EXPECT_EQ(client().counters().attempts, 2U);
  EXPECT_EQ(client().counters().failures, 0U);
  EXPECT_EQ(client().counters().open_connections, 1U);
}

TEST_F(ClientTest, SendsTheHeadersOfGrpc) {
  FakeServer& server = serve(hello);
  ASSERT_TRUE(call(at(server)));  // connecting takes some of the time
  ASSERT_TRUE(call(at(server)));
  const FakeCall& seen = *server.calls.at(1);
  EXPECT_EQ(seen.path, "/greeter.Greeter/Hello");
  EXPECT_EQ(seen.authority, server.address());
  EXPECT_THAT(seen.fields,
              UnorderedElementsAre(Pair("te", "trailers"), Pair("content-type", "application/grpc"),
                                   Pair("user-agent", StartsWith("grpc-micro-cpp/")),
                                   Pair("grpc-accept-encoding", "identity,deflate,gzip"), Pair("grpc-timeout", "5000000u")));
}

TEST_F(ClientTest, TheEarliestDeadlineTravels) {
  options_.request_timeout = seconds(3600);
  FakeServer& server = serve(hello);
  rpc::CallOptions options = at(server);
  options.timeout = seconds(50);
  ASSERT_TRUE(call(options));
  ASSERT_TRUE(call(options));
  EXPECT_EQ(server.calls.back()->field("grpc-timeout"), "50000000u");
  Context hurried;
  hurried.set_deadline(Clock::now() + seconds(2));
  ASSERT_TRUE(call(hurried, options));
  EXPECT_LE(server.calls.back()->field("grpc-timeout"), "2000000u");
}

TEST_F(ClientTest, SendsNoTimeoutWithoutADeadline) {
  options_.request_timeout = {};
  FakeServer& server = serve(hello);
  ASSERT_TRUE(call(at(server)));
  EXPECT_EQ(server.calls.at(0)->field("grpc-timeout"), "");
}

TEST_F(ClientTest, CarriesMetadataBothWays) {
  FakeServer& server = serve([](const FakeCallPtr& call) {
    call->headers({{"x-tenant", "acme"}, {"x-raw-bin", "AAH/"}, {"grpc-internal", "hidden"}});
    call->message("ok");
    call->trailers({{"x-cost", "7"}, {"grpc-status", "0"}});
  });
  Context context;
  context.outgoing().add("X-Trace", "abc");
  context.outgoing().add("x-bytes-bin", std::string("\0\1", 2));
  context.outgoing().add("te", "nonsense");
  ASSERT_EQ(call(context, at(server)), "ok");
  EXPECT_THAT(server.calls.at(0)->fields, AllOf(Contains(Pair("x-trace", "abc")), Contains(Pair("x-bytes-bin", "AAE")),
                                                Not(Contains(Pair("te", "nonsense")))));
  EXPECT_EQ(context.reply_headers(), (Metadata{{"x-tenant", "acme"}, {"x-raw-bin", std::string_view("\0\1\xff", 3)}}));
  EXPECT_EQ(context.reply_trailers(), (Metadata{{"x-cost", "7"}}));
  // A second call with the same context starts anew.
  server.on_request = hello;
  ASSERT_TRUE(call(context, at(server)));
  EXPECT_TRUE(context.reply_headers().empty());
}

TEST_F(ClientTest, SendsTheIdOfTheRequestOn) {
  FakeServer& server = serve(hello);
  Context ours;  // served by us, and the caller named no id
  ours.begin_serving("10.0.0.7:50122", nullptr);
  ASSERT_TRUE(call(ours, at(server)));
  ours.outgoing().add("x-request-id", "mine");
  ASSERT_TRUE(call(ours, at(server)));
  const auto with_id = [](const std::string& id) { return Contains(Pair("x-request-id", id)).Times(1); };
  EXPECT_THAT(server.calls.at(0)->fields, with_id(ours.request_id()));
  EXPECT_THAT(server.calls.at(1)->fields, with_id("mine"));
}

TEST_F(ClientTest, RefusesMetadataThatCannotTravel) {
  FakeServer& server = serve(hello);
  Context context;
  context.outgoing().add("x-note", "two\nlines");
  const Result<std::string> result = call(context, at(server));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kInternal);
  EXPECT_THAT(result.error().message(), HasSubstr("x-note"));
  EXPECT_TRUE(server.calls.empty());
}

TEST_F(ClientTest, GivesErrorsOfTheServiceUnchanged) {
  const Error wanted = Error(Code::kNotFound, "NO_USER", "no user \"Jörg\" 100%").with("tenant", "acme");
  FakeServer& server = serve([&](const FakeCallPtr& call) { call->error(wanted); });
  const Result<std::string> trailers_only = call(at(server));
  ASSERT_FALSE(trailers_only);
  EXPECT_EQ(trailers_only.error(), wanted);

  server.on_request = [](const FakeCallPtr& call) {
    call->headers();
    call->trailers({{"grpc-status", "7"}, {"grpc-message", "not%20yours"}});
  };
  const Result<std::string> with_trailers = call(at(server));
  ASSERT_FALSE(with_trailers);
  EXPECT_EQ(with_trailers.error(), permission_denied("not yours"));
  EXPECT_EQ(client().counters().failures, 2U);
  EXPECT_EQ(client().counters().retries, 0U);
}

TEST_F(ClientTest, ExplainsAnswersThatAreNoGrpc) {
  struct Case {
    FakeServer::Handler answer;
    Code code;
    std::string text;
  };
  const Case cases[] = {
      {[](const FakeCallPtr& c) { c->raw_headers({{":status", "404"}, {"content-type", "text/html"}}, true); },
       Code::kUnimplemented, "HTTP status 404, content-type text/html"},
      {[](const FakeCallPtr& c) { c->raw_headers({{":status", "401"}}, true); }, Code::kUnauthenticated, "HTTP status 401"},
      {[](const FakeCallPtr& c) { c->raw_headers({{":status", "200"}, {"content-type", "application/json"}}, false); },
       Code::kUnknown, "content-type application/json"},
      {[](const FakeCallPtr& c) { c->raw_headers({{":status", "200"}, {"content-type", "application/grpc+json"}}, false); },
       Code::kInternal, "answered in application/grpc+json"},
      {[](const FakeCallPtr& c) { c->headers({}, true); }, Code::kInternal, "without a status"},
      {[](const FakeCallPtr& c) { c->headers(), c->raw_data("", true); }, Code::kInternal, "without a status"},
      {[](const FakeCallPtr& c) { c->headers(), c->ok(); }, Code::kInternal, "status OK without a reply"},
      {[](const FakeCallPtr& c) { c->headers(), c->message("a"), c->message("b"), c->ok(); }, Code::kInternal,
       "more than one reply"},
      {[](const FakeCallPtr& c) { c->headers(), c->raw_data(std::string_view("\0\0\0\0\5ab", 7), false), c->ok(); },
       Code::kInternal, "message"},
      {[](const FakeCallPtr& c) { c->headers(), c->message("zipped?", true), c->ok(); }, Code::kInternal, "compressed"},
      {[](const FakeCallPtr& c) { c->headers({{"grpc-encoding", "br"}}), c->message("a"), c->ok(); }, Code::kInternal, "br"},
      {[](const FakeCallPtr& c) { c->headers({{"x-bin", "***"}}), c->message("a"), c->ok(); }, Code::kInternal, "x-bin"},
      {[](const FakeCallPtr& c) { c->reset(http2::ErrorCode::kInternalError); }, Code::kInternal, "INTERNAL_ERROR"},
      {[](const FakeCallPtr& c) { c->reset(http2::ErrorCode::kEnhanceYourCalm); }, Code::kResourceExhausted, "ENHANCE_YOUR_CALM"},
  };
  FakeServer& server = serve(hello);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    server.on_request = c.answer;
    const Result<std::string> result = call(at(server));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), c.code) << result.error().message();
    EXPECT_THAT(result.error().message(), AllOf(StartsWith("greeter.Greeter/Hello at " + server.address()), HasSubstr(c.text)));
  }
  server.on_request = hello;
  EXPECT_TRUE(call(at(server))) << "the connection has survived all that";
  EXPECT_EQ(server.accepted, 1);
}

TEST_F(ClientTest, TheDeadlineEndsTheCallHereAndThere) {
  FakeServer& server = serve(nullptr);
  rpc::CallOptions options = at(server);
  options.timeout = milliseconds(30);
  const Result<std::string> result = call(options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), deadline_exceeded("greeter.Greeter/Hello at " + server.address() + ": no answer within 30ms"));
  run_until([&] { return server.calls.at(0)->was_reset; });
  EXPECT_EQ(server.calls.at(0)->reset_code, http2::ErrorCode::kCancel);
}

TEST_F(ClientTest, ADeadlineThatHasPassedSendsNothing) {
  FakeServer& server = serve(hello);
  ASSERT_TRUE(call(at(server)));
  Context context;
  context.set_deadline(Clock::now() - seconds(1));
  const Result<std::string> result = call(context, at(server));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(server.calls.size(), 1U);
}

TEST_F(ClientTest, CancellingTheContextEndsTheCallHereAndThere) {
  FakeServer& server = serve(nullptr);
  const auto pending = start(at(server));
  run_until([&] { return !server.calls.empty() && server.calls[0]->request_ended; });
  pending->context.cancel(cancelled("nobody wants it"));
  const Result<std::string> ended = result(pending);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error(), cancelled("greeter.Greeter/Hello: nobody wants it"));
  run_until([&] { return server.calls[0]->was_reset; });
  EXPECT_EQ(server.calls[0]->reset_code, http2::ErrorCode::kCancel);

  const Result<std::string> again = call(pending->context, at(server));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kCancelled);
  EXPECT_EQ(server.calls.size(), 1U);
}

TEST_F(ClientTest, KeepsTheLimitsOfMessageSizes) {
  options_.max_receive_message_size = 1000;
  options_.max_send_message_size = 500;
  FakeServer& server = serve([](const FakeCallPtr& call) { call->reply(std::string(call->messages().at(0).size() * 4, 'x')); });
  EXPECT_EQ(call(at(server), std::string(250, 'a')), std::string(1000, 'x'));
  const Result<std::string> large_reply = call(at(server), std::string(251, 'a'));
  ASSERT_FALSE(large_reply);
  EXPECT_EQ(large_reply.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(large_reply.error().message(), AllOf(HasSubstr(server.address()), HasSubstr("1004"), HasSubstr("1000")));
  const std::size_t seen = server.calls.size();
  const Result<std::string> large_request = call(at(server), std::string(501, 'a'));
  ASSERT_FALSE(large_request);
  EXPECT_EQ(large_request.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(large_request.error().message(), AllOf(HasSubstr("501"), HasSubstr("500")));
  EXPECT_EQ(server.calls.size(), seen);
}

TEST_F(ClientTest, CarriesMessagesLargerThanAllWindows) {
  options_.max_receive_message_size = 64 << 20;
  FakeServer& server = serve([](const FakeCallPtr& call) { call->reply(call->messages().at(0)); });
  const std::string large(10 << 20, 'z');
  EXPECT_EQ(call(at(server), large), large);
}

TEST_F(ClientTest, CompressesWhenAsked) {
  const auto gzip = [](std::string_view plain) {
    Buffer out;
    EXPECT_TRUE(grpc::compress(grpc::Compression::kGzip, plain, out));
    return std::string(out.view());
  };
  FakeServer& server = serve([&](const FakeCallPtr& call) {
    Buffer plain;
    EXPECT_TRUE(grpc::decompress(grpc::Compression::kGzip, call->messages().at(0), 1 << 20, plain));
    call->headers({{"grpc-encoding", "gzip"}});
    call->message(gzip("Hello " + std::string(plain.view())), true);
    call->ok();
  });
  rpc::CallOptions options = at(server);
  options.compression = "gzip";
  EXPECT_EQ(call(options), "Hello John");
  EXPECT_EQ(server.calls.at(0)->field("grpc-encoding"), "gzip");
  EXPECT_EQ(server.calls.at(0)->body.at(0), '\1');

  options.compression = "rar";
  const Result<std::string> unknown = call(options);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), Code::kInvalidArgument);
}

TEST_F(ClientTest, ACompressedReplyMayNotGrowBeyondTheLimit) {
  options_.max_receive_message_size = 10000;
  FakeServer& server = serve([](const FakeCallPtr& call) {
    Buffer bomb;
    EXPECT_TRUE(grpc::compress(grpc::Compression::kGzip, std::string(1 << 20, 'x'), bomb));
    call->headers({{"grpc-encoding", "gzip"}});
    call->message(bomb.view(), true);
    call->ok();
  });
  const Result<std::string> result = call(at(server));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kResourceExhausted);
}

TEST_F(ClientTest, CarriesProtobufMessages) {
  FakeServer& server = serve([](const FakeCallPtr& call) { call->reply(call->messages().at(0)); });
  google::protobuf::StringValue request, reply;
  request.set_value("John");
  Context context;
  const rpc::CallOptions options = at(server);
  const Result<void> done = run(client().call(context, "g", "g.G", "M", codec::ref(request), codec::ref(reply), options));
  ASSERT_TRUE(done);
  EXPECT_EQ(reply.value(), "John");
  server.on_request = [](const FakeCallPtr& call) { call->reply("\xff\xff"); };
  const Result<void> broken = run(client().call(context, "g", "g.G", "M", codec::ref(request), codec::ref(reply), options));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code(), Code::kInternal);
  EXPECT_THAT(broken.error().message(), AllOf(HasSubstr("cannot read the reply"), HasSubstr("StringValue")));
}

TEST_F(ClientTest, RefusesCallsThatCannotBeMade) {
  FakeServer& server = serve(hello);
  const auto make = [&](std::string_view method, const rpc::CallOptions& options) {
    Context context;
    std::string request, reply;
    const Result<void> done =
        run(client().call(context, "greeter", "greeter.Greeter", method, codec::ref(request), codec::ref(reply), options));
    return done ? internal("it was made") : done.error();
  };
  EXPECT_EQ(make("Hello", {}).code(), Code::kFailedPrecondition);
  EXPECT_THAT(make("Hello", {}).message(), HasSubstr("no registry"));
  EXPECT_EQ(make("Hel lo", at(server)).code(), Code::kInvalidArgument);
  EXPECT_EQ(make("Hello\r\n", at(server)).code(), Code::kInvalidArgument);
  EXPECT_EQ(make("", at(server)).code(), Code::kInvalidArgument);
  EXPECT_EQ(make("Hello", at({"no port here"})).code(), Code::kInvalidArgument);
  EXPECT_TRUE(server.calls.empty());
}

TEST_F(ClientTest, TellsThatACallBelongsOnALoopOfItsGroup) {
  FakeServer& server = serve(hello);
  Loop foreign;
  Context context;
  const Result<std::string> result = block_on(foreign, ask(context, at(server)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(result.error().message(), HasSubstr("no loop of this client's group"));
}

TEST_F(ClientTest, TellsAnUnknownStrategy) {
  options_.strategy = "by_moon";
  FakeServer& server = serve(hello);
  const Result<std::string> result = call(at(server));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(result.error().message(), HasSubstr("by_moon"));
}

class Recorder final : public rpc::Middleware {
 public:
  Recorder(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(log) {}
  std::string_view name() const noexcept override { return name_; }
  Task<rpc::Reply> handle(Context& context, rpc::Call& call, rpc::Next next) override {
    log_.push_back(name_ + " > " + std::string(call.service) + "/" + std::string(call.method));
    rpc::Reply reply = co_await next(context, call);
    log_.push_back(name_ + (reply ? " < ok" : " < " + reply.error().message()));
    co_return reply;
  }

 private:
  const std::string name_;
  std::vector<std::string>& log_;
};

TEST_F(ClientTest, MiddlewareWrapsTheCallWithAllItsAttempts) {
  std::vector<std::string> log;
  client().use(std::make_shared<Recorder>("outer", log));
  client().use(std::make_shared<Recorder>("inner", log));
  FakeServer& server = serve(hello);
  server.on_request = [&](const FakeCallPtr& call) {
    server.on_request = hello;
    call->reset(http2::ErrorCode::kRefusedStream);
  };
  EXPECT_EQ(call(at(server)), "Hello John");
  EXPECT_EQ(server.calls.size(), 2U);
  EXPECT_THAT(log, ElementsAre("outer > greeter.Greeter/Hello", "inner > greeter.Greeter/Hello", "inner < ok", "outer < ok"));
}

}  // namespace
}  // namespace micro::client::testing
