#include <micro/health/health.hpp>

#include <atomic>
#include <latch>
#include <thread>

namespace micro {
namespace {

using Status = Health::Status;

// Writes down what it hears and then does what the test wants.
class Recorder final : public HealthListener {
 public:
  explicit Recorder(std::function<void(Status)> then = nullptr) : then_(std::move(then)) {}
  void on_health(std::string_view service, Status status) noexcept override {
    heard.push_back(std::string(service) + '=' + std::string(to_string(status)));
    thread = std::this_thread::get_id();
    if (then_) then_(status);
  }
  std::vector<std::string> heard;
  std::thread::id thread;

 private:
  std::function<void(Status)> then_;
};

using Heard = std::vector<std::string>;

TEST(Health, StatusesByName) {
  Health health;
  EXPECT_EQ(health.get(""), Status::kServing);
  EXPECT_EQ(health.get("greeter"), Status::kServiceUnknown);
  health.set("greeter", Status::kNotServing);
  health.set("a", Status::kUnknown);
  health.set("", Status::kNotServing);
  EXPECT_EQ(health.get("greeter"), Status::kNotServing);
  EXPECT_EQ(health.list(), (std::vector<std::pair<std::string, Status>>{
                               {"", Status::kNotServing}, {"a", Status::kUnknown}, {"greeter", Status::kNotServing}}));
  health.set("a", Status::kServiceUnknown);
  health.set("never there", Status::kServiceUnknown);
  EXPECT_EQ(health.list().size(), 2U);
  EXPECT_EQ(Health(Status::kNotServing).get(""), Status::kNotServing);
}

TEST(Health, NamesAndNumbersAreThoseOfGrpcHealth) {
  const std::tuple<Status, int, std::string_view> cases[] = {{Status::kUnknown, 0, "UNKNOWN"},
                                                             {Status::kServing, 1, "SERVING"},
                                                             {Status::kNotServing, 2, "NOT_SERVING"},
                                                             {Status::kServiceUnknown, 3, "SERVICE_UNKNOWN"}};
  for (const auto& [status, number, name] : cases) {
    EXPECT_EQ(static_cast<int>(status), number);
    EXPECT_EQ(to_string(status), name);
  }
}

TEST(Health, ShutdownIsDeafUntilResume) {
  Health health;
  health.set("up", Status::kServing);
  health.set("down", Status::kNotServing);
  Recorder up, unknown;
  HealthSubscription a, b;
  a.start(health, "up", up);
  b.start(health, "unknown", unknown);

  health.shutdown();
  health.shutdown();
  EXPECT_TRUE(health.is_shut_down());
  health.set("up", Status::kServing);
  health.set("unknown", Status::kServing);
  for (const auto& [service, status] : health.list()) EXPECT_EQ(status, Status::kNotServing) << service;
  EXPECT_EQ(health.get("unknown"), Status::kServiceUnknown);

  health.resume();
  EXPECT_FALSE(health.is_shut_down());
  EXPECT_EQ(health.get(""), Status::kServing);
  EXPECT_EQ(health.get("down"), Status::kNotServing) << "as before the shutdown";
  EXPECT_EQ(up.heard, (Heard{"up=SERVING", "up=NOT_SERVING", "up=SERVING"}));
  EXPECT_EQ(unknown.heard, Heard{"unknown=SERVICE_UNKNOWN"});
}

TEST(HealthSubscription, HearsThePresentThenChangesOfItsServiceOnly) {
  Health health;
  Recorder recorder;
  HealthSubscription subscription;
  EXPECT_FALSE(subscription.started());
  subscription.start(health, "greeter", recorder);
  EXPECT_TRUE(subscription.started());
  EXPECT_EQ(recorder.heard, Heard{"greeter=SERVICE_UNKNOWN"});
  health.set("greeter", Status::kServing);
  health.set("greeter", Status::kServing);
  health.set("other", Status::kServing);
  health.set("", Status::kNotServing);
  health.set("greeter", Status::kServiceUnknown);
  EXPECT_EQ(recorder.heard, (Heard{"greeter=SERVICE_UNKNOWN", "greeter=SERVING", "greeter=SERVICE_UNKNOWN"}));
  EXPECT_EQ(recorder.thread, std::this_thread::get_id());

  subscription.stop();
  subscription.stop();
  health.set("greeter", Status::kServing);
  EXPECT_EQ(recorder.heard.size(), 3U);

  subscription.start(health, "", recorder);
  subscription.start(health, "greeter", recorder);  // moves
  health.set("", Status::kServing);
  EXPECT_EQ(recorder.heard.back(), "greeter=SERVING");
}

TEST(HealthSubscription, EndsWithTheHealth) {
  HealthSubscription subscription;
  Recorder recorder;
  {
    Health health;
    subscription.start(health, "", recorder);
  }
  EXPECT_FALSE(subscription.started());
}

TEST(HealthSubscription, AListenerMayChangeStatuses) {
  Health health;
  Recorder dependent;
  Recorder source([&](Status status) {
    health.set("dependent", status);
    if (status == Status::kNotServing) health.set("source", Status::kUnknown);  // hears its own change afterwards
  });
  HealthSubscription a, b;
  a.start(health, "dependent", dependent);
  b.start(health, "source", source);
  health.set("source", Status::kNotServing);
  EXPECT_EQ(source.heard, (Heard{"source=SERVICE_UNKNOWN", "source=NOT_SERVING", "source=UNKNOWN"}));
  EXPECT_EQ(dependent.heard, (Heard{"dependent=SERVICE_UNKNOWN", "dependent=NOT_SERVING", "dependent=UNKNOWN"}));
}

TEST(HealthSubscription, AListenerMayEndItselfAndOthers) {
  Health health;
  auto own = std::make_unique<HealthSubscription>();
  auto other = std::make_unique<HealthSubscription>();
  Recorder bystander;
  Recorder recorder([&](Status status) {
    if (status != Status::kNotServing) return;
    own.reset();
    other.reset();
    health.set("", Status::kUnknown);
  });
  own->start(health, "", recorder);
  other->start(health, "", bystander);
  health.set("", Status::kNotServing);
  EXPECT_EQ(recorder.heard, (Heard{"=SERVING", "=NOT_SERVING"}));
  EXPECT_EQ(bystander.heard, Heard{"=SERVING"}) << "ended before its turn";

  HealthSubscription at_once;
  Recorder impatient([&](Status) { at_once.stop(); });
  at_once.start(health, "", impatient);
  EXPECT_FALSE(at_once.started());
  health.set("", Status::kServing);
  EXPECT_EQ(impatient.heard, Heard{"=UNKNOWN"});
}

TEST(HealthSubscription, ManyHearTheSame) {
  Health health;
  std::vector<Recorder> recorders(100);
  std::vector<HealthSubscription> subscriptions(100);
  for (std::size_t i = 0; i < 100; ++i) subscriptions[i].start(health, i % 2 == 0 ? "" : "odd", recorders[i]);
  for (std::size_t i = 0; i < 100; i += 3) subscriptions[i].stop();
  health.shutdown();
  for (std::size_t i = 0; i < 100; ++i) {
    const Heard expected = i % 2 != 0   ? Heard{"odd=SERVICE_UNKNOWN"}
                           : i % 3 == 0 ? Heard{"=SERVING"}
                                        : Heard{"=SERVING", "=NOT_SERVING"};
    EXPECT_EQ(recorders[i].heard, expected) << i;
  }
}

TEST(HealthSubscription, StopWaitsForACallOnAnotherThread) {
  Health health;
  std::latch running(1);
  std::latch go_on(1);
  std::atomic<bool> returned = false;
  Recorder slow([&](Status status) {
    if (status != Status::kNotServing) return;
    running.count_down();
    go_on.wait();
    returned = true;
  });
  HealthSubscription subscription;
  subscription.start(health, "", slow);
  std::thread changer([&] { health.set("", Status::kNotServing); });
  running.wait();
  health.set("", Status::kUnknown);  // does not wait: the other thread would tell it afterwards
  std::thread releaser([&] { go_on.count_down(); });
  subscription.stop();
  EXPECT_TRUE(returned);
  EXPECT_FALSE(subscription.started());
  changer.join();
  releaser.join();
  EXPECT_LE(slow.heard.size(), 3U);
  const auto count = slow.heard.size();
  health.set("", Status::kServing);
  EXPECT_EQ(slow.heard.size(), count);
}

TEST(HealthSubscription, ConcurrentChangesEndWithTheLastStatus) {
  Health health;
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  Recorder recorder([&](Status) {
    if (inside.fetch_add(1) != 0) overlapped = true;
    inside.fetch_sub(1);
  });
  HealthSubscription steady;
  steady.start(health, "s", recorder);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&health, t] {
      Recorder own;
      for (int i = 0; i < 500; ++i) {
        HealthSubscription passing;
        passing.start(health, "s", own);
        health.set("s", (i + t) % 2 == 0 ? Status::kServing : Status::kNotServing);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
  EXPECT_EQ(recorder.heard.back(), "s=" + std::string(to_string(health.get("s"))));
  for (std::size_t i = 1; i < recorder.heard.size(); ++i) EXPECT_NE(recorder.heard[i], recorder.heard[i - 1]);
}

}  // namespace
}  // namespace micro
