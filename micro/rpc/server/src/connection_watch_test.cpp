#include "connection_watch.hpp"

#include <gtest/gtest.h>

namespace micro::rpc {
namespace {

using Verdict = ConnectionWatch::Verdict;

constexpr TimePoint at(int seconds) { return TimePoint{} + std::chrono::seconds(seconds); }

ServerOptions limits() {
  ServerOptions options;
  options.header_timeout = std::chrono::seconds(10);
  options.body_timeout = std::chrono::seconds(20);
  options.write_timeout = std::chrono::seconds(30);
  options.idle_timeout = std::chrono::seconds(100);
  options.keepalive_time = std::chrono::seconds(60);
  options.keepalive_timeout = std::chrono::seconds(5);
  options.min_transfer_rate = 100;
  return options;
}

class Watched {
 public:
  explicit Watched(ServerOptions options = limits()) : options_(options) {}
  Verdict look(int second) { return watch_.look(sample, options_, at(second)); }
  ConnectionSample sample;

 private:
  ServerOptions options_;
  ConnectionWatch watch_{at(0)};
};

TEST(ConnectionWatch, NewConnectionsHaveTheHeaderTimeout) {
  Watched watched;
  EXPECT_EQ(watched.look(9), Verdict::kFine);
  EXPECT_EQ(watched.look(10), Verdict::kHeadLate);
}

TEST(ConnectionWatch, AHeadThatTricklesIsLate) {
  Watched watched;
  for (int second = 1; second < 10; ++second) {
    watched.sample.received += 1000;
    EXPECT_EQ(watched.look(second), Verdict::kFine);
  }
  EXPECT_EQ(watched.look(10), Verdict::kHeadLate);
}

TEST(ConnectionWatch, ALaterHeadHasItsOwnTime) {
  Watched watched;
  watched.sample.phase = Phase::kIdle;
  watched.sample.requests = 1;
  EXPECT_EQ(watched.look(9), Verdict::kFine);
  EXPECT_EQ(watched.look(50), Verdict::kFine);
  watched.sample.phase = Phase::kHead;
  EXPECT_EQ(watched.look(51), Verdict::kFine);
  EXPECT_EQ(watched.look(60), Verdict::kFine);
  EXPECT_EQ(watched.look(61), Verdict::kHeadLate);
}

// Every look meets a request that has just begun: none of them is slow.
TEST(ConnectionWatch, ABusyConnectionIsNotLate) {
  Watched watched;
  for (int second = 1; second < 200; ++second) {
    watched.sample.phase = second % 2 == 0 ? Phase::kBody : Phase::kHead;
    ++watched.sample.requests;
    EXPECT_EQ(watched.look(second), Verdict::kFine) << second;
  }
}

TEST(ConnectionWatch, BodiesKeepTheRate) {
  Watched watched;
  watched.sample.phase = Phase::kBody;
  watched.sample.requests = 1;
  EXPECT_EQ(watched.look(1), Verdict::kFine);
  watched.sample.received = 2000;
  EXPECT_EQ(watched.look(21), Verdict::kFine) << "100 bytes a second, for 20 seconds";
  watched.sample.received += 1999;
  EXPECT_EQ(watched.look(40), Verdict::kFine) << "the window is not over";
  EXPECT_EQ(watched.look(41), Verdict::kBodyLate);
}

TEST(ConnectionWatch, BytesThatAreNotReadAreNotLate) {
  Watched watched;
  watched.sample.phase = Phase::kBusy;
  for (int second = 1; second < 1000; second += 10) EXPECT_EQ(watched.look(second), Verdict::kFine);
}

TEST(ConnectionWatch, OutputIsTakenInTime) {
  Watched watched;
  watched.sample.phase = Phase::kBusy;
  watched.sample.output_waits = true;
  EXPECT_EQ(watched.look(1), Verdict::kFine);
  EXPECT_EQ(watched.look(30), Verdict::kFine);
  watched.sample.sent = 3000;
  EXPECT_EQ(watched.look(31), Verdict::kFine);
  watched.sample.output_waits = false;
  EXPECT_EQ(watched.look(40), Verdict::kFine);
  watched.sample.output_waits = true;
  EXPECT_EQ(watched.look(41), Verdict::kFine) << "it was gone meanwhile";
  EXPECT_EQ(watched.look(70), Verdict::kFine);
  EXPECT_EQ(watched.look(71), Verdict::kNotTaken);
}

TEST(ConnectionWatch, IdleConnectionsAreToldThenClosed) {
  Watched watched;
  watched.sample.phase = Phase::kIdle;
  watched.sample.requests = 1;
  EXPECT_EQ(watched.look(1), Verdict::kFine);
  EXPECT_EQ(watched.look(100), Verdict::kFine);
  EXPECT_EQ(watched.look(101), Verdict::kIdle);
  EXPECT_EQ(watched.look(105), Verdict::kFine);
  EXPECT_EQ(watched.look(106), Verdict::kStillIdle);
}

TEST(ConnectionWatch, ARequestBetweenTwoLooksIsNoIdleTime) {
  Watched watched;
  watched.sample.phase = Phase::kIdle;
  for (int second = 1; second < 1000; second += 99) {
    ++watched.sample.requests;
    EXPECT_EQ(watched.look(second), Verdict::kFine) << second;
  }
}

TEST(ConnectionWatch, SilentPeersArePinged) {
  Watched watched;
  watched.sample.phase = Phase::kBusy;
  watched.sample.requests = 1;
  watched.sample.received = 50;
  watched.sample.can_ping = true;
  EXPECT_EQ(watched.look(1), Verdict::kFine);
  EXPECT_EQ(watched.look(60), Verdict::kFine);
  EXPECT_EQ(watched.look(61), Verdict::kPing);
  EXPECT_EQ(watched.look(62), Verdict::kFine);
  watched.sample.received += 17;  // the answer
  EXPECT_EQ(watched.look(63), Verdict::kFine);
  EXPECT_EQ(watched.look(123), Verdict::kPing);
  EXPECT_EQ(watched.look(127), Verdict::kFine);
  EXPECT_EQ(watched.look(128), Verdict::kDead);
}

TEST(ConnectionWatch, ACallThatIsSilentForHoursStays) {
  Watched watched;
  watched.sample.phase = Phase::kBusy;
  watched.sample.can_ping = true;
  for (int second = 1; second < 5 * 3600; ++second) {
    const Verdict verdict = watched.look(second);
    if (verdict == Verdict::kPing) watched.sample.received += 17;
    ASSERT_TRUE(verdict == Verdict::kFine || verdict == Verdict::kPing) << second;
  }
}

TEST(ConnectionWatch, AgeIsToldOnce) {
  ServerOptions options = limits();
  options.max_connection_age = std::chrono::seconds(50);
  Watched watched(options);
  watched.sample.phase = Phase::kBusy;
  EXPECT_EQ(watched.look(49), Verdict::kFine);
  EXPECT_EQ(watched.look(50), Verdict::kOld);
  EXPECT_EQ(watched.look(51), Verdict::kFine);
}

TEST(ConnectionWatch, ZeroSwitchesALimitOff) {
  ServerOptions options;
  options.header_timeout = options.body_timeout = options.write_timeout = options.idle_timeout = options.keepalive_time =
      Duration{};
  for (const Phase phase : {Phase::kHead, Phase::kBody, Phase::kBusy, Phase::kIdle}) {
    Watched watched(options);
    watched.sample.phase = phase;
    watched.sample.output_waits = watched.sample.can_ping = true;
    for (int second = 1; second < 100'000; second += 1000) EXPECT_EQ(watched.look(second), Verdict::kFine);
  }
}

TEST(ConnectionWatch, LooksOftenEnough) {
  EXPECT_EQ(ConnectionWatch::interval({}), std::chrono::seconds(1));
  ServerOptions options;
  options.keepalive_timeout = std::chrono::milliseconds(400);
  EXPECT_EQ(ConnectionWatch::interval(options), std::chrono::milliseconds(100));
  options.header_timeout = std::chrono::milliseconds(1);
  EXPECT_EQ(ConnectionWatch::interval(options), std::chrono::milliseconds(10));
}

}  // namespace
}  // namespace micro::rpc
