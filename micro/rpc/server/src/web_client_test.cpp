// Our web client against our server: calls of every kind over a WebSocket, in both encodings, and over server-sent events.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/client/typed.hpp>
#include <micro/coro/block_on.hpp>
#include <micro/web_client/calls.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Stream = std::unique_ptr<ClientStream>;

class WebClient : public ::testing::TestWithParam<web::Encoding> {
 protected:
  void SetUp() override { server_.start(); }

  web::Method method(std::string name, MethodKind kind) {
    web::Method out;
    out.target.address = server_.server.address();
    out.service = "test.Echo";
    out.method = std::move(name);
    out.kind = kind;
    return out;
  }
  static Text text(std::string value) {
    Text out;
    out.set_value(std::move(value));
    return out;
  }
  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }

  Result<Stream> open(Context& context, std::string name, MethodKind kind, codec::MessageRef request = {}) {
    web::CallOptions options;
    options.encoding = GetParam();
    return run(web::open_websocket(context, method(std::move(name), kind), request, options));
  }
  Result<Stream> open_events(Context& context, const Text& request) {
    return run(web::open_events(context, method("Repeat", MethodKind::kServerStream), codec::ref(request), web::CallOptions()));
  }
  static Task<std::vector<std::string>> read_all(ClientStream& stream) {
    std::vector<std::string> seen;
    while (true) {
      Text message;
      const Result<bool> more = co_await stream.read(codec::ref(message));
      if (!more) seen.push_back("error: " + more.error().to_string());
      if (more && !*more) seen.push_back("end");
      if (!more || !*more) co_return seen;
      seen.push_back(message.value());
    }
  }

  TestServer server_;
  Loop loop_;
  Context context_;
};

TEST_P(WebClient, Unary) {
  const Text request = text("hello");
  Result<Stream> stream = open(context_, "Say", MethodKind::kUnary, codec::ref(request));
  ASSERT_TRUE(stream) << stream.error().to_string();
  Text reply;
  const Result<void> done = run((*stream)->finish(codec::ref(reply)));
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(reply.value(), "you said hello");
}

TEST_P(WebClient, AnErrorOfTheHandler) {
  const Text request = text("fail");
  Result<Stream> stream = open(context_, "Say", MethodKind::kUnary, codec::ref(request));
  ASSERT_TRUE(stream) << stream.error().to_string();
  EXPECT_THAT(run(read_all(**stream)), ElementsAre("error: NOT_FOUND: no such text"));
}

TEST_P(WebClient, ServerStream) {
  const Text request = text("n");
  Result<Stream> stream = open(context_, "Repeat", MethodKind::kServerStream, codec::ref(request));
  ASSERT_TRUE(stream) << stream.error().to_string();
  EXPECT_THAT(run(read_all(**stream)), ElementsAre("n0", "n1", "n2", "end"));
}

TEST_P(WebClient, ClientStream) {
  Result<Stream> stream = open(context_, "Join", MethodKind::kClientStream);
  ASSERT_TRUE(stream) << stream.error().to_string();
  const auto client = [&]() -> Task<Result<Text>> {
    WriteStream<Text, Text> typed(std::move(*stream));
    for (const char* each : {"a", "", "c"}) {
      const Text message = text(each);
      EXPECT_TRUE(co_await typed.write(message));
    }
    co_return co_await typed.finish();
  };
  const Result<Text> reply = run(client());
  ASSERT_TRUE(reply) << reply.error().to_string();
  EXPECT_EQ(reply->value(), "ac");
}

TEST_P(WebClient, Bidi) {
  Result<Stream> stream = open(context_, "Chat", MethodKind::kBidiStream);
  ASSERT_TRUE(stream) << stream.error().to_string();
  const auto client = [&]() -> Task<std::vector<std::string>> {
    BidiStream<Text, Text> typed(std::move(*stream));
    std::vector<std::string> seen;
    Text reply;
    for (const std::string& each : {std::string("one"), std::string(), std::string(200000, 'x')}) {
      const Text message = text(each);
      EXPECT_TRUE(co_await typed.write(message));
      const Result<bool> more = co_await typed.read(reply);
      EXPECT_TRUE(more && *more && reply.value() == each);
    }
    EXPECT_TRUE(co_await typed.close_send());
    const Result<bool> more = co_await typed.read(reply);
    seen.push_back(!more ? more.error().to_string() : *more ? "more" : "end");
    co_return seen;
  };
  EXPECT_THAT(run(client()), ElementsAre("end"));
}

TEST_P(WebClient, TheHandlerMayEndFirst) {
  Result<Stream> stream = open(context_, "Chat", MethodKind::kBidiStream);
  ASSERT_TRUE(stream) << stream.error().to_string();
  const Text bye = text("bye");
  EXPECT_TRUE(run((*stream)->write(codec::ref(bye))));
  EXPECT_THAT(run(read_all(**stream)), ElementsAre("end"));
}

TEST_P(WebClient, DeadlinesTravel) {
  context_.set_timeout(std::chrono::milliseconds(30));
  const Text request = text("x");
  Result<Stream> stream = open(context_, "Hang", MethodKind::kUnary, codec::ref(request));
  // Whichever side is first, and however far the opening came.
  Text reply;
  const Error error = stream ? run((*stream)->finish(codec::ref(reply))).error() : stream.error();
  EXPECT_EQ(error.code(), Code::kDeadlineExceeded) << error.to_string();
}

TEST_P(WebClient, GivingUpCancelsTheHandler) {
  const Text request = text("x");
  Result<Stream> stream = open(context_, "Hang", MethodKind::kUnary, codec::ref(request));
  ASSERT_TRUE(stream) << stream.error().to_string();
  while (server_.server.counters().open_calls == 0) loop_.run_once(std::chrono::milliseconds(1));
  stream->reset();
  // Whether it had begun by then or not; left alone it would take an hour.
  while (server_.server.counters().open_calls != 0) loop_.run_once(std::chrono::milliseconds(1));
  EXPECT_EQ(server_.stop(), 0U);
}

TEST_P(WebClient, UnknownMethods) {
  const Result<Stream> stream = open(context_, "Nothing", MethodKind::kBidiStream);
  ASSERT_FALSE(stream);
  EXPECT_THAT(stream.error().message(), HasSubstr("Nothing"));
}

TEST_P(WebClient, Events) {
  const Text request = text("n");
  Result<Stream> stream = open_events(context_, request);
  ASSERT_TRUE(stream) << stream.error().to_string();
  EXPECT_THAT(run(read_all(**stream)), ElementsAre("n0", "n1", "n2", "end"));
}

INSTANTIATE_TEST_SUITE_P(Encodings, WebClient, ::testing::Values(web::Encoding::kJson, web::Encoding::kProto),
                         [](const auto& info) { return std::string(info.param == web::Encoding::kJson ? "Json" : "Proto"); });

}  // namespace
}  // namespace micro::rpc::test
