#include "memory_share.hpp"

#include <gtest/gtest.h>

namespace micro::rpc {
namespace {

constexpr std::size_t kMiB = 1 << 20;

TEST(MemoryShare, LoopsShareOnePool) {
  MemoryPool pool{.limit = 256 * kMiB};
  MemoryShare first(pool), second(pool);
  EXPECT_TRUE(first.take(100 * kMiB + 1));
  EXPECT_EQ(pool.taken, 101 * kMiB) << "whole pieces";
  EXPECT_TRUE(second.take(155 * kMiB));
  EXPECT_FALSE(second.take(1));
  EXPECT_TRUE(first.take(1)) << "of the piece it has";
  EXPECT_FALSE(first.take(kMiB));
  EXPECT_EQ(first.used(), 100 * kMiB + 2);
  first.give_back(100 * kMiB);
  EXPECT_TRUE(second.take(98 * kMiB));
  EXPECT_EQ(first.used(), 2U);
}

TEST(MemoryShare, GivesEverythingBackInTheEnd) {
  MemoryPool pool{.limit = 10 * kMiB};
  {
    MemoryShare share(pool);
    HeldBytes one(share), other(share);
    EXPECT_TRUE(one.set(kMiB));
    EXPECT_TRUE(one.set(6 * kMiB));
    EXPECT_FALSE(other.set(5 * kMiB));
    EXPECT_TRUE(one.set(10));
    EXPECT_TRUE(other.set(5 * kMiB));
    EXPECT_EQ(share.used(), 5 * kMiB + 10);
  }
  EXPECT_EQ(pool.taken, 0U);
}

TEST(MemoryShare, ABytewiseStreamKeepsItsPiece) {
  MemoryPool pool{.limit = 256 * kMiB};
  MemoryShare share(pool);
  HeldBytes held(share);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(held.set(1));
    EXPECT_EQ(pool.taken, kMiB);
    EXPECT_TRUE(held.set(0));
  }
}

TEST(MemoryShare, NoLimitIsTooSmall) {
  MemoryPool pool{.limit = 3};
  MemoryShare share(pool);
  EXPECT_TRUE(share.take(3));
  EXPECT_FALSE(share.take(1));
}

}  // namespace
}  // namespace micro::rpc
