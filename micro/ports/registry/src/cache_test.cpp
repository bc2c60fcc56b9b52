#include <micro/registry/cache.hpp>

#include <thread>

#include <micro/coro/event.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/coro/waiter.hpp>
#include <micro/loop/group.hpp>
#include <micro/registry/conformance.hpp>
#include <micro/registry/memory.hpp>

namespace micro::registry {
namespace {

using conformance::one_node;
using conformance::Seen;
using Ids = std::vector<std::string>;
using std::chrono::milliseconds;

// A memory registry that can be made to fail, to hang and to lose its watches. One loop.
class Fragile final : public Registry {
 public:
  std::string_view name() const noexcept override { return "fragile"; }
  std::string describe() const override { return "fragile registry at 10.0.0.9:1"; }
  Task<Result<void>> register_service(Context& context, const Service& service, const RegisterOptions& options) override {
    return memory.register_service(context, service, options);
  }
  Task<Result<void>> deregister_service(Context& context, const Service& service) override {
    return memory.deregister_service(context, service);
  }
  Task<Result<std::vector<Service>>> list_services(Context& context) override { return memory.list_services(context); }
  Task<Result<std::vector<Service>>> get_service(Context& context, std::string_view service) override {
    ++gets;
    if (hangs) {
      co_await until_cancelled(context);
      co_return fail(*context.error());
    }
    if (down) co_return fail(refused());
    co_return co_await memory.get_service(context, service);
  }
  Task<Result<std::unique_ptr<Watcher>>> watch(Context& context, const WatchOptions& options) override {
    ++watches;
    if (down) co_return fail(refused());
    auto watcher = co_await memory.watch(context, options);
    if (!watcher) co_return watcher;
    co_return std::make_unique<Breakable>(*this, std::move(*watcher));
  }

  // Ends every watch with an error and answers nothing until `down` is false again.
  void go_down() {
    down = true;
    for (Breakable* watcher : live) watcher->inner->stop();
  }

  Memory memory;
  bool down = false;
  bool hangs = false;
  int gets = 0;
  int watches = 0;

 private:
  struct Breakable final : Watcher {
    Breakable(Fragile& o, std::unique_ptr<Watcher> w) : owner(o), inner(std::move(w)) { owner.live.push_back(this); }
    ~Breakable() override { std::erase(owner.live, this); }
    Task<Result<Event>> next(Context& context) override {
      auto event = co_await inner->next(context);
      if (!event && owner.down) co_return fail(refused());
      co_return event;
    }
    void stop() override { inner->stop(); }
    Fragile& owner;
    std::unique_ptr<Watcher> inner;
  };
  static Error refused() { return unavailable("connect to 10.0.0.9:1: Connection refused"); }
  std::vector<Breakable*> live;
};

class Recorder final : public CacheObserver {
 public:
  void on_change(const Event& event) override {
    EXPECT_EQ(event.service.nodes.size(), 1u);
    seen.push_back({event.change, event.service.name, event.service.nodes.at(0).id});
    happened.set();
  }
  void on_error(std::string_view service, const Error& error, Duration retry_in) override {
    errors.push_back(std::string(service) + ": " + error.message());
    pauses.push_back(retry_in);
    happened.set();
  }
  std::vector<Seen> seen;
  std::vector<std::string> errors;
  std::vector<Duration> pauses;
  micro::Event happened;
};

class CacheTest : public testing::Test {
 protected:
  CacheTest() {
    context_.set_timeout(std::chrono::seconds(60));
    cache_.start(loop_);
  }
  ~CacheTest() override { block_on(loop_, cache_.stop()); }

  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }
  void add(const Service& service) { ASSERT_TRUE(run(registry_->register_service(context_, service, {}))); }
  void remove(const Service& service) { ASSERT_TRUE(run(registry_->deregister_service(context_, service))); }
  Result<std::shared_ptr<const NodeList>> lookup(std::string_view service) { return run(cache_.lookup(context_, service)); }
  // Waits until the observer has been told `changes` changes and `errors` errors.
  void await(std::size_t changes, std::size_t errors = 0) {
    block_on(loop_, [](CacheTest& self, std::size_t c, std::size_t e) -> Task<void> {
      while (self.recorder_.seen.size() < c || self.recorder_.errors.size() < e) {
        self.recorder_.happened.reset();
        const auto waited = co_await self.recorder_.happened.wait(self.context_);
        if (!waited) throw std::runtime_error("nothing happened");
      }
    }(*this, changes, errors));
  }
  static Ids ids(const NodeList* list) {
    Ids all;
    if (list == nullptr) return {"null"};
    for (const Candidate& candidate : list->candidates) all.push_back(candidate.node.id + " " + candidate.version);
    return all;
  }

