#include <micro/dynamic/caller.hpp>

#include "test_node.hpp"

namespace micro::dynamic {
namespace {

using Messages = std::vector<std::string>;

// Gives what it has; then the end, an error, or nothing until the call has ended.
class Source final : public JsonSource {
 public:
  enum class Then { kEnd, kWait, kFail };
  explicit Source(Messages messages, Then then = Then::kEnd) : messages_(std::move(messages)), then_(then) {}
  Task<Result<std::optional<std::string>>> next(Context& context) override {
    if (given_ < messages_.size()) co_return messages_[given_++];
    if (then_ == Then::kFail) co_return fail(data_loss("the file is broken"));
    if (then_ == Then::kWait) {
      Event never;
      Result<void> waited = co_await never.wait(context);
      was_cancelled = !waited;
      co_return fail(waited.error());
    }
    co_return std::nullopt;
  }
  bool was_cancelled = false;

 private:
  Messages messages_;
  Then then_;
  std::size_t given_ = 0;
};

class Sink final : public JsonSink {
 public:
  Task<Result<void>> put(Context&, std::string json) override {
    if (got.size() == limit) co_return fail(resource_exhausted("the disk is full"));
    got.push_back(std::move(json));
    co_return Result<void>{};
  }
  Messages got;
  std::size_t limit = 1'000'000;
};

class StreamJsonTest : public DynamicTest {
 protected:
  StreamJsonTest() { join(*node_); }
  ~StreamJsonTest() override { stop(*node_); }

  // "" or the error.
  std::string stream(std::string_view endpoint, Source source) {
    sink_.got.clear();
    std::string out;
    auto run = [&]() -> Task<void> {
      Context context;
      const rpc::CallOptions options;
      const Result<void> done = co_await caller_.stream_json(context, "greeter", endpoint, source, sink_, options);
      if (!done) out = done.error().to_string();
      peer_ = context.peer();
    };
    on(run());
    was_cancelled_ = source.was_cancelled;
    return out;
  }

  const std::unique_ptr<Node> node_ = make_node({std::make_shared<Greeting>("one")});
  DynamicCaller caller_{client_, cache_, {.json_zero_values = false}};
  Sink sink_;
  std::string peer_;
  bool was_cancelled_ = false;
};

TEST_F(StreamJsonTest, EveryKindOfMethod) {
  struct Case {
    std::string_view endpoint;
    Messages sent;
    Messages got;
  };
  const Case cases[] = {
      {"Greeter.Hello", {R"({"name":"a"})"}, {R"({"message":"Hello a","nodeName":"one"})"}},
      {"Greeter.Count",
       {R"({"name":"a"})"},
       {R"({"message":"a","count":1})", R"({"message":"a","count":2})", R"({"message":"a","count":3})"}},
      {"Greeter.Collect", {R"({"name":"a"})", "{}", R"({"name":"b"})"}, {R"({"message":"ab","count":3})"}},
      {"Greeter.Collect", {}, {"{}"}},
      {"Greeter.Chat", {R"({"name":"a"})", R"({"name":"b"})"}, {R"({"message":"echo a"})", R"({"message":"echo b"})"}},
      {"Greeter.Chat", {}, {}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(stream(c.endpoint, Source(c.sent)), "") << c.endpoint;
    EXPECT_EQ(sink_.got, c.got) << c.endpoint;
    EXPECT_EQ(peer_, node_->address());
  }
}

TEST_F(StreamJsonTest, ManyMessagesBothWays) {
  Messages sent;
  Messages expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string name(100, static_cast<char>('a' + i % 26));
    sent.push_back(R"({"name":")" + name + "\"}");
    expected.push_back(R"({"message":"echo )" + name + "\"}");
  }
  EXPECT_EQ(stream("Greeter.Chat", Source(sent)), "");
  EXPECT_EQ(sink_.got, expected);
}

