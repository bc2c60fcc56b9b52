// Nodes that speak go-micro's RPC alone: ours does so too, when its record hides the rest.
#include <gmock/gmock.h>

#include <micro/dynamic/caller.hpp>

#include "test_node.hpp"

namespace micro::dynamic {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Given final : public JsonSource {
 public:
  explicit Given(std::vector<std::string> messages) : messages_(std::move(messages)) {}
  Task<Result<std::optional<std::string>>> next(Context&) override {
    if (given_ == messages_.size()) co_return std::nullopt;
    co_return messages_[given_++];
  }

 private:
  const std::vector<std::string> messages_;
  std::size_t given_ = 0;
};

class Kept final : public JsonSink {
 public:
  Task<Result<void>> put(Context&, std::string json) override {
    got.push_back(std::move(json));
    co_return Result<void>{};
  }
  std::vector<std::string> got;
};

class RawTest : public DynamicTest {
 protected:
  RawTest() {
    node_->record.nodes.front().metadata = {{"protocol", "mucp"}, {"server", "mucp"}};
    join(*node_);
  }
  ~RawTest() override { stop(*node_); }

  std::string stream(std::string_view endpoint, std::vector<std::string> messages) {
    std::string out;
    sink_.got.clear();
    auto run = [&]() -> Task<void> {
      Context context;
      context.set_timeout(std::chrono::seconds(30));
      Given source(std::move(messages));
      const rpc::CallOptions options;
      const Result<void> done = co_await caller_.stream_json(context, "greeter", endpoint, source, sink_, options);
      if (!done) out = done.error().to_string();
    };
    on(run());
    return out;
  }

  const std::unique_ptr<Node> node_ = make_node_without_reflection({std::make_shared<Greeting>("one")});
  DynamicCaller caller_{client_, cache_};
  Kept sink_;
};

TEST_F(RawTest, CallsWithTheTextAsItIs) {
  EXPECT_THAT(call(caller_, "Greeter.Hello", R"({"name":"Ann"})").value_or("failed"), HasSubstr("Ann"));
  EXPECT_THAT(call(caller_, "greeting.Greeter/Hello", R"({"name":"Bob"})").value_or("failed"), HasSubstr("Bob"));
}

TEST_F(RawTest, TheNodeSaysWhatIsWrong) {
  EXPECT_THAT(call(caller_, "Greeter.Nothing", "{}").error().to_string(), HasSubstr("Nothing"));
  EXPECT_THAT(call(caller_, "Greeter.Hello", R"({"nme":"Ann"})").error().to_string(), HasSubstr("nme"));
  EXPECT_THAT(call(caller_, "Hello", "{}").error().message(), HasSubstr("Greeter.Hello"));
}

TEST_F(RawTest, RepliesOfOneMessageAreReadToTheirEnd) {
  EXPECT_EQ(stream("Greeter.Count", {R"({"name":"Ann"})"}), "");
  EXPECT_GT(sink_.got.size(), 1U);
}

TEST_F(RawTest, SeveralMessagesHaveAReplyEach) {
  EXPECT_EQ(stream("Greeter.Chat", {R"({"name":"Ann"})", R"({"name":"Bob"})"}), "");
  EXPECT_THAT(sink_.got, ElementsAre(HasSubstr("Ann"), HasSubstr("Bob")));
}

TEST_F(RawTest, AStreamThatDoesNotBeginIsAnError) {
  EXPECT_THAT(stream("Greeter.Nothing", {"{}"}), HasSubstr("Nothing"));
  EXPECT_THAT(stream("Greeter.Chat", {}), HasSubstr("no request message"));
}

}  // namespace
}  // namespace micro::dynamic
