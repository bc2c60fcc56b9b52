#include <micro/coro/channel.hpp>
#include <micro/coro/event.hpp>
#include <micro/coro/gate.hpp>
#include <micro/coro/mutex.hpp>
#include <micro/coro/semaphore.hpp>

#include <stdexcept>

#include <micro/loop/loop.hpp>
#include <micro/task/task.hpp>

namespace micro {
namespace {

using namespace std::chrono_literals;

// Coroutines started inside the loop, run until nothing is ready any more.
class CoroTest : public testing::Test {
 protected:
  void start(Task<void> task) {
    loop.post_remote([t = std::move(task)]() mutable { spawn(std::move(t)); });
  }
  void drain() {
    while (loop.run_once(0ms)) {
    }
  }
  Loop loop;
  std::string log;
};

Task<void> wait_for(Event& event, std::string& log, std::string name) {
  co_await event.wait();
  log += name;
}

TEST_F(CoroTest, EventWakesAllWaitersLaterAndStaysSet) {
  Event event;
  start(wait_for(event, log, "a"));
  start(wait_for(event, log, "b"));
  drain();
  EXPECT_EQ(log, "");
  loop.post_remote([&] {
    event.set();
    log += "set ";
    event.reset();
  });
  drain();
  EXPECT_EQ(log, "set ab") << "nobody resumes inside set(), and reset() takes nothing back";
  start(wait_for(event, log, "c"));
  drain();
  EXPECT_EQ(log, "set ab");
  event.set();
  start(wait_for(event, log, "d"));
  drain();
  EXPECT_EQ(log, "set abdc") << "who comes to a set event does not wait";
}

TEST_F(CoroTest, AWaitEndsWithItsContextButOnlyOnce) {
  Event event;
  Context cancelled_one;
  Context fine;
  Context dead;
  dead.cancel(micro::cancelled("dead before"));
  auto body = [](Event& e, Context& context, std::string& out) -> Task<void> {
    Result<void> waited = co_await e.wait(context);
    out += waited ? "ok " : waited.error().message() + ' ';
  };
  start(body(event, cancelled_one, log));
  start(body(event, fine, log));
  start(body(event, dead, log));
  drain();
  EXPECT_EQ(log, "dead before ");
  loop.post_remote([&] {
    cancelled_one.cancel(deadline_exceeded("late"));
    event.set();
    fine.cancel(micro::cancelled("after the event"));
  });
  drain();
  EXPECT_EQ(log, "dead before late ok ");
}

TEST_F(CoroTest, UntilCancelled) {
  Context context;
  auto body = [](Context& c, std::string& out) -> Task<void> {
    co_await until_cancelled(c);
    out += 'x';
    co_await until_cancelled(c);
    out += 'y';
  };
  start(body(context, log));
  drain();
  EXPECT_EQ(log, "");
  context.cancel(micro::cancelled("end"));
  drain();
  EXPECT_EQ(log, "xy");
}

TEST_F(CoroTest, WaitingWithoutALoopIsABrokenContract) {
  Event event;
  bool thrown = false;
  auto body = [](Event& e, bool& out) -> Task<void> {
    try {
      co_await e.wait();
    } catch (const std::logic_error&) {
      out = true;
    }
  };
  spawn(body(event, thrown));
  EXPECT_TRUE(thrown);
}

Task<void> critical(Loop& loop, Mutex& mutex, std::string& log, char name) {
  auto lock = co_await mutex.lock();
  log += name;
  co_await loop.yield();
  log += name;
}

TEST_F(CoroTest, MutexIsFirstComeFirstServed) {
  Mutex mutex;
  for (const char name : {'a', 'b', 'c'}) start(critical(loop, mutex, log, name));
  drain();
  EXPECT_EQ(log, "aabbcc");
  EXPECT_FALSE(mutex.locked());
  Mutex::Lock lock = mutex.try_lock();
  EXPECT_TRUE(lock);
  EXPECT_FALSE(mutex.try_lock());
  lock.release();
  EXPECT_TRUE(mutex.try_lock());
}

TEST_F(CoroTest, NobodyOvertakesAMutexThatIsHandedOver) {
  Mutex mutex;
  Mutex::Lock held = mutex.try_lock();
  start(critical(loop, mutex, log, 'a'));
  drain();
  loop.post_remote([&] {
    held.release();
    EXPECT_FALSE(mutex.try_lock()) << "it belongs to the one who waits";
  });
  drain();
  EXPECT_EQ(log, "aa");
}

TEST_F(CoroTest, ACancelledWaiterLeavesTheQueueOfAMutex) {
  Mutex mutex;
  Mutex::Lock held = mutex.try_lock();
  Context context;
  auto body = [](Mutex& m, Context& c, std::string& out) -> Task<void> {
    Result<Mutex::Lock> lock = co_await m.lock(c);
    out += lock ? "locked" : to_string(lock.error().code());
  };
  start(body(mutex, context, log));
  start(critical(loop, mutex, log, 'b'));
  drain();
  context.cancel(micro::cancelled("no longer wanted"));
  drain();
  EXPECT_EQ(log, "CANCELLED");
  held.release();
  drain();
  EXPECT_EQ(log, "CANCELLEDbb");
  EXPECT_FALSE(mutex.locked());
}

TEST_F(CoroTest, SemaphoreLetsSoManyIn) {
  Semaphore semaphore(2);
  int inside = 0;
  int most = 0;
  auto body = [](Loop& l, Semaphore& s, int& now, int& peak) -> Task<void> {
    auto permit = co_await s.acquire();
    peak = std::max(peak, ++now);
    co_await l.yield();
    --now;
  };
  for (int i = 0; i < 10; ++i) start(body(loop, semaphore, inside, most));
  drain();
  EXPECT_EQ(most, 2);
  EXPECT_EQ(inside, 0);
  EXPECT_EQ(semaphore.available(), 2u);
}

TEST_F(CoroTest, ChannelKeepsOrderAndBounds) {
  Channel<int> channel(3);
  std::size_t most = 0;
  std::vector<int> received;
  auto producer = [](Channel<int>& c, std::size_t& peak) -> Task<void> {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(co_await c.send(i));
      peak = std::max(peak, c.size());
    }
    c.close();
    EXPECT_FALSE(co_await c.send(100)) << "closed";
  };
  auto consumer = [](Channel<int>& c, std::vector<int>& out) -> Task<void> {
    while (std::optional<int> item = co_await c.receive()) out.push_back(*item);
  };
  start(producer(channel, most));
  start(consumer(channel, received));
  drain();
  EXPECT_EQ(most, 3u);
  ASSERT_EQ(received.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(received[i], i);
}

TEST_F(CoroTest, ChannelWithManyOnBothSidesLosesNothing) {
  Channel<std::unique_ptr<int>> channel(2);
  int sum = 0;
  int senders = 5;
  auto producer = [](Loop& l, Channel<std::unique_ptr<int>>& c, int& left) -> Task<void> {
    for (int i = 1; i <= 20; ++i) {
      co_await c.send(std::make_unique<int>(i));
      if (i % 3 == 0) co_await l.yield();
    }
    if (--left == 0) c.close();
  };
  auto consumer = [](Channel<std::unique_ptr<int>>& c, int& total) -> Task<void> {
    while (auto item = co_await c.receive()) total += **item;
  };
  for (int i = 0; i < 3; ++i) start(consumer(channel, sum));
  for (int i = 0; i < 5; ++i) start(producer(loop, channel, senders));
  drain();
  EXPECT_EQ(sum, 5 * 210);
}

TEST_F(CoroTest, ChannelCloseWakesEverybody) {
  Channel<int> channel(1);
  auto sender = [](Channel<int>& c, std::string& out) -> Task<void> {
    co_await c.send(1);
    out += co_await c.send(2) ? "sent " : "refused ";
  };
  auto receiver = [](Channel<int>& c, std::string& out) -> Task<void> {
    out += co_await c.receive() ? "got " : "end ";
    out += co_await c.receive() ? "got " : "end ";
  };
  start(sender(channel, log));
  drain();
  channel.close();
  drain();
  EXPECT_EQ(log, "refused ");
  start(receiver(channel, log));
  drain();
  EXPECT_EQ(log, "refused got end ") << "what is in it still comes out";
}

TEST_F(CoroTest, ChannelWaitsEndWithTheirContext) {
  Channel<int> channel(1);
  Context context;
  auto receiver = [](Channel<int>& c, Context& ctx, std::string& out) -> Task<void> {
    auto item = co_await c.receive(ctx);
    out += item ? "got " : item.error().message() + ' ';
  };
  auto sender = [](Channel<int>& c, Context& ctx, std::string& out) -> Task<void> {
    auto sent = co_await c.send(ctx, 2);
    out += sent ? "sent " : sent.error().message() + ' ';
  };
  start(receiver(channel, context, log));
  drain();
  context.cancel(micro::cancelled("stop"));
  drain();
  int one = 1;
  EXPECT_TRUE(channel.try_send(std::move(one)));
  EXPECT_FALSE(channel.try_send(std::move(one)));
  start(sender(channel, context, log));
  drain();
  EXPECT_EQ(log, "stop stop ");
  EXPECT_EQ(channel.try_receive(), 1);
  EXPECT_EQ(channel.try_receive(), std::nullopt);
}

TEST_F(CoroTest, GateWaitsForThoseInside) {
  Gate gate;
  Event go;
  auto inside = [](Gate::Holder holder, Event& e, std::string& out) -> Task<void> {
    co_await e.wait();
    out += holder ? "left " : "?";
  };
  auto closer = [](Gate& g, std::string& out) -> Task<void> {
    co_await g.close();
    out += "closed ";
  };
  start(inside(gate.enter(), go, log));
  start(inside(gate.try_enter(), go, log));
  start(closer(gate, log));
  start(closer(gate, log));
  drain();
  EXPECT_EQ(log, "");
  EXPECT_TRUE(gate.closed());
  EXPECT_FALSE(gate.try_enter());
  EXPECT_THROW((void)gate.enter(), std::logic_error);
  EXPECT_EQ(gate.inside(), 2u);
  go.set();
  drain();
  EXPECT_EQ(log, "left left closed closed ");
  Gate empty;
  start(closer(empty, log));
  drain();
  EXPECT_EQ(log, "left left closed closed closed ");
}

}  // namespace
}  // namespace micro
