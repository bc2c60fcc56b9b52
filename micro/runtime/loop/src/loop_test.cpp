#include <micro/loop/loop.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include <micro/loop/fd_watch.hpp>
#include <micro/loop/group.hpp>
#include <micro/loop/signals.hpp>
#include <micro/task/task.hpp>

#include "timer_heap.hpp"

namespace micro {
namespace {

using namespace std::chrono_literals;

// Turns until nothing is left to do at once.
void drain(Loop& loop) {
  while (loop.run_once(0ms)) {
  }
}

TEST(Loop, PostedCoroutinesRunInOrderAndNotInsidePost) {
  Loop loop;
  std::string order;
  auto body = [](Loop& l, std::string& out, char name) -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      co_await l.yield();
      out += name;
    }
  };
  for (const char name : {'a', 'b', 'c'}) spawn(body(loop, order, name));
  EXPECT_EQ(order, "");
  drain(loop);
  EXPECT_EQ(order, "abcabcabc");
  EXPECT_EQ(loop.counters().resumed, 9u);
}

TEST(Loop, CurrentIsSetWhileItRuns) {
  Loop outer;
  Loop inner;
  Loop* seen_outer = nullptr;
  Loop* seen_inner = nullptr;
  EXPECT_EQ(Loop::current(), nullptr);
  inner.post_remote([&] { seen_inner = Loop::current(); });
  outer.post_remote([&] {
    drain(inner);
    seen_outer = Loop::current();
  });
  drain(outer);
  EXPECT_EQ(seen_inner, &inner);
  EXPECT_EQ(seen_outer, &outer);
  EXPECT_EQ(Loop::current(), nullptr);
  EXPECT_EQ(resume_state.queue, nullptr);
}

