#include <micro/registry/back_end.hpp>

#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/loop/loop.hpp>

namespace micro::registry {
namespace {

using testing::ElementsAre;

Service record(const std::string& service, const std::string& id, const std::string& address = "10.0.0.1:80") {
  return {.name = service, .version = "v1", .nodes = {{.id = id, .address = address}}};
}

std::string told(const Event& event) {
  constexpr const char* kNames[] = {"+", "*", "-"};
  return kNames[static_cast<int>(event.change)] + event.service.name + "/" + event.service.nodes.at(0).id;
}

std::vector<std::string> told(const std::vector<Event>& events) {
  std::vector<std::string> all;
  for (const Event& event : events) all.push_back(told(event));
  return all;
}

TEST(Differences, TellEachNodeOnce) {
  Service two = record("a", "1");
  two.nodes.push_back({.id = "2", .address = "10.0.0.2:80"});
  EXPECT_THAT(told(differences({}, {two, record("b", "1")})), ElementsAre("+a/1", "+a/2", "+b/1"));
  EXPECT_THAT(told(differences({two}, {two})), ElementsAre());
  EXPECT_THAT(told(differences({two}, {record("a", "1", "10.0.0.9:80")})), ElementsAre("*a/1", "-a/2"));
}

TEST(Differences, NewNodesComeBeforeThoseThatLeft) {
  EXPECT_THAT(told(differences({record("a", "1")}, {record("a", "2")})), ElementsAre("+a/2", "-a/1"));
}

TEST(Differences, AnotherVersionOfANodeIsAnUpdate) {
  Service newer = record("a", "1");
  newer.version = "v2";
  const std::vector<Event> events = differences({record("a", "1")}, {newer});
  ASSERT_THAT(told(events), ElementsAre("*a/1"));
  EXPECT_EQ(events[0].service, newer);
}

// Runs on the test's own loop.
class WatchQueueTest : public testing::Test {
 protected:
  WatchQueueTest() {
    auto make = [this]() -> Task<void> {
      queue_ = std::move(WatchQueue::make().value());
      watcher_ = queue_->watcher([this] { ++stops_; });
      co_return;
    };
    block_on(loop_, make());
  }

  Result<Event> next() { return block_on(loop_, watcher_->next(context_)); }
  std::string read() {
    const Result<Event> event = next();
    return event ? told(*event) : event.error().to_string();
  }

  Loop loop_;
  Context context_;
  int stops_ = 0;
  std::shared_ptr<WatchQueue> queue_;
  std::unique_ptr<Watcher> watcher_;
};

TEST(WatchQueue, NeedsALoop) { EXPECT_EQ(WatchQueue::make().error().code(), Code::kFailedPrecondition); }

TEST_F(WatchQueueTest, KeepsTheOrder) {
  queue_->push({.change = Change::kCreate, .service = record("a", "1")});
  queue_->push({.change = Change::kDelete, .service = record("a", "1")});
  EXPECT_EQ(read(), "+a/1");
  EXPECT_EQ(read(), "-a/1");
}

TEST_F(WatchQueueTest, IsFedFromAnotherThread) {
  std::thread other([queue = queue_] { queue->push({.change = Change::kCreate, .service = record("a", "1")}); });
  EXPECT_EQ(read(), "+a/1");
  other.join();
}

TEST_F(WatchQueueTest, AFailureComesAfterWhatWasPushedAndStays) {
  queue_->push({.change = Change::kCreate, .service = record("a", "1")});
  queue_->fail(unavailable("the line is down"));
  queue_->fail(unavailable("another"));
  EXPECT_EQ(read(), "+a/1");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(next().error().message(), "the line is down");
}

TEST_F(WatchQueueTest, StoppingEndsWhoWaitsAndIsToldOnce) {
  auto stop = [this]() -> Task<void> {
    watcher_->stop();
    co_return;
  };
  auto wait_and_stop = [&]() -> Task<Result<Event>> {
    auto [event, stopped] = co_await when_all(watcher_->next(context_), stop());
    co_return event;
  };
  EXPECT_EQ(block_on(loop_, wait_and_stop()).error().code(), Code::kCancelled);
  watcher_.reset();
  EXPECT_EQ(stops_, 1);
  queue_->push({.change = Change::kCreate, .service = record("a", "1")});
}

TEST_F(WatchQueueTest, ThePassingOfTheDeadlineIsACancellation) {
  context_.set_timeout(std::chrono::milliseconds(1));
  EXPECT_EQ(next().error().code(), Code::kCancelled);
}

}  // namespace
}  // namespace micro::registry