TEST_F(StreamJsonTest, TheFirstThatGoesWrongIsTheResult) {
  using Then = Source::Then;
  struct Case {
    std::string_view endpoint;
    Source source;
    std::string error;
    Messages got;
  };
  const std::string bad = R"({"name":7})";
  const std::string boom = R"({"name":"boom"})";
  const Case cases[] = {
      {"Greeter.Hello", Source({}), "INVALID_ARGUMENT: Greeter.Hello takes one request message and was given none", {}},
      {"Greeter.Count", Source({"{}", "{}"}), "INVALID_ARGUMENT: Greeter.Count takes one request message and was given more", {}},
      {"Greeter.Count", Source({}, Then::kFail), "DATA_LOSS: the file is broken", {}},
      {"Greeter.Chat", Source({"{}"}, Then::kFail), "DATA_LOSS: the file is broken", {}},
      {"Greeter.Collect", Source({"{}"}, Then::kFail), "DATA_LOSS: the file is broken", {}},
      {"Greeter.Collect", Source({boom}, Then::kWait), "OUT_OF_RANGE: boom", {}},
      {"Greeter.Chat", Source({R"({"name":"a"})", boom}, Then::kWait), "OUT_OF_RANGE: boom", {R"({"message":"echo a"})"}},
      {"Greeter.Nothing",
       Source({}),
       "NOT_FOUND [NO_ENDPOINT]: service \"greeter\" has no endpoint \"Greeter.Nothing\"; it has "
       "Greeter.Hello, Greeter.Fail, Greeter.Count, Greeter.Collect, Greeter.Chat",
       {}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(stream(c.endpoint, c.source), c.error);
    EXPECT_EQ(sink_.got, c.got) << c.error;
  }
  EXPECT_THAT(stream("Greeter.Count", Source({bad})), testing::HasSubstr("field \"name\": expected a string"));
  EXPECT_THAT(stream("Greeter.Chat", Source({"{}", bad}, Then::kWait)),
              testing::StartsWith(
                  "INVALID_ARGUMENT [INVALID_JSON]: message 2: JSON for greeting.messages.HelloRequest: line 1, column 9"));
}

TEST_F(StreamJsonTest, TheServiceMayEndTheCallWhileTheSourceWaits) {
  EXPECT_EQ(stream("Greeter.Chat", Source({R"({"name":"a"})", R"({"name":"bye"})"}, Source::Then::kWait)), "");
  EXPECT_EQ(sink_.got, Messages{R"({"message":"echo a"})"});
  EXPECT_TRUE(was_cancelled_);
}

TEST_F(StreamJsonTest, ASinkThatFailsEndsTheCall) {
  sink_.limit = 2;
  EXPECT_EQ(stream("Greeter.Count", Source({"{}"})), "RESOURCE_EXHAUSTED: the disk is full");
  EXPECT_EQ(sink_.got.size(), 2U);
  sink_.limit = 0;
  EXPECT_EQ(stream("Greeter.Chat", Source({"{}"}, Source::Then::kWait)), "RESOURCE_EXHAUSTED: the disk is full");
  EXPECT_TRUE(was_cancelled_);
  EXPECT_EQ(stream("Greeter.Hello", Source({"{}"})), "RESOURCE_EXHAUSTED: the disk is full");
}

TEST_F(StreamJsonTest, EndsWithItsContext) {
  // The caller loses patience as soon as the call is under way.
  struct Impatient final : JsonSource {
    explicit Impatient(Context& c) : call(c) {}
    Task<Result<std::optional<std::string>>> next(Context& context) override {
      call.cancel(deadline_exceeded("too late"));
      Result<void> waited = co_await never.wait(context);
      co_return fail(waited.error());
    }
    Context& call;
    Event never;
  };
  auto run = [&]() -> Task<void> {
    Context context;
    Impatient source(context);
    const rpc::CallOptions options;
    const Result<void> done = co_await caller_.stream_json(context, "greeter", "Greeter.Chat", source, sink_, options);
    EXPECT_EQ(done.error().code(), Code::kDeadlineExceeded);
    EXPECT_THAT(done.error().message(), testing::HasSubstr("too late"));
  };
  on(run());
}

}  // namespace
}  // namespace micro::dynamic
