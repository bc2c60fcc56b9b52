#include <micro/error/code.hpp>

#include <gtest/gtest.h>

namespace micro {
namespace {

TEST(Code, EveryNameAndNumberRoundTrips) {
  for (int number = 0; number <= 16; ++number) {
    const Code code = code_from_number(number);
    EXPECT_EQ(static_cast<int>(code), number);
    EXPECT_EQ(code_from_string(to_string(code)), code) << number;
  }
}

TEST(Code, NamesAreThoseOfGrpc) {
  EXPECT_EQ(to_string(Code::kOk), "OK");
  EXPECT_EQ(to_string(Code::kCancelled), "CANCELLED");
  EXPECT_EQ(to_string(Code::kDeadlineExceeded), "DEADLINE_EXCEEDED");
  EXPECT_EQ(to_string(Code::kUnauthenticated), "UNAUTHENTICATED");
}

TEST(Code, NumbersOutsideTheRangeAreUnknown) {
  for (const std::int64_t number : {std::int64_t{-1}, std::int64_t{17}, std::int64_t{256}, INT64_MIN, INT64_MAX}) {
    EXPECT_EQ(code_from_number(number), Code::kUnknown) << number;
  }
  EXPECT_EQ(to_string(static_cast<Code>(200)), "UNKNOWN");
}

TEST(Code, OtherNamesAreRefused) {
  for (const std::string_view name : {"", "not_found", "NOT_FOUND ", "NOTFOUND", "5"}) {
    EXPECT_EQ(code_from_string(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace micro
