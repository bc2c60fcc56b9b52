#include <micro/bytes/chain.hpp>

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace micro {
namespace {

std::string text_of(const Chain& chain) {
  std::array<std::string_view, 1024> runs;
  std::string out;
  const std::size_t count = chain.gather(runs);
  for (std::size_t i = 0; i < count; ++i) out += runs[i];
  EXPECT_EQ(out.size(), chain.size());
  return out;
}

std::size_t runs_of(const Chain& chain) {
  std::array<std::string_view, 1024> runs;
  return chain.gather(runs);
}

Buffer buffer_of(std::size_t size, char fill) {
  Buffer buffer;
  buffer.append(std::string(size, fill));
  return buffer;
}

TEST(Chain, EmptyHasNoRuns) {
  Chain chain;
  EXPECT_TRUE(chain.empty());
  EXPECT_EQ(chain.front(), "");
  EXPECT_EQ(runs_of(chain), 0u);
  EXPECT_EQ(chain.flatten(), "");
  chain.consume(0);
  chain.append("");
  chain.append(Buffer());
  chain.append(Chain());
  EXPECT_EQ(runs_of(chain), 0u);
}

TEST(Chain, SmallAppendsGatherInOneRun) {
  Chain chain;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    chain.append("0123456789");
    expected += "0123456789";
  }
  EXPECT_EQ(runs_of(chain), 1u);
  EXPECT_EQ(chain.front(), expected);
}

TEST(Chain, ManyAppendsFillWholeBlocks) {
  Chain chain;
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {
    chain.append("0123456789");
    expected += "0123456789";
  }
  EXPECT_EQ(text_of(chain), expected);
  EXPECT_EQ(runs_of(chain), (expected.size() + 16383) / 16384);
}

TEST(Chain, LargeBuffersMoveWithoutACopy) {
  Chain chain;
  chain.append("head");
  Buffer large = buffer_of(Chain::kCopyThreshold, 'x');
  const void* const data = large.data();
  chain.append(std::move(large));
  EXPECT_TRUE(large.empty());
  std::array<std::string_view, 2> runs;
  ASSERT_EQ(chain.gather(runs), 2u);
  EXPECT_EQ(runs[0], "head");
  EXPECT_EQ(runs[1].data(), data);
}

TEST(Chain, SmallBuffersAreCopiedBehindOthersAndLeftEmpty) {
  Chain chain;
  chain.append("head");
  Buffer small = buffer_of(Chain::kCopyThreshold - 1, 'x');
  chain.append(std::move(small));
  EXPECT_TRUE(small.empty());
  EXPECT_EQ(runs_of(chain), 1u);
  EXPECT_EQ(text_of(chain), "head" + std::string(Chain::kCopyThreshold - 1, 'x'));
}

TEST(Chain, TheFirstBufferIsTakenWhateverItsSize) {
  Chain chain;
  Buffer small = buffer_of(10, 'x');
  const void* const data = small.data();
  chain.append(std::move(small));
  EXPECT_EQ(chain.front().data(), data);
}

TEST(Chain, ConsumeCrossesBlocksAndAnEmptiedChainKeepsNone) {
  Chain chain;
  chain.append(buffer_of(5000, 'a'));
  chain.append(buffer_of(5000, 'b'));
  chain.append(buffer_of(5000, 'c'));
  chain.consume(4999);
  EXPECT_EQ(chain.front(), "a");
  chain.consume(5002);
  EXPECT_EQ(chain.front(), std::string(4999, 'c'));
  EXPECT_EQ(chain.size(), 4999u);
  chain.consume(4999);
  EXPECT_TRUE(chain.empty());
  EXPECT_EQ(chain.front(), "");
  chain.append("again");
  EXPECT_EQ(text_of(chain), "again");
}

TEST(Chain, PrepareAndCommit) {
  Chain chain;
  chain.append("ab");
  std::copy_n("cdef", 4, chain.prepare(4));
  EXPECT_EQ(chain.size(), 2u);
  chain.commit(3);
  EXPECT_EQ(text_of(chain), "abcde");
  std::fill_n(chain.prepare(100'000), 100'000, 'z');
  chain.commit(100'000);
  EXPECT_EQ(text_of(chain), "abcde" + std::string(100'000, 'z'));
}

TEST(Chain, RoomThatWasNotCommittedDoesNotShow) {
  Chain chain;
  chain.prepare(100);
  chain.commit(0);
  EXPECT_EQ(runs_of(chain), 0u);
  chain.append(buffer_of(5000, 'x'));
  chain.prepare(50'000);
  chain.append(buffer_of(6000, 'y'));
  EXPECT_EQ(text_of(chain), std::string(5000, 'x') + std::string(6000, 'y'));
  EXPECT_EQ(chain.front(), std::string(5000, 'x'));
  chain.consume(5001);
  EXPECT_EQ(text_of(chain), std::string(5999, 'y'));
}

TEST(Chain, GatherStopsWhenFull) {
  Chain chain;
  for (int i = 0; i < 5; ++i) chain.append(buffer_of(5000, static_cast<char>('a' + i)));
  std::array<std::string_view, 3> runs;
  ASSERT_EQ(chain.gather(runs), 3u);
  EXPECT_EQ(runs[2], std::string(5000, 'c'));
}

TEST(Chain, AppendTakesEverythingFromAnother) {
  Chain chain;
  chain.append("one");
  Chain other;
  other.append(buffer_of(5000, 'a'));
  other.append(buffer_of(5000, 'b'));
  chain.append(std::move(other));
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(text_of(chain), "one" + std::string(5000, 'a') + std::string(5000, 'b'));
  other.append("two");
  chain.append(std::move(other));
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(text_of(chain), "one" + std::string(5000, 'a') + std::string(5000, 'b') + "two");
  chain.append(std::move(chain));
  EXPECT_EQ(chain.size(), 10'006u);
}

TEST(Chain, MoveToSplitsWhereAsked) {
  for (const std::size_t count : {0u, 1u, 4999u, 5000u, 5001u, 9999u, 10'000u, 20'000u}) {
    Chain chain;
    chain.append(buffer_of(5000, 'a'));
    chain.append(buffer_of(5000, 'b'));
    const std::string all = text_of(chain);
    Chain out;
    out.append("<");
    chain.move_to(out, count);
    EXPECT_EQ(text_of(out), "<" + all.substr(0, count)) << count;
    EXPECT_EQ(text_of(chain), all.substr(std::min(count, all.size()))) << count;
  }
}

TEST(Chain, MoveToDoesNotCopyWholeBlocks) {
  Chain chain;
  chain.append(buffer_of(5000, 'a'));
  chain.append(buffer_of(5000, 'b'));
  const void* const data = chain.front().data();
  Chain out;
  chain.move_to(out, 5000);
  EXPECT_EQ(out.front().data(), data);
}

TEST(Chain, FlattenGathersAllBytes) {
  Chain chain;
  chain.append(buffer_of(5000, 'a'));
  const void* const data = chain.front().data();
  EXPECT_EQ(chain.flatten().data(), data);
  chain.append(buffer_of(5000, 'b'));
  EXPECT_EQ(chain.flatten(), std::string(5000, 'a') + std::string(5000, 'b'));
  EXPECT_EQ(runs_of(chain), 1u);
  EXPECT_EQ(chain.size(), 10'000u);
}

TEST(Chain, MoveLeavesAnEmptyChain) {
  Chain from;
  from.append("abc");
  Chain to = std::move(from);
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(text_of(to), "abc");
  from.append("def");
  to = std::move(from);
  EXPECT_EQ(text_of(to), "def");
  to.clear();
  EXPECT_TRUE(to.empty());
}

TEST(Chain, BehavesLikeAStringUnderMixedUse) {
  Chain chain;
  std::string model;
  unsigned state = 1;
  for (int step = 0; step < 5000; ++step) {
    state = state * 1664525 + 1013904223;
    const std::size_t size = (state >> 8) % 9000;
    const char fill = static_cast<char>('a' + step % 26);
    switch ((state >> 28) % 5) {
      case 0:
        chain.append(std::string(size, fill));
        model.append(size, fill);
        break;
      case 1:
        chain.append(buffer_of(size, fill));
        model.append(size, fill);
        break;
      case 2:
        std::fill_n(chain.prepare(size), size, fill);
        chain.commit(size);
        model.append(size, fill);
        break;
      default: {
        const std::size_t count = std::min(size, model.size());
        chain.consume(count);
        model.erase(0, count);
      }
    }
    ASSERT_EQ(chain.size(), model.size());
    ASSERT_TRUE(model.starts_with(chain.front())) << step;
  }
  EXPECT_EQ(text_of(chain), model);
}

}  // namespace
}  // namespace micro
