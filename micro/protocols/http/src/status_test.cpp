#include <micro/http/status.hpp>

#include <gtest/gtest.h>

namespace micro::http {
namespace {

TEST(Status, Phrases) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(505), "HTTP Version Not Supported");
  for (const int status : {0, -1, 99, 299, 418, 600, 1000}) EXPECT_EQ(reason_phrase(status), "") << status;
}

TEST(Status, Bodies) {
  for (const int status : {100, 101, 199, 204, 304}) EXPECT_FALSE(allows_body(status)) << status;
  for (const int status : {200, 205, 303, 404, 500}) EXPECT_TRUE(allows_body(status)) << status;
}

}  // namespace
}  // namespace micro::http