TEST(Loop, StopBeforeAndDuringRun) {
  Loop loop;
  int runs = 0;
  loop.stop();
  loop.run();
  loop.post_remote([&] {
    ++runs;
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(runs, 1);
}

TEST(Loop, FunctionsFromOtherThreadsAllArriveInOrder) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2'000;
  Loop loop;
  std::vector<int> next(kThreads);
  bool in_order = true;
  int left = kThreads * kEach;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        loop.post_remote([&, t, i] {
          in_order = in_order && next[t]++ == i;
          if (--left == 0) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(left, 0);
  EXPECT_EQ(loop.counters().posted, static_cast<std::uint64_t>(kThreads * kEach));
}

TEST(Loop, DestroyingItFreesFunctionsThatNeverRan) {
  auto counted = std::make_shared<int>(0);
  {
    Loop loop;
    loop.post_remote([counted] { ++*counted; });
    EXPECT_EQ(counted.use_count(), 2);
  }
  EXPECT_EQ(counted.use_count(), 1);
  EXPECT_EQ(*counted, 0);
}

TEST(Loop, ScheduleMovesACoroutineBetweenLoops) {
  LoopGroup group({.size = 2, .name = "hop"});
  group.start();
  std::atomic<int> done = 0;
  auto body = [](LoopGroup& g, std::atomic<int>& out) -> Task<void> {
    bool right = true;
    for (std::size_t i = 0; i < 100; ++i) {
      co_await g.loop(i % 2).schedule();
      right = right && g.current_index() == i % 2;
    }
    out = right ? 1 : 2;
    out.notify_one();
  };
  spawn(body(group, done));
  done.wait(0);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(group.current_index(), group.size());
}

TEST(LoopGroup, MayBeStoppedWithoutStartAndStartedAgain) {
  LoopGroup group({.size = 3});
  EXPECT_EQ(group.size(), 3u);
  group.stop();
  for (int round = 0; round < 2; ++round) {
    group.start();
    std::atomic<std::size_t> seen = 0;
    for (std::size_t i = 0; i < group.size(); ++i) {
      group.loop(i).post_remote([&, i] {
        if (group.current_index() == i && Loop::current() == &group.loop(i)) ++seen;
        seen.notify_one();
      });
    }
    for (std::size_t value = seen; value != group.size(); value = seen) seen.wait(value);
    group.stop();
    group.join();
  }
  EXPECT_GE(LoopGroup().size(), 1u);
}

struct Flusher {
  explicit Flusher(std::string& o, char n) : out(o), name(n) {}
  std::string& out;
  char name;
  int again = 0;
  Loop* loop = nullptr;
  Deferred deferred{[](void* self) {
                      auto& flusher = *static_cast<Flusher*>(self);
                      flusher.out += flusher.name;
                      if (flusher.again-- > 0) flusher.loop->defer(flusher.deferred);
                    },
                    this};
};

TEST(Deferred, RunsOnceAtTheEndOfTheTurn) {
  Loop loop;
  std::string out;
  Flusher a(out, 'a');
  Flusher b(out, 'b');
  a.loop = &loop;
  a.again = 2;
  auto body = [](Loop& l, Flusher& x, Flusher& y, std::string& o) -> Task<void> {
    co_await l.yield();
    l.defer(x.deferred);
    l.defer(y.deferred);
    l.defer(x.deferred);
    o += '1';
    co_await l.yield();
    o += '2';
  };
  spawn(body(loop, a, b, out));
  loop.run_once(0ms);
  EXPECT_EQ(out, "12ab") << "after everything that is ready, however it was asked for";
  loop.run_once(0ms);
  EXPECT_EQ(out, "12aba") << "asked for again while it ran: the next turn";
  drain(loop);
  EXPECT_EQ(out, "12abaa");
}

TEST(Deferred, LeavesTheLoopWhenDestroyedAlsoInTheMiddle) {
  Loop loop;
  std::string out;
  auto second = std::make_unique<Flusher>(out, 'b');
  struct Killer {
    std::unique_ptr<Flusher>& victim;
    Deferred deferred{[](void* self) { static_cast<Killer*>(self)->victim.reset(); }, this};
  } killer{second};
  Flusher third(out, 'c');
  loop.defer(killer.deferred);
  loop.defer(second->deferred);
  loop.defer(third.deferred);
  {
    Flusher gone(out, 'x');
    loop.defer(gone.deferred);
  }
  drain(loop);
  EXPECT_EQ(out, "c");
  auto doomed = std::make_unique<Loop>();
  Flusher survivor(out, 's');
  doomed->defer(survivor.deferred);
  doomed.reset();
}

struct Recorder {
  Recorder(std::vector<int>& o, int i) : out(o), id(i) {}
  std::vector<int>& out;
  int id;
  Timer timer;
  static void fire(void* self) {
    auto& recorder = *static_cast<Recorder*>(self);
    recorder.out.push_back(recorder.id);
  }
};

TEST(TimerHeap, FiresInOrderOfTimeThenOfSetting) {
  Loop loop;
  TimerHeap heap;
  std::vector<int> fired;
  std::vector<std::unique_ptr<Recorder>> recorders;
  const TimePoint start{};
  // A permutation of 0..499 with every instant used twice.
  for (int i = 0; i < 500; ++i) {
    recorders.push_back(std::make_unique<Recorder>(fired, i));
    recorders[i]->timer.set(loop, start + std::chrono::milliseconds(i * 7919 % 500 / 2), Recorder::fire, recorders[i].get());
  }
  loop.run_once(0ms);
  ASSERT_EQ(fired.size(), 500u) << "all lie in the past";
  for (std::size_t i = 1; i < fired.size(); ++i) {
    const auto key = [](int id) { return std::pair(id * 7919 % 500 / 2, id); };
    EXPECT_LT(key(fired[i - 1]), key(fired[i]));
  }
}

TEST(TimerHeap, CancellingAndMovingKeepsTheOrder) {
  Loop loop;
  std::vector<int> fired;
  std::vector<std::unique_ptr<Recorder>> recorders;
  const TimePoint start{};
  for (int i = 0; i < 300; ++i) {
    recorders.push_back(std::make_unique<Recorder>(fired, i));
    recorders[i]->timer.set(loop, start + std::chrono::seconds(i), Recorder::fire, recorders[i].get());
  }
  for (int i = 0; i < 300; ++i) {
    if (i % 3 == 1) recorders[i]->timer.cancel();
    if (i % 3 == 2) recorders[i]->timer.set(loop, start + std::chrono::seconds(1000 - i), Recorder::fire, recorders[i].get());
    EXPECT_EQ(recorders[i]->timer.pending(), i % 3 != 1);
  }
  recorders[0].reset();  // destroyed while pending
  loop.run_once(0ms);
  std::vector<int> expected;
  for (int i = 3; i < 300; i += 3) expected.push_back(i);
  for (int i = 299; i >= 0; i -= 3) expected.push_back(i);
  EXPECT_EQ(fired, expected);
  EXPECT_EQ(loop.counters().timers, expected.size());
}

TEST(Timer, MayBeSetAgainOrDestroyedInsideItsFunction) {
  Loop loop;
  struct Again {
    Loop& loop;
    int left = 3;
    Timer timer;
    static void fire(void* self) {
      auto& again = *static_cast<Again*>(self);
      if (--again.left > 0) again.timer.set(again.loop, TimePoint{}, fire, self);
    }
  } again{loop};
  again.timer.set(loop, TimePoint{}, Again::fire, &again);
  loop.run_once(0ms);
  EXPECT_EQ(again.left, 2) << "what is set while timers fire waits for the next turn";
  drain(loop);
  EXPECT_EQ(again.left, 0);

  auto owned = std::make_unique<Timer>();
  owned->set(loop, TimePoint{}, [](void* owner) { static_cast<std::unique_ptr<Timer>*>(owner)->reset(); }, &owned);
  drain(loop);
  EXPECT_EQ(owned, nullptr);
}

TEST(Timer, WakesALoopThatWaitsAndIsNeverEarly) {
  Loop loop;
  struct State {
    Loop& loop;
    TimePoint when;
    bool early = false;
    Timer timer;
  } state{loop, Clock::now() + 3ms};
  state.timer.set(
      loop, state.when,
      [](void* argument) {
        auto& s = *static_cast<State*>(argument);
        s.early = Clock::now() < s.when || s.loop.now() < s.when;
        s.loop.stop();
      },
      &state);
  loop.run();
  EXPECT_FALSE(state.early);
}

TEST(Timer, OutlivesItsLoop) {
  Timer timer;
  auto loop = std::make_unique<Loop>();
  timer.set(*loop, Clock::now() + 1h, [](void*) {}, nullptr);
  loop.reset();
  EXPECT_FALSE(timer.pending());
}

TEST(Lag, ATurnOverTheThresholdIsCountedAndReported) {
  struct Observer final : LagObserver {
    void on_lag(const std::string& name, Duration turn) override { reports.emplace_back(name, turn); }
    std::vector<std::pair<std::string, Duration>> reports;
  } observer;
  Loop loop({.name = "slow", .lag_threshold = 0ns, .lag_observer = &observer});
  loop.post_remote([] {});
  drain(loop);
  ASSERT_FALSE(observer.reports.empty());
  EXPECT_EQ(observer.reports[0].first, "slow");
  EXPECT_GT(observer.reports[0].second, 0ns);
  EXPECT_EQ(loop.counters().lags, observer.reports.size());
  EXPECT_GT(loop.counters().longest_turn_ns, 0);
}

TEST(FdWatch, TellsWhenReadableAndWhenCancelled) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  std::string log;
  auto body = [](Loop& l, int fd, std::string& out) -> Task<void> {
    co_await l.schedule();
    FdWatch watch(l, fd);
    auto cancel = [](Loop& on, FdWatch& w) -> Task<void> {
      co_await on.yield();
      w.cancel();
    };
    for (;;) {
      char byte;
      if (::read(fd, &byte, 1) == 1) {
        out += byte;
        if (byte == '!') spawn(cancel(l, watch));
      } else if (!co_await watch.readable()) {
        out += " cancelled";
        l.stop();
        co_return;
      }
    }
  };
  spawn(body(loop, ends[0], log));
  loop.post_remote([&] { EXPECT_EQ(::write(ends[1], "ab", 2), 2); });
  drain(loop);
  EXPECT_EQ(log, "ab");
  EXPECT_EQ(::write(ends[1], "!", 1), 1);
  loop.run();
  EXPECT_EQ(log, "ab! cancelled");
  EXPECT_EQ(::close(ends[0]), 0) << "the watch does not own it";
  ::close(ends[1]);
}

TEST(FdWatch, EventsOfOneWaitRunInOneTurnBeforeTheDeferredWork) {
  Loop loop;
  std::string log;
  Flusher flusher(log, '.');
  std::vector<int> fds;
  auto body = [](Loop& l, int fd, std::string& out, Deferred& deferred) -> Task<void> {
    FdWatch watch(l, fd);
    co_await watch.readable();
    out += 'x';
    l.defer(deferred);
  };
  for (int i = 0; i < 10; ++i) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    fds.insert(fds.end(), {ends[0], ends[1]});
    spawn(body(loop, ends[0], log, flusher.deferred));
  }
  drain(loop);
  for (std::size_t i = 1; i < fds.size(); i += 2) EXPECT_EQ(::write(fds[i], "x", 1), 1);
  const std::uint64_t turns = loop.counters().turns;
  EXPECT_TRUE(loop.run_once(1h));
  EXPECT_EQ(log, "xxxxxxxxxx.");
  EXPECT_EQ(loop.counters().turns, turns + 1);
  for (const int fd : fds) ::close(fd);
}

TEST(FdWatch, TellsWhenWritable) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  std::string log;
  auto body = [](Loop& l, int fd, std::string& out) -> Task<void> {
    FdWatch watch(l, fd);
    if (co_await watch.readable_or_writable()) out += "room ";
    while (::write(fd, "0123456789", 10) > 0) {
    }
    if (co_await watch.readable_or_writable()) out += "room again";
  };
  spawn(body(loop, ends[0], log));
  drain(loop);
  EXPECT_EQ(log, "room ");
  char buffer[4096];
  while (::read(ends[1], buffer, sizeof buffer) > 0) {
  }
  drain(loop);
  EXPECT_EQ(log, "room room again");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(FdWatch, RejectsWhatIsNotADescriptor) {
  Loop loop;
  EXPECT_THROW(FdWatch(loop, -1), std::system_error);
  EXPECT_THROW(FdWatch(loop, 1'000'000), std::system_error);
}

TEST(Signals, EveryObjectGetsThemAndKeepsThoseNobodyAwaits) {
  Loop loop;
  Signals first(loop, {SIGUSR1, SIGUSR2});
  auto second = std::make_unique<Signals>(loop, std::initializer_list<int>{SIGUSR1});
  std::vector<int> got;
  auto body = [](Signals& signals, std::vector<int>& out, int count) -> Task<void> {
    for (int i = 0; i < count; ++i) out.push_back(co_await signals.next());
  };
  ::raise(SIGUSR1);
  drain(loop);
  spawn(body(first, got, 3));
  drain(loop);
  EXPECT_EQ(got, (std::vector<int>{SIGUSR1}));
  ::raise(SIGUSR2);
  drain(loop);
  EXPECT_EQ(got, (std::vector<int>{SIGUSR1, SIGUSR2}));
  std::vector<int> other;
  spawn(body(*second, other, 2));
  drain(loop);
  EXPECT_EQ(other, (std::vector<int>{SIGUSR1}));
  second.reset();
  first.cancel();
  EXPECT_EQ(other.size(), 1u) << "a later turn";
  drain(loop);
  EXPECT_EQ(other, (std::vector<int>{SIGUSR1, 0}));
  EXPECT_EQ(got.back(), 0);
}

TEST(Signals, SeveralLoopsEachGetTheirOwn) {
  LoopGroup group({.size = 3, .name = "sig"});
  group.start();
  std::atomic<int> ready = 0;
  std::atomic<int> got = 0;
  auto body = [](Loop& loop, std::atomic<int>& waiting, std::atomic<int>& count) -> Task<void> {
    co_await loop.schedule();
    Signals signals(loop, {SIGUSR1});
    ++waiting;
    waiting.notify_one();
    if (co_await signals.next() == SIGUSR1) ++count;
    count.notify_one();
  };
  for (std::size_t i = 0; i < group.size(); ++i) spawn(body(group.loop(i), ready, got));
  for (int value = ready; value != 3; value = ready) ready.wait(value);
  ::kill(::getpid(), SIGUSR1);
  for (int value = got; value != 3; value = got) got.wait(value);
  EXPECT_EQ(got, 3);
}

TEST(Signals, RejectsWhatCannotBeCaught) {
  Loop loop;
  EXPECT_THROW(Signals(loop, {SIGKILL}), std::system_error);
  EXPECT_THROW(Signals(loop, {12345}), std::system_error);
}

}  // namespace
}  // namespace micro
