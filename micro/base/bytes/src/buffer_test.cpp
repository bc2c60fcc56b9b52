#include <micro/bytes/buffer.hpp>

#include <thread>

#include <gtest/gtest.h>

#include "pool.hpp"

namespace micro {
namespace {

TEST(Buffer, EmptyHasNoMemory) {
  Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_EQ(buffer.view(), "");
  buffer.append("");
  buffer.consume(0);
  EXPECT_EQ(buffer.capacity(), 0u);
}

TEST(Buffer, AppendsAtTheBackAndConsumesAtTheFront) {
  Buffer buffer;
  buffer.append("hello ");
  buffer.append("world");
  buffer.push_back('!');
  buffer.consume(6);
  EXPECT_EQ(buffer.view(), "world!");
  buffer.truncate(5);
  EXPECT_EQ(buffer.view(), "world");
  buffer.consume(5);
  EXPECT_TRUE(buffer.empty());
}

TEST(Buffer, PrepareAndCommitTakeOverWhatWasWritten) {
  Buffer buffer;
  std::memcpy(buffer.prepare(100), "abc", 3);
  EXPECT_TRUE(buffer.empty());
  EXPECT_GE(buffer.room(), 100u);
  buffer.commit(3);
  EXPECT_EQ(buffer.view(), "abc");
}

TEST(Buffer, CapacityGrowsInPowersOfTwo) {
  const struct {
    std::size_t size, capacity;
  } cases[] = {{1, 256}, {256, 256}, {257, 512}, {5000, 8192}, {1 << 20, 1 << 20}, {(1 << 20) + 1, (1 << 20) + 4096}};
  for (const auto& test : cases) {
    Buffer buffer;
    buffer.prepare(test.size);
    EXPECT_EQ(buffer.capacity(), test.capacity) << test.size;
  }
}

TEST(Buffer, KeepsItsBytesWhileItGrows) {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 300'000; ++i) {
    const std::string text = std::to_string(i);
    buffer.append(text);
    expected += text;
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(Buffer, ReusesConsumedSpaceInsteadOfGrowing) {
  Buffer buffer;
  buffer.append(std::string(200, 'a'));
  buffer.consume(150);
  buffer.append(std::string(200, 'b'));
  EXPECT_EQ(buffer.capacity(), 256u);
  EXPECT_EQ(buffer.view(), std::string(50, 'a') + std::string(200, 'b'));
}

TEST(Buffer, GrowsWhenLittleWasConsumed) {
  Buffer buffer;
  buffer.append(std::string(256, 'a'));
  buffer.consume(1);
  buffer.push_back('b');
  EXPECT_EQ(buffer.capacity(), 512u);
  EXPECT_EQ(buffer.view(), std::string(255, 'a') + "b");
}

TEST(Buffer, ClearKeepsMemoryAndReleaseGivesItBack) {
  Buffer buffer;
  buffer.append("abc");
  buffer.clear();
  EXPECT_EQ(buffer.capacity(), 256u);
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0u);
  buffer.append("again");
  EXPECT_EQ(buffer.view(), "again");
}

TEST(Buffer, MoveTakesEverything) {
  Buffer from;
  from.append("abcdef");
  from.consume(2);
  Buffer to = std::move(from);
  EXPECT_EQ(to.view(), "cdef");
  EXPECT_TRUE(from.empty());
  from.append("new");
  to = std::move(from);
  EXPECT_EQ(to.view(), "new");
  Buffer& alias = to;
  to = std::move(alias);
  EXPECT_EQ(to.view(), "new");
}

TEST(Buffer, RefusesSizesThatCannotBe) {
  Buffer buffer;
  buffer.append("abc");
  EXPECT_THROW(buffer.prepare(SIZE_MAX - 1), std::length_error);
  EXPECT_EQ(buffer.view(), "abc");
}

TEST(Buffer, TakesItsMemoryFromTheThreadsPool) {
  Buffer first;
  first.append(std::string(3000, 'a'));
  const void* const block = first.data();
  first.release();
  Buffer second;
  second.append(std::string(2049, 'b'));
  EXPECT_EQ(second.data() == block, bytes::kPooled);
}

TEST(Buffer, MayDieOnAnotherThread) {
  Buffer buffer;
  buffer.append(std::string(1000, 'a'));
  std::thread([moved = std::move(buffer)]() mutable {
    moved.append("b");
    EXPECT_EQ(moved.size(), 1001u);
  }).join();
}

TEST(Buffer, MayOutliveTheThreadsPool) {
  struct Holder {
    Buffer buffer;
    ~Holder() {
      // The pool was first used after this object was made, so it is destroyed before: both directions must still work.
      buffer.append(std::string(5000, 'b'));
      buffer.release();
    }
  };
  std::thread([] {
    thread_local Holder holder;
    holder.buffer.append("a");
    Buffer other;
    other.append("c");
  }).join();
}

TEST(BigEndian, RoundTrips) {
  char bytes[4];
  store_be16(bytes, 0xfe01);
  EXPECT_EQ(load_be16(bytes), 0xfe01);
  EXPECT_EQ(std::string_view(bytes, 2), "\xfe\x01");
  store_be24(bytes, 0xfedcba);
  EXPECT_EQ(load_be24(bytes), 0xfedcbau);
  EXPECT_EQ(std::string_view(bytes, 3), "\xfe\xdc\xba");
  store_be32(bytes, 0xfedcba98u);
  EXPECT_EQ(load_be32(bytes), 0xfedcba98u);
  EXPECT_EQ(std::string_view(bytes, 4), "\xfe\xdc\xba\x98");
}

}  // namespace
}  // namespace micro
