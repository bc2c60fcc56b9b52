#include <micro/registry/multi.hpp>

#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/coro/event.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/registry/cache.hpp>
#include <micro/registry/memory.hpp>
#include <micro/registry/records.hpp>
#include <micro/registry/static.hpp>

namespace micro::registry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A memory registry that can be down, and then refuses at once or never answers.
class Fragile final : public Registry {
 public:
  explicit Fragile(std::string name) : name_(std::move(name)) {}

  bool down = false;
  bool hangs = false;
  int watches = 0;  // asked for

  std::string_view name() const noexcept override { return name_; }
  std::string describe() const override { return name_ + " registry"; }
  Task<Result<void>> register_service(Context& context, const Service& service, const RegisterOptions& options) override {
    if (auto broken = co_await trouble(context); !broken) co_return broken;
    co_return co_await memory_.register_service(context, service, options);
  }
  Task<Result<void>> deregister_service(Context& context, const Service& service) override {
    if (auto broken = co_await trouble(context); !broken) co_return broken;
    co_return co_await memory_.deregister_service(context, service);
  }
  Task<Result<std::vector<Service>>> get_service(Context& context, std::string_view service) override {
    if (auto broken = co_await trouble(context); !broken) co_return fail(std::move(broken.error()));
    co_return co_await memory_.get_service(context, service);
  }
  Task<Result<std::vector<Service>>> list_services(Context& context) override {
    if (auto broken = co_await trouble(context); !broken) co_return fail(std::move(broken.error()));
    co_return co_await memory_.list_services(context);
  }
  Task<Result<std::unique_ptr<Watcher>>> watch(Context& context, const WatchOptions& options) override {
    ++watches;
    if (auto broken = co_await trouble(context); !broken) co_return fail(std::move(broken.error()));
    auto watcher = co_await memory_.watch(context, options);
    auto breakable = std::make_unique<Breakable>(std::move(*watcher));
    watchers_.push_back(breakable->broken);
    co_return std::unique_ptr<Watcher>(std::move(breakable));
  }
  // Ends all watches, as a connection does that is lost.
  void fall() {
    down = true;
    for (const auto& broken : watchers_) broken->set();
    watchers_.clear();
  }

 private:
  struct Breakable final : Watcher {
    explicit Breakable(std::unique_ptr<Watcher> w) : watcher(std::move(w)) {}
    Task<Result<Event>> next(Context& context) override {
      if (broken->is_set()) co_return fail(unavailable("the line was cut"));
      Context child(context);
      auto wait = [](std::shared_ptr<micro::Event> signal, Context& both) -> Task<std::monostate> {
        if (co_await signal->wait(both)) both.cancel(unavailable("the line was cut"));
        co_return std::monostate{};
      };
      auto ask = [](Watcher& inner, Context& both) -> Task<Result<Event>> {
        auto event = co_await inner.next(both);
        both.cancel(cancelled("done"));
        co_return event;
      };
      auto [event, ignored] = co_await when_all(ask(*watcher, child), wait(broken, child));
      if (!event && broken->is_set()) co_return fail(unavailable("the line was cut"));
      co_return std::move(event);
    }
    void stop() override { watcher->stop(); }
    std::unique_ptr<Watcher> watcher;
    std::shared_ptr<micro::Event> broken = std::make_shared<micro::Event>();
  };

  Task<Result<void>> trouble(Context& context) {
    if (hangs) {
      const auto slept = co_await sleep(context, hours(1));
      co_return fail(slept.error());
    }
    if (down) co_return fail(unavailable(name_ + " is down"));
    co_return Result<void>{};
  }

  const std::string name_;
  Memory memory_;
  std::vector<std::shared_ptr<micro::Event>> watchers_;
};

Service record(const std::string& id, const std::string& address = "10.0.0.1:80", const std::string& service = "greeter") {
  return {.name = service, .version = "v1", .nodes = {{.id = id, .address = address}}};
}

class MultiTest : public testing::Test {
 protected:
  MultiTest() { context_.set_timeout(std::chrono::seconds(30)); }

  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }
  Result<void> add(Registry& registry, const Service& service) {
    const RegisterOptions options{.ttl = hours(1)};
    return run(registry.register_service(context_, service, options));
  }
  Result<void> remove(Registry& registry, const Service& service) { return run(registry.deregister_service(context_, service)); }
  // "id@address ..." or the error's code and message.
  std::string get(Registry& registry, std::string_view name = "greeter") {
    const auto services = run(registry.get_service(context_, name));
    if (!services) return services.error().to_string();
    std::string text;
    for (const Service& service : *services) {
      for (const Node& node : service.nodes) text += (text.empty() ? "" : " ") + node.id + "@" + node.address;
    }
    return text;
  }
  std::unique_ptr<Watcher> watch() { return run(multi_.watch(context_, {.service = "greeter"})).value(); }
  std::string next(Watcher& watcher) {
    const auto event = run(watcher.next(context_));
    if (!event) return event.error().to_string();
    constexpr const char* kNames[] = {"+", "*", "-"};
    const Node& node = event->service.nodes.at(0);
    return kNames[static_cast<int>(event->change)] + node.id + "@" + node.address;
  }

  Loop loop_;
  Context context_;
  const std::shared_ptr<Fragile> first_ = std::make_shared<Fragile>("first");
  const std::shared_ptr<Fragile> second_ = std::make_shared<Fragile>("second");
  Multi multi_{{first_, second_}, {.timeout = milliseconds(50), .min_backoff = milliseconds(1), .max_backoff = milliseconds(4)}};
};

