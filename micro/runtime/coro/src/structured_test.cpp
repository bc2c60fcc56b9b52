#include <micro/coro/block_on.hpp>
#include <micro/coro/deadline.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/coro/timeout.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/coro/when_any.hpp>

#include <stdexcept>

namespace micro {
namespace {

using namespace std::chrono_literals;

TEST(BlockOn, GivesResultsAndExceptions) {
  Loop loop;
  auto value = [](Loop& l) -> Task<std::unique_ptr<int>> {
    co_await l.yield();
    EXPECT_EQ(Loop::current(), &l);
    co_return std::make_unique<int>(3);
  };
  EXPECT_EQ(*block_on(loop, value(loop)), 3);
  auto thrower = []() -> Task<int> {
    throw std::runtime_error("broken");
    co_return 1;
  };
  EXPECT_THROW(block_on(loop, thrower()), std::runtime_error);
  auto stopper = [](Loop& l) -> Task<void> {
    l.stop();
    for (int i = 0; i < 1'000; ++i) co_await l.yield();
  };
  block_on(loop, stopper(loop));
}

TEST(Sleep, ShorterOnesEndFirst) {
  Loop loop;
  std::string order;
  auto body = [](std::string& out, Duration duration, char name) -> Task<void> {
    co_await sleep_for(duration);
    out += name;
  };
  auto all = [&]() -> Task<void> {
    co_await when_all(body(order, 9ms, 'c'), body(order, 1ms, 'a'), body(order, 5ms, 'b'), body(order, 0ms, '0'));
  };
  block_on(loop, all());
  EXPECT_EQ(order, "0abc");
}

TEST(Sleep, EndsEarlyWithItsContext) {
  Loop loop;
  auto body = []() -> Task<void> {
    Context context;
    auto cancel = [](Context& c) -> Task<void> {
      c.cancel(cancelled("enough"));
      co_return;
    };
    auto [slept, ignored] = co_await when_all(sleep(context, 1h), cancel(context));
    EXPECT_EQ(slept.error().message(), "enough");
    Result<void> again = co_await sleep(context, 1h);
    EXPECT_EQ(again.error().message(), "enough");

    Context late;
    late.set_timeout(1ms);
    Result<void> timed = co_await sleep(late, 1h);
    EXPECT_EQ(timed.error().code(), Code::kDeadlineExceeded);
    EXPECT_TRUE(late.cancelled());
    Context fine;
    fine.set_timeout(1h);
    EXPECT_TRUE((co_await sleep(fine, 1ms)).has_value());
    EXPECT_FALSE(fine.cancelled());
  };
  block_on(loop, body());
}

TEST(Deadline, CancelsWhenItPassesUnlessStopped) {
  Loop loop;
  Context watched;
  Context stopped;
  Context endless;
  Context moved;
  const TimePoint past{};
  watched.set_deadline(past);
  stopped.set_deadline(past);
  moved.set_deadline(Clock::now() + 1h);
  ContextDeadline first(watched, loop);
  ContextDeadline second(stopped, loop);
  ContextDeadline third(endless, loop);
  ContextDeadline fourth(moved, loop);
  second.stop();
  moved.set_deadline(past);
  fourth.watch(moved, loop);
  EXPECT_FALSE(watched.cancelled()) << "in the next turn, never inside watch()";
  while (loop.run_once(0ms)) {
  }
  EXPECT_EQ(watched.error()->code(), Code::kDeadlineExceeded);
  EXPECT_FALSE(stopped.cancelled());
  EXPECT_FALSE(endless.cancelled());
  EXPECT_TRUE(moved.cancelled());
  Context unwatched;
  EXPECT_THROW(ContextDeadline{unwatched}, std::logic_error) << "no loop on this thread";
}

Task<int> after(Loop& loop, int yields, int value) {
  for (int i = 0; i < yields; ++i) co_await loop.yield();
  co_return value;
}
Task<void> count_after(Loop& loop, int yields, int& count) {
  for (int i = 0; i < yields; ++i) co_await loop.yield();
  ++count;
}
Task<int> throw_after(Loop& loop, int yields, const char* what) {
  for (int i = 0; i < yields; ++i) co_await loop.yield();
  throw std::runtime_error(what);
}

TEST(WhenAll, KeepsTheOrderOfTheTasks) {
  Loop loop;
  auto body = [](Loop& l) -> Task<void> {
    int count = 0;
    auto [a, nothing, b, c] = co_await when_all(after(l, 5, 1), count_after(l, 2, count), after(l, 0, 2), after(l, 9, 3));
    static_assert(std::is_same_v<decltype(nothing), std::monostate>);
    EXPECT_EQ(a, 1);
    EXPECT_EQ(b, 2);
    EXPECT_EQ(c, 3);
    EXPECT_EQ(count, 1);

    std::vector<Task<int>> many;
    for (int i = 0; i < 100; ++i) many.push_back(after(l, i * 37 % 11, i));
    const std::vector<int> results = co_await when_all(std::move(many));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(results[i], i);

    std::vector<Task<void>> voids;
    for (int i = 0; i < 10; ++i) voids.push_back(count_after(l, i, count));
    co_await when_all(std::move(voids));
    EXPECT_EQ(count, 11);

    EXPECT_TRUE((co_await when_all(std::vector<Task<int>>())).empty());
    co_await when_all(std::vector<Task<void>>());
  };
  block_on(loop, body(loop));
}

TEST(WhenAll, WaitsForAllBeforeTheFirstExceptionGoesOn) {
  Loop loop;
  auto body = [](Loop& l) -> Task<void> {
    int count = 0;
    std::string what;
    try {
      co_await when_all(throw_after(l, 3, "second"), throw_after(l, 1, "first"), count_after(l, 20, count));
    } catch (const std::runtime_error& e) {
      what = e.what();
    }
    EXPECT_EQ(what, "first");
    EXPECT_EQ(count, 1);
  };
  block_on(loop, body(loop));
}

TEST(WhenAny, FirstWinsAndLosersAreCancelledAndAwaited) {
  Loop loop;
  auto body = [](Loop& l) -> Task<void> {
    Context context;
    int ended = 0;
    std::optional<Error> reason;
    auto slow = [&](Context& c) -> Task<Result<int>> {
      Result<void> slept = co_await sleep(c, 1h);
      if (!slept) reason = slept.error();
      co_await l.yield();  // takes a while to notice
      ++ended;
      if (!slept) co_return fail(slept.error());
      co_return 1;
    };
    auto quick = [&](Context&) -> Task<Result<int>> {
      co_await l.yield();
      ++ended;
      co_return 2;
    };
    First<Result<int>> first = co_await when_any(context, slow, quick, slow);
    EXPECT_EQ(first.index, 1u);
    EXPECT_EQ(first.value.value(), 2);
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(reason->code(), Code::kCancelled);
    EXPECT_FALSE(context.cancelled()) << "only the children are";
  };
  block_on(loop, body(loop));
}

TEST(WhenAny, EndsWithTheParentAndOutlivesThrowers) {
  Loop loop;
  auto body = [](Loop& l) -> Task<void> {
    Context context;
    auto sleeper = [](Context& c) -> Task<Result<int>> {
      Result<void> slept = co_await sleep(c, 1h);
      if (!slept) co_return fail(slept.error());
      co_return 1;
    };
    auto race = [&](Context& c) -> Task<Result<int>> {
      First<Result<int>> first = co_await when_any(c, sleeper, sleeper);
      co_return first.value;
    };
    auto cancel = [](Context& c) -> Task<void> {
      c.cancel(cancelled("the caller left"));
      co_return;
    };
    auto [result, ignored] = co_await when_all(race(context), cancel(context));
    EXPECT_EQ(result.error().message(), "the caller left");

    Context other;
    auto thrower = [&](Context&) -> Task<Result<int>> {
      co_await l.yield();
      throw std::runtime_error("broken");
    };
    bool thrown = false;
    try {
      co_await when_any(other, thrower, thrower);
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
  };
  block_on(loop, body(loop));
}

TEST(WhenAny, AThrowerLosesAgainstAResultThatComesLater) {
  Loop loop;
  auto body = [](Loop& l) -> Task<void> {
    Context context;
    auto thrower = [](Context&) -> Task<Result<int>> {
      throw std::runtime_error("broken");
      co_return 0;
    };
    auto later = [&](Context& c) -> Task<Result<int>> {
      for (int i = 0; i < 5; ++i) co_await l.yield();
      co_return c.cancelled() ? -1 : 7;
    };
    First<Result<int>> first = co_await when_any(context, thrower, later);
    EXPECT_EQ(first.index, 1u);
    EXPECT_EQ(first.value.value(), 7) << "not cancelled by one that threw";
  };
  block_on(loop, body(loop));
}

TEST(WithTimeout, KeepsResultsAndTurnsLatenessIntoDeadlineExceeded) {
  Loop loop;
  auto body = [](Loop& l) -> Task<void> {
    Context context;
    auto quick = [&](Context&) -> Task<Result<int>> {
      co_await l.yield();
      co_return 1;
    };
    Result<int> in_time = co_await with_timeout(context, 1h, quick);
    EXPECT_EQ(in_time.value(), 1);

    auto failing = [](Context&) -> Task<Result<int>> { co_return fail(not_found("nothing there")); };
    Result<int> failed = co_await with_timeout(context, 1h, failing);
    EXPECT_EQ(failed.error().code(), Code::kNotFound);

    auto slow = [](Context& c) -> Task<Result<int>> {
      Result<void> slept = co_await sleep(c, 1h);
      if (!slept) co_return fail(unavailable("connection dropped"));
      co_return 1;
    };
    Result<int> late = co_await with_timeout(context, 2ms, slow);
    EXPECT_EQ(late.error().code(), Code::kDeadlineExceeded);
    EXPECT_EQ(late.error().message(), "took longer than 2ms");
    EXPECT_EQ(late.error().cause()->message(), "connection dropped");
    EXPECT_FALSE(context.cancelled());

    auto stubborn = [](Context& c) -> Task<Result<int>> {
      co_await until_cancelled(c);
      co_return 5;
    };
    Result<int> kept = co_await with_timeout(context, 1ms, stubborn);
    EXPECT_EQ(kept.value(), 5) << "a result is a result";

    auto cancel = [](Context& c) -> Task<void> {
      c.cancel(cancelled("the caller left"));
      co_return;
    };
    auto [ended, ignored] = co_await when_all(with_timeout(context, 1h, slow), cancel(context));
    EXPECT_EQ(ended.error().code(), Code::kUnavailable) << "the caller's end is not a timeout";
  };
  block_on(loop, body(loop));
}

}  // namespace
}  // namespace micro
