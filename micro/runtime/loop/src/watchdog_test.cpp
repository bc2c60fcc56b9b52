#include <micro/loop/watchdog.hpp>

#include <semaphore>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stuck_loops.hpp"

namespace micro {
namespace {

using namespace std::chrono_literals;

struct Reports final : Watchdog::Observer {
  void on_stuck(const std::string& loop_name, Duration so_far) override { seen.emplace_back(loop_name, so_far); }
  std::vector<std::pair<std::string, Duration>> seen;
};

TEST(StuckLoops, ALongTurnIsToldOfWhileItGoesOn) {
  LoopGroup group({.size = 2, .name = "g"});
  Reports reports;
  StuckLoops stuck(group, reports, 1s);
  stuck.check(Clock::now() + 1h);
  EXPECT_TRUE(reports.seen.empty()) << "a loop that has not begun a turn is not stuck";

  Loop& loop = group.loop(1);
  loop.post_remote([&] {
    const TimePoint began = loop.now();
    stuck.check(began + 999ms);
    EXPECT_TRUE(reports.seen.empty());
    for (const Duration after : {Duration(1s), Duration(1s), Duration(1500ms), Duration(2s), Duration(3s), Duration(4s)})
      stuck.check(began + after);
  });
  loop.run_once(0ns);
  using Report = std::pair<std::string, Duration>;
  EXPECT_THAT(reports.seen, testing::ElementsAre(Report("g-1", 1s), Report("g-1", 2s), Report("g-1", 4s)));

  reports.seen.clear();
  stuck.check(Clock::now() + 1h);
  EXPECT_TRUE(reports.seen.empty()) << "the turn has ended";
  loop.post_remote([&] { stuck.check(loop.now() + 1s); });
  loop.run_once(0ns);
  EXPECT_EQ(reports.seen.size(), 1U) << "another turn, told of anew";
}

// The turn ends only because the watchdog spoke while it went on.
TEST(Watchdog, SpeaksWhileTheLoopIsBlocked) {
  struct Release final : Watchdog::Observer {
    void on_stuck(const std::string& loop_name, Duration) override {
      if (std::exchange(name, loop_name).empty()) told.release();
    }
    std::string name;
    std::binary_semaphore told{0};
  } release;
  LoopGroup group({.size = 1, .name = "g"});
  group.start();
  std::binary_semaphore done{0};
  {
    const Watchdog watchdog(group, release, 1ms);
    group.loop(0).post_remote([&] {
      release.told.acquire();
      done.release();
    });
    done.acquire();
  }
  EXPECT_EQ(release.name, "g-0");
}

}  // namespace
}  // namespace micro
