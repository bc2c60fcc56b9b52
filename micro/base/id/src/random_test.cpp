#include "random.hpp"

#include <bit>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/id/id.hpp>

namespace micro {
namespace {

TEST(RandomHex, HasTwoDigitsAByte) {
  for (const int bytes : {1, 4, 7, 8, 9, 16, 33}) {
    const std::string text = random_hex(bytes);
    EXPECT_EQ(text.size(), static_cast<std::size_t>(bytes) * 2);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos) << text;
  }
  EXPECT_EQ(random_hex(0), "");
  EXPECT_EQ(random_hex(-3), "");
  EXPECT_NE(random_hex(16), random_hex(16));
}

TEST(FastRandom, UsesEveryBit) {
  unsigned long long ones = 0;
  unsigned long long zeros = 0;
  long long set = 0;
  for (int i = 0; i < 10'000; ++i) {
    const unsigned long long value = fast_random();
    ones |= value;
    zeros |= ~value;
    set += std::popcount(value);
  }
  EXPECT_EQ(ones, ~0ull);
  EXPECT_EQ(zeros, ~0ull);
  // 640,000 fair coins: the standard deviation is 400, so this fails once in 10^15 runs.
  EXPECT_NEAR(static_cast<double>(set), 320'000, 3'200);
}

TEST(FastRandom, ThreadsHaveSequencesOfTheirOwn) {
  unsigned long long other = 0;
  std::thread([&] { other = fast_random(); }).join();
  EXPECT_NE(fast_random(), other);
}

TEST(Hex, WritesTheLowBytes) {
  std::string out = "x";
  EXPECT_EQ(id::append_hex(out, 0xdeadbeef0102, 3), "xef0102");
}

}  // namespace
}  // namespace micro
