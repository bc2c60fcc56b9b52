#include "uuid.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/id/id.hpp>

namespace micro {
namespace {

using testing::MatchesRegex;

constexpr const char* kVersion4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
constexpr const char* kVersion7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

TEST(Uuid, Version4HasItsFormAndDiffers) {
  std::vector<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(uuid_v4());
    ASSERT_THAT(ids.back(), MatchesRegex(kVersion4));
  }
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

TEST(Uuid, Version7HasItsFormAndAscends) {
  std::string previous;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = uuid_v7();
    ASSERT_GT(id, previous);
    if (i < 100) {
      ASSERT_THAT(id, MatchesRegex(kVersion7));
    }
    previous = id;
  }
}

TEST(Uuid, FormatOfTheRfcsExample) {
  // RFC 9562, appendix A.6.
  EXPECT_EQ(id::format_uuid(0x017F22E279B07CC3, 0x98C4DC0C0C07398F), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  id::Sequence sequence;
  EXPECT_EQ(sequence.next(0x017F22E279B0, 0x4C3, 0x18C4DC0C0C07398F), "017f22e2-79b0-74c3-98c4-dc0c0c07398f");
}

TEST(Uuid, CountsWithinAMillisecond) {
  id::Sequence sequence;
  EXPECT_EQ(sequence.next(5, 0x7ff, 0), "00000000-0005-77ff-8000-000000000000");
  EXPECT_EQ(sequence.next(5, 0x123, 0), "00000000-0005-7800-8000-000000000000");
  EXPECT_EQ(sequence.next(6, 0x123, 0), "00000000-0006-7123-8000-000000000000");
}

TEST(Uuid, TheClockMayGoBack) {
  id::Sequence sequence;
  sequence.next(100, 0, 0);
  EXPECT_EQ(sequence.next(50, 9, 0), "00000000-0064-7001-8000-000000000000");
}

TEST(Uuid, AFullCounterBorrowsFromTheNextMillisecond) {
  id::Sequence sequence;
  std::string previous = sequence.next(5, 0xfff, ~std::uint64_t{0});
  EXPECT_EQ(previous, "00000000-0005-77ff-bfff-ffffffffffff");
  for (int i = 0; i < 0x800; ++i) {
    const std::string id = sequence.next(5, 0, 0);
    ASSERT_GT(id, previous);
    previous = id;
  }
  EXPECT_EQ(previous, "00000000-0005-7fff-8000-000000000000");
  EXPECT_EQ(sequence.next(5, 0x42, 0), "00000000-0006-7042-8000-000000000000");
}

}  // namespace
}  // namespace micro