TEST_F(MultiTest, SaysWhatItIsMadeOf) { EXPECT_EQ(multi_.describe(), "multi registry of first registry, second registry"); }

TEST_F(MultiTest, WritesToAll) {
  ASSERT_TRUE(add(multi_, record("one")));
  EXPECT_EQ(get(*first_), "one@10.0.0.1:80");
  EXPECT_EQ(get(*second_), "one@10.0.0.1:80");
  ASSERT_TRUE(remove(multi_, record("one")));
  EXPECT_THAT(get(*first_), HasSubstr("NO_NODE"));
  EXPECT_THAT(get(*second_), HasSubstr("NO_NODE"));
}

TEST_F(MultiTest, OneThatIsDownKeepsNoneOfTheOthersFromBeingWritten) {
  first_->down = true;
  const auto partly = add(multi_, record("one"));
  ASSERT_FALSE(partly);
  EXPECT_EQ(partly.error().code(), Code::kUnavailable);
  EXPECT_EQ(partly.error().reason(), kPartlyRegistered);
  EXPECT_EQ(partly.error().message(),
            "cannot register service \"greeter\" in some of the registries: first registry: first is down");
  EXPECT_EQ(get(*second_), "one@10.0.0.1:80");
  first_->down = false;
  ASSERT_TRUE(add(multi_, record("one")));
  EXPECT_EQ(get(*first_), "one@10.0.0.1:80");
}

TEST_F(MultiTest, OneThatHangsIsNotWaitedForLong) {
  first_->hangs = true;
  ASSERT_TRUE(add(*second_, record("one")));
  EXPECT_EQ(get(multi_), "one@10.0.0.1:80");
  EXPECT_EQ(add(multi_, record("two")).error().reason(), kPartlyRegistered);
  EXPECT_EQ(get(*second_), "one@10.0.0.1:80 two@10.0.0.1:80");
}

TEST_F(MultiTest, WhenAllAreDownItIsUnavailable) {
  first_->down = second_->down = true;
  const auto refused = add(multi_, record("one"));
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_EQ(refused.error().reason(), "");
  for (const std::string& text :
       {refused.error().to_string(), get(multi_), run(multi_.list_services(context_)).error().to_string(),
        run(multi_.watch(context_, {})).error().to_string()}) {
    EXPECT_THAT(text, AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("first registry: first is down"),
                            HasSubstr("second registry: second is down")));
  }
}

TEST_F(MultiTest, NodesArePutTogetherAndTheFirstRegistryWins) {
  ASSERT_TRUE(add(*first_, record("both", "10.0.0.1:80")));
  ASSERT_TRUE(add(*second_, record("both", "10.0.0.2:80")));
  ASSERT_TRUE(add(*second_, record("alone", "10.0.0.3:80")));
  EXPECT_EQ(get(multi_), "alone@10.0.0.3:80 both@10.0.0.1:80");
  ASSERT_TRUE(remove(*first_, record("both")));
  EXPECT_EQ(get(multi_), "alone@10.0.0.3:80 both@10.0.0.2:80");
}

TEST_F(MultiTest, OneThatIsDownDoesNotHideWhatItSaidLast) {
  ASSERT_TRUE(add(*first_, record("a")));
  ASSERT_TRUE(add(*second_, record("b")));
  EXPECT_EQ(get(multi_), "a@10.0.0.1:80 b@10.0.0.1:80");
  first_->down = true;
  EXPECT_EQ(get(multi_), "a@10.0.0.1:80 b@10.0.0.1:80");
  second_->down = true;
  EXPECT_EQ(get(multi_), "a@10.0.0.1:80 b@10.0.0.1:80");
  first_->down = second_->down = false;
  ASSERT_TRUE(remove(*first_, record("a")));
  EXPECT_EQ(get(multi_), "b@10.0.0.1:80");
}

TEST_F(MultiTest, NotFoundSaysWhoCouldNotBeAsked) {
  second_->down = true;
  EXPECT_THAT(get(multi_), AllOf(HasSubstr("NOT_FOUND [NO_NODE]"), HasSubstr("second is down"), Not(HasSubstr("first is down"))));
}