  Loop loop_;
  Context context_;
  Recorder recorder_;
  std::shared_ptr<Fragile> registry_ = std::make_shared<Fragile>();
  Cache cache_{
      registry_,
      {.min_backoff = milliseconds(1), .max_backoff = milliseconds(8), .keep_missing = milliseconds(1), .observer = &recorder_}};
};

TEST_F(CacheTest, AnswersAllVersionsInOneList) {
  add(one_node("greeter", "b", "v1"));
  add(one_node("greeter", "a", "v2"));
  const auto list = lookup("greeter");
  ASSERT_TRUE(list) << list.error().to_string();
  EXPECT_EQ((*list)->service, "greeter");
  EXPECT_EQ(ids(list->get()), (Ids{"a v2", "b v1"}));
}

TEST_F(CacheTest, AsksTheRegistryOnce) {
  add(one_node("greeter", "one"));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(lookup("greeter"));
  EXPECT_EQ(registry_->gets, 1);
  EXPECT_EQ(registry_->watches, 1);
}

TEST_F(CacheTest, ManyAskersShareOneQuestion) {
  add(one_node("greeter", "one"));
  const auto ask = [&](int& answers) -> Task<void> {
    const auto list = co_await cache_.lookup(context_, "greeter");
    EXPECT_EQ(ids(list.value().get()), Ids{"one v1"});
    ++answers;
  };
  const auto all = [&](int& answers) -> Task<void> {
    for (int i = 0; i < 10; ++i) spawn(ask(answers));
    while (answers < 10) co_await loop_.yield();
  };
  int answers = 0;
  block_on(loop_, all(answers));
  EXPECT_EQ(registry_->gets, 1);
  EXPECT_EQ(registry_->watches, 1);
}

TEST_F(CacheTest, AnUnknownServiceIsNotFoundAndForgotten) {
  const auto none = lookup("greeter");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kNotFound);
  EXPECT_EQ(none.error().message(), "no node of service \"greeter\" in memory registry of this process");
  EXPECT_EQ(Cache::View(cache_).get("greeter"), nullptr);
  add(one_node("greeter", "one"));
  EXPECT_TRUE(lookup("greeter"));
}

TEST_F(CacheTest, AnUnreachableRegistryIsSomethingElse) {
  registry_->down = true;
  const auto none = lookup("greeter");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kUnavailable);
  EXPECT_EQ(none.error().message(),
            "cannot look up service \"greeter\": the fragile registry at 10.0.0.9:1 cannot be reached: connect to 10.0.0.9:1: "
            "Connection refused; is it running, and is --registry_address right?");
  EXPECT_EQ(none.error().reason(), "REGISTRY_UNAVAILABLE");
  registry_->down = false;
  add(one_node("greeter", "one"));
  EXPECT_TRUE(lookup("greeter"));
}

