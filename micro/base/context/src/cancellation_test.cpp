#include <micro/context/cancellation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A callback that notes that it ran, then does something.
struct Listener {
  std::vector<int>& ran;
  int number;
  std::function<void()> then = {};
  CancelCallback callback = {};

  void listen(CancelSource& source) {
    const auto run = [](void* self, const Error& reason) {
      auto& listener = *static_cast<Listener*>(self);
      EXPECT_EQ(reason.message(), "enough");
      listener.ran.push_back(listener.number);
      // A copy, because what it does may destroy the listener.
      const std::function<void()> action = listener.then;
      if (action) action();
      EXPECT_EQ(reason.message(), "enough");
    };
    callback.link(source, run, this);
  }
};

TEST(CancelSource, RunsCallbacksInOrderAndOnce) {
  std::vector<int> ran;
  CancelSource source;
  Listener one{ran, 1}, two{ran, 2}, three{ran, 3};
  one.listen(source);
  two.listen(source);
  three.listen(source);
  EXPECT_FALSE(source.cancelled());
  EXPECT_EQ(source.reason(), std::nullopt);
  EXPECT_TRUE(source.cancel(cancelled("enough")));
  EXPECT_FALSE(source.cancel(internal("later")));
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
  EXPECT_TRUE(source.cancelled());
  EXPECT_EQ(source.reason(), cancelled("enough"));
  EXPECT_FALSE(one.callback.linked());
}

TEST(CancelSource, LinkingToACancelledSourceRunsAtOnce) {
  std::vector<int> ran;
  CancelSource source;
  source.cancel(cancelled("enough"));
  Listener late{ran, 1};
  late.listen(source);
  EXPECT_THAT(ran, ElementsAre(1));
  EXPECT_FALSE(late.callback.linked());
}

TEST(CancelSource, UnlinkedCallbacksDoNotRun) {
  std::vector<int> ran;
  CancelSource source;
  Listener one{ran, 1}, two{ran, 2}, three{ran, 3};
  one.listen(source);
  {
    Listener gone{ran, 9};
    gone.listen(source);
    two.listen(source);
  }
  three.listen(source);
  two.callback.unlink();
  two.callback.unlink();
  source.cancel(cancelled("enough"));
  EXPECT_THAT(ran, ElementsAre(1, 3));
}

TEST(CancelSource, LinkingAgainMovesToTheOtherSource) {
  std::vector<int> ran;
  CancelSource first, second;
  Listener listener{ran, 1};
  listener.listen(first);
  listener.listen(second);
  first.cancel(cancelled("enough"));
  EXPECT_THAT(ran, IsEmpty());
  second.cancel(cancelled("enough"));
  EXPECT_THAT(ran, ElementsAre(1));
}

TEST(CancelSource, CallbacksMayDestroyThemselvesAndOthers) {
  std::vector<int> ran;
  CancelSource source;
  auto one = std::make_unique<Listener>(ran, 1);
  auto two = std::make_unique<Listener>(ran, 2);
  auto three = std::make_unique<Listener>(ran, 3);
  one->then = [&] {
    one.reset();
    two.reset();
  };
  one->listen(source);
  two->listen(source);
  three->listen(source);
  source.cancel(cancelled("enough"));
  EXPECT_THAT(ran, ElementsAre(1, 3));
}

TEST(CancelSource, CallbacksMayLinkAndCancelAgain) {
  std::vector<int> ran;
  CancelSource source;
  Listener one{ran, 1}, two{ran, 2}, late{ran, 3};
  one.then = [&] {
    late.listen(source);
    EXPECT_FALSE(source.cancel(internal("again")));
  };
  one.listen(source);
  two.listen(source);
  source.cancel(cancelled("enough"));
  EXPECT_THAT(ran, ElementsAre(1, 3, 2));
}

TEST(CancelSource, ACallbackMayDestroyTheSource) {
  std::vector<int> ran;
  auto source = std::make_unique<CancelSource>();
  Listener one{ran, 1}, two{ran, 2};
  one.then = [&] { source.reset(); };
  one.listen(*source);
  two.listen(*source);
  EXPECT_TRUE(source->cancel(cancelled("enough")));
  EXPECT_THAT(ran, ElementsAre(1));
  EXPECT_FALSE(two.callback.linked());
}

TEST(CancelSource, ACallbackThatLinksLateMayDestroyTheSource) {
  std::vector<int> ran;
  auto source = std::make_unique<CancelSource>();
  source->cancel(cancelled("enough"));
  Listener one{ran, 1, [&] { source.reset(); }};
  one.listen(*source);
  EXPECT_THAT(ran, ElementsAre(1));
}

TEST(CancelSource, ACallbackMayResetAndReuseTheSource) {
  std::vector<int> ran;
  CancelSource source;
  Listener one{ran, 1}, two{ran, 2}, fresh{ran, 3};
  one.then = [&] {
    source.reset();
    fresh.listen(source);
  };
  one.listen(source);
  two.listen(source);
  source.cancel(cancelled("enough"));
  EXPECT_THAT(ran, ElementsAre(1));
  EXPECT_FALSE(source.cancelled());
  EXPECT_TRUE(source.cancel(cancelled("enough")));
  EXPECT_THAT(ran, ElementsAre(1, 3));
}

TEST(CancelSource, ResetAndDestructionUnlinkWithoutRunning) {
  std::vector<int> ran;
  Listener one{ran, 1}, two{ran, 2};
  {
    CancelSource source;
    one.listen(source);
    source.reset();
    EXPECT_FALSE(one.callback.linked());
    two.listen(source);
  }
  EXPECT_FALSE(two.callback.linked());
  EXPECT_THAT(ran, IsEmpty());
}

}  // namespace
}  // namespace micro