TEST_F(MultiTest, ReadOnlyOnesAreLeftOut) {
  const auto given = Static::make("users=10.0.0.9:90").value();
  Multi mixed({given, first_});
  ASSERT_TRUE(add(mixed, record("one")));
  EXPECT_EQ(get(mixed), "one@10.0.0.1:80");
  EXPECT_EQ(get(mixed, "users"), "users-10.0.0.9:90@10.0.0.9:90");
  ASSERT_TRUE(remove(mixed, record("one")));
  Multi fixed({given, given});
  EXPECT_EQ(add(fixed, record("one")).error().reason(), kReadOnly);
  EXPECT_EQ(remove(fixed, record("one")).error().reason(), kReadOnly);
}

TEST_F(MultiTest, ANodeOfTwoRegistriesIsToldOnce) {
  const auto watcher = watch();
  ASSERT_TRUE(add(*first_, record("one")));
  EXPECT_EQ(next(*watcher), "+one@10.0.0.1:80");
  ASSERT_TRUE(add(*second_, record("one")));
  ASSERT_TRUE(add(*second_, record("two")));
  EXPECT_EQ(next(*watcher), "+two@10.0.0.1:80");
  ASSERT_TRUE(remove(*second_, record("one")));
  ASSERT_TRUE(remove(*first_, record("one")));
  EXPECT_EQ(next(*watcher), "-one@10.0.0.1:80");
}

TEST_F(MultiTest, ANodeThatTheFirstForgetsIsAsTheSecondHasIt) {
  ASSERT_TRUE(add(*first_, record("one", "10.0.0.1:80")));
  ASSERT_TRUE(add(*second_, record("one", "10.0.0.2:80")));
  const auto watcher = watch();
  ASSERT_TRUE(add(*second_, record("one", "10.0.0.3:80")));
  ASSERT_TRUE(remove(*first_, record("one")));
  std::string told = next(*watcher);
  // The two tell on their own; the address in between may be seen.
  if (told == "*one@10.0.0.2:80") told = next(*watcher);
  EXPECT_EQ(told, "*one@10.0.0.3:80");
}

TEST_F(MultiTest, AWatchThatBreaksSaysWhichAndANewOneGoesOnWithTheRest) {
  ASSERT_TRUE(add(*first_, record("a")));
  auto watcher = watch();
  first_->fall();
  EXPECT_THAT(next(*watcher), AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("first registry: the line was cut")));
  watcher = watch();
  ASSERT_TRUE(add(*second_, record("b")));
  EXPECT_EQ(next(*watcher), "+b@10.0.0.1:80");

  first_->down = false;
  EXPECT_THAT(next(*watcher), AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("first registry: it is back after an outage")));
  watcher = watch();
  ASSERT_TRUE(add(*first_, record("c")));
  EXPECT_EQ(next(*watcher), "+c@10.0.0.1:80");
}

TEST_F(MultiTest, OneThatHangsDoesNotHoldUpTheChangesOfTheOthers) {
  first_->hangs = true;
  const auto watcher = watch();
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(add(*second_, record(id)));
    EXPECT_EQ(next(*watcher), "+" + std::string(id) + "@10.0.0.1:80");
  }
}

// What clients see of it: nothing that was there disappears while one registry is away, and both are followed afterwards.
TEST_F(MultiTest, ACacheOnItOutlivesTheOutageOfOne) {
  ASSERT_TRUE(add(*first_, record("a")));
  ASSERT_TRUE(add(*second_, record("b")));
  Cache cache(std::shared_ptr<Registry>(&multi_, [](Registry*) {}),
              {.min_backoff = milliseconds(1), .keep_missing = Duration::zero()});
  cache.start(loop_);
  ASSERT_TRUE(run(cache.lookup(context_, "greeter")));
  Cache::View view(cache);
  const auto ids = [&] {
    std::string text;
    for (const Candidate& candidate : view.get("greeter")->candidates) text += candidate.node.id;
    return text;
  };
  const auto wait_for = [&](const std::string& wanted) {
    while (ids() != wanted && context_.remaining() > Duration::zero()) loop_.run_once(milliseconds(10));
    return ids();
  };
  EXPECT_EQ(ids(), "ab");
  const int before = second_->watches;
  first_->fall();
  while (second_->watches == before && context_.remaining() > Duration::zero()) loop_.run_once(milliseconds(10));
  ASSERT_TRUE(add(*second_, record("c")));
  EXPECT_EQ(wait_for("abc"), "abc");
  first_->down = false;
  ASSERT_TRUE(remove(*first_, record("a")));
  EXPECT_EQ(wait_for("bc"), "bc");
  block_on(loop_, cache.stop());
}

}  // namespace
}  // namespace micro::registry