TEST_F(CacheTest, ARegistryThatDoesNotAnswerIsUnavailable) {
  Cache impatient(registry_, {.timeout = milliseconds(5)});
  impatient.start(loop_);
  registry_->hangs = true;
  const auto none = run(impatient.lookup(context_, "greeter"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kUnavailable);
  EXPECT_EQ(none.error().message(),
            "cannot look up service \"greeter\": the fragile registry at 10.0.0.9:1 does not answer; is it running, and is "
            "--registry_address right?");
  block_on(loop_, impatient.stop());
}

TEST_F(CacheTest, TheCallersContextEndsItsOwnWaitOnly) {
  registry_->hangs = true;
  Context hurried(context_);
  hurried.set_timeout(milliseconds(1));
  const auto late = run(cache_.lookup(hurried, "greeter"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
  EXPECT_NE(late.error().message().find("looking up service \"greeter\""), std::string::npos) << late.error().message();
  const auto over = run(cache_.lookup(hurried, "greeter"));
  EXPECT_EQ(over.error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(registry_->gets, 1) << "the question goes on for others";
}

TEST_F(CacheTest, ViewsFollowEveryChangeUntilNothingIsLeft) {
  Cache::View view(cache_);
  EXPECT_EQ(view.get("greeter"), nullptr);
  add(one_node("greeter", "one"));
  EXPECT_EQ(view.get("greeter"), nullptr);
  ASSERT_TRUE(lookup("greeter"));
  EXPECT_EQ(ids(view.get("greeter")), Ids{"one v1"});
  const auto kept = view.share("greeter");
  EXPECT_EQ(view.get("greeter"), kept.get()) << "nothing changed: the same object";

  add(one_node("greeter", "two"));
  await(2);
  EXPECT_EQ(ids(view.get("greeter")), (Ids{"one v1", "two v1"}));
  add(one_node("greeter", "two", "v2"));
  await(3);
  EXPECT_EQ(ids(view.get("greeter")), (Ids{"one v1", "two v2"}));
  remove(one_node("greeter", "one"));
  remove(one_node("greeter", "two"));
  await(5);
  ASSERT_NE(view.get("greeter"), nullptr);
  EXPECT_EQ(ids(view.get("greeter")), Ids{});
  EXPECT_EQ(ids(lookup("greeter").value().get()), Ids{});
  EXPECT_EQ(ids(kept.get()), Ids{"one v1"}) << "a shared list never changes";
  add(one_node("greeter", "three"));
  await(6);
  EXPECT_EQ(ids(view.get("greeter")), Ids{"three v1"});
  EXPECT_EQ(recorder_.seen, (std::vector<Seen>{{Change::kCreate, "greeter", "one"},
                                               {Change::kCreate, "greeter", "two"},
                                               {Change::kUpdate, "greeter", "two"},
                                               {Change::kDelete, "greeter", "one"},
                                               {Change::kDelete, "greeter", "two"},
                                               {Change::kCreate, "greeter", "three"}}));
}

TEST_F(CacheTest, RenewingIsNoChange) {
  add(one_node("greeter", "one"));
  ASSERT_TRUE(lookup("greeter"));
  Cache::View view(cache_);
  const auto before = view.share("greeter");
  add(one_node("greeter", "one"));
  add(one_node("greeter", "two"));
  remove(one_node("greeter", "two"));
  await(3);
  EXPECT_EQ(*view.get("greeter"), *before);
  EXPECT_EQ(recorder_.seen.size(), 3u);
}

TEST_F(CacheTest, AnOutageKeepsTheLastListAndIsCaughtUpWith) {
  Cache::View view(cache_);
  add(one_node("greeter", "stays"));
  add(one_node("greeter", "goes"));
  add(one_node("greeter", "moves"));
  ASSERT_TRUE(lookup("greeter"));
  registry_->go_down();
  await(3, 6);
  EXPECT_EQ(ids(view.get("greeter")), (Ids{"goes v1", "moves v1", "stays v1"}));
  EXPECT_TRUE(lookup("greeter"));
  EXPECT_EQ(recorder_.errors.front(), "greeter: connect to 10.0.0.9:1: Connection refused");
  for (const Duration pause : recorder_.pauses) EXPECT_LE(pause, milliseconds(8));
  EXPECT_GE(recorder_.pauses[5], milliseconds(4)) << "the greatest pause, shortened by at most a half";

  remove(one_node("greeter", "goes"));
  add(one_node("greeter", "moves", "v2"));
  add(one_node("greeter", "comes"));
  registry_->down = false;
  await(6);
  EXPECT_EQ(ids(view.get("greeter")), (Ids{"comes v1", "moves v2", "stays v1"}));
  recorder_.seen.erase(recorder_.seen.begin(), recorder_.seen.begin() + 3);
  EXPECT_THAT(recorder_.seen,
              testing::UnorderedElementsAre(Seen{Change::kCreate, "greeter", "comes"}, Seen{Change::kUpdate, "greeter", "moves"},
                                            Seen{Change::kDelete, "greeter", "goes"}));
}

TEST_F(CacheTest, ARegistryThatComesBackEmptyIsBelieved) {
  Cache::View view(cache_);
  add(one_node("greeter", "one"));
  ASSERT_TRUE(lookup("greeter"));
  registry_->go_down();
  await(1, 1);
  remove(one_node("greeter", "one"));
  registry_->down = false;
  await(2);
  EXPECT_EQ(ids(view.get("greeter")), Ids{});
}

TEST_F(CacheTest, SaysHowLongTheRegistryHasBeenAway) {
  registry_->down = true;
  std::string message;
  while (message.find(" now: ") == std::string::npos && !context_.cancelled()) {
    const auto none = lookup("greeter");
    ASSERT_EQ(none.error().code(), Code::kUnavailable);
    message = none.error().message();
  }
  EXPECT_THAT(message, testing::HasSubstr("cannot be reached, for 1s now: connect to 10.0.0.9:1"));
  registry_->down = false;
  EXPECT_EQ(lookup("greeter").error().code(), Code::kNotFound);
  registry_->down = true;
  EXPECT_EQ(lookup("fourth").error().message().find(" now: "), std::string::npos) << "it has answered meanwhile";
}

TEST_F(CacheTest, LookupsThatFailDoNotBecomeAStampede) {
  Cache patient(registry_, {.min_backoff = std::chrono::hours(1), .max_lookup_pause = std::chrono::hours(1)});
  patient.start(loop_);
  EXPECT_EQ(run(patient.lookup(context_, "nobody")).error().code(), Code::kNotFound);
  for (int i = 0; i < 10; ++i) {
    Context hurried(context_);
    hurried.set_timeout(milliseconds(1));
    EXPECT_EQ(run(patient.lookup(hurried, "nobody")).error().code(), Code::kDeadlineExceeded);
  }
  EXPECT_EQ(registry_->watches, 1);
  EXPECT_EQ(registry_->gets, 1);
  EXPECT_EQ(run(patient.lookup(context_, "somebody else")).error().code(), Code::kNotFound) << "other names do not wait";
  block_on(loop_, patient.stop());
}

TEST_F(CacheTest, WhoAsksDuringThePauseSharesTheNextQuestion) {
  registry_->down = true;
  Cache cache(registry_, {.min_backoff = milliseconds(20)});
  cache.start(loop_);
  EXPECT_EQ(run(cache.lookup(context_, "greeter")).error().code(), Code::kUnavailable);
  add(one_node("greeter", "one"));
  registry_->down = false;
  const auto ask = [&](int& answers) -> Task<void> {
    EXPECT_TRUE(co_await cache.lookup(context_, "greeter"));
    ++answers;
  };
  const auto all = [&](int& answers) -> Task<void> {
    for (int i = 0; i < 10; ++i) spawn(ask(answers));
    while (answers < 10) co_await loop_.yield();
  };
  int answers = 0;
  block_on(loop_, all(answers));
  EXPECT_EQ(registry_->watches, 2);
  EXPECT_EQ(registry_->gets, 1);
  block_on(loop_, cache.stop());
}

// A cache with patience for nodes that a registry has lost.
class CacheKeepsMissing : public CacheTest {
 protected:
  CacheKeepsMissing() { keeping_.start(loop_); }
  ~CacheKeepsMissing() override { block_on(loop_, keeping_.stop()); }
  // The registry goes away and comes back without any record.
  void lose_everything() {
    ASSERT_TRUE(run(keeping_.lookup(context_, "greeter")));
    const std::size_t errors = recorder_.errors.size();
    registry_->go_down();
    await(0, errors + 1);
    for (const char* id : {"one", "two"}) remove(one_node("greeter", id));
    registry_->down = false;
    // Seen once it follows again.
    const std::size_t seen = recorder_.seen.size();
    add(one_node("greeter", "new"));
    await(seen + 1);
  }

  Cache keeping_{registry_,
                 {.min_backoff = milliseconds(1),
                  .max_backoff = milliseconds(8),
                  .keep_missing = std::chrono::hours(1),
                  .observer = &recorder_}};
  Cache::View view_{keeping_};
};

TEST_F(CacheKeepsMissing, AWipedRegistryLosesNoNode) {
  for (const char* id : {"one", "two"}) add(one_node("greeter", id));
  lose_everything();
  EXPECT_EQ(ids(view_.get("greeter")), (Ids{"new v1", "one v1", "two v1"}));
  EXPECT_EQ(recorder_.seen.size(), 3u) << "nobody has left";

  add(one_node("greeter", "one"));
  remove(one_node("greeter", "new"));
  await(4);
  EXPECT_EQ(ids(view_.get("greeter")), (Ids{"one v1", "two v1"})) << "renewed: as before";
  remove(one_node("greeter", "one"));
  await(5);
  EXPECT_EQ(ids(view_.get("greeter")), Ids{"two v1"}) << "what the registry says itself goes before";
}

TEST_F(CacheKeepsMissing, ManyOutagesDoNotLoseThemEither) {
  for (const char* id : {"one", "two"}) add(one_node("greeter", id));
  lose_everything();
  remove(one_node("greeter", "new"));
  await(4);
  lose_everything();
  EXPECT_EQ(ids(view_.get("greeter")), (Ids{"new v1", "one v1", "two v1"}));
}

TEST_F(CacheTest, StopCancelsWhatWaits) {
  registry_->hangs = true;
  std::optional<Result<std::shared_ptr<const NodeList>>> answer;
  const auto ask = [&](micro::Event& done) -> Task<void> {
    answer.emplace(co_await cache_.lookup(context_, "greeter"));
    done.set();
  };
  const auto stop_meanwhile = [&]() -> Task<void> {
    micro::Event done;
    spawn(ask(done));
    while (registry_->gets == 0) co_await loop_.yield();
    co_await cache_.stop();
    co_await done.wait();
  };
  block_on(loop_, stop_meanwhile());
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().code(), Code::kCancelled);
  EXPECT_EQ(lookup("greeter").error().code(), Code::kCancelled);
}

TEST_F(CacheTest, StopEndsWatchesAndRetries) {
  add(one_node("greeter", "one"));
  add(one_node("other", "one"));
  ASSERT_TRUE(lookup("greeter"));
  registry_->go_down();
  await(1, 2);
  registry_->down = false;
  ASSERT_TRUE(lookup("other"));
  block_on(loop_, cache_.stop());
  block_on(loop_, cache_.stop());
  EXPECT_EQ(lookup("other").error().code(), Code::kCancelled);
}

TEST_F(CacheTest, NotStartedIsAPreconditionNotMet) {
  Cache idle(registry_);
  EXPECT_EQ(run(idle.lookup(context_, "greeter")).error().code(), Code::kFailedPrecondition);
  block_on(loop_, idle.stop());
}

// Several loops with a view each follow a cache whose home is a loop of its own, and one of them stops it.
TEST(CacheOnLoops, EveryLoopSeesEveryChange) {
  constexpr int kNodes = 30;
  const auto registry = std::make_shared<Memory>();
  Cache cache(registry);
  LoopGroup home({.size = 1, .name = "home"});
  cache.start(home.loop(0));
  home.start();
  Loop main;
  Context context;
  ASSERT_TRUE(block_on(main, registry->register_service(context, one_node("greeter", "node-0"), {})));
  std::atomic<int> full = 0;
  std::vector<std::thread> followers;
  for (int i = 0; i < 2; ++i) {
    followers.emplace_back([&] {
      Loop loop;
      Context own;
      Cache::View view(cache);
      EXPECT_TRUE(block_on(loop, cache.lookup(own, "greeter")));
      const auto wait_for = [&](std::size_t count) -> Task<void> {
        while (view.get("greeter")->candidates.size() != count) co_await loop.yield();
      };
      block_on(loop, wait_for(kNodes));
      ++full;
      block_on(loop, wait_for(0));
    });
  }
  for (int i = 1; i < kNodes; ++i) {
    ASSERT_TRUE(block_on(main, registry->register_service(context, one_node("greeter", "node-" + std::to_string(i)), {})));
  }
  while (full < 2) std::this_thread::yield();
  for (int i = 0; i < kNodes; ++i) {
    ASSERT_TRUE(block_on(main, registry->deregister_service(context, one_node("greeter", "node-" + std::to_string(i)))));
  }
  for (std::thread& follower : followers) follower.join();
  block_on(main, cache.stop());
  home.stop();
  home.join();
}

}  // namespace
}  // namespace micro::registry
