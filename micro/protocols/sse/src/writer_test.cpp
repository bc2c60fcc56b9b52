#include <micro/sse/writer.hpp>

#include <gtest/gtest.h>

namespace micro::sse {
namespace {

std::string written(const Event& event) {
  Buffer out;
  const auto result = write_event(out, event);
  EXPECT_TRUE(result.has_value()) << result.error().to_string();
  return std::string(out.view());
}

TEST(Writer, Events) {
  EXPECT_EQ(written({.data = "hello"}), "data: hello\n\n");
  EXPECT_EQ(written({}), "data: \n\n") << "an event without data would not be dispatched";
  EXPECT_EQ(written({.data = "{}", .type = "end"}), "event: end\ndata: {}\n\n");
  EXPECT_EQ(written({.data = "x", .type = "t", .id = "7", .retry = std::chrono::seconds(2)}),
            "event: t\nid: 7\nretry: 2000\ndata: x\n\n");
  EXPECT_EQ(written({.data = "x", .id = ""}), "id: \ndata: x\n\n") << "an empty id resets the last one";
}

TEST(Writer, EveryLineIsAField) {
  EXPECT_EQ(written({.data = "a\nb"}), "data: a\ndata: b\n\n");
  EXPECT_EQ(written({.data = "a\rb\r\nc"}), "data: a\ndata: b\ndata: c\n\n");
  EXPECT_EQ(written({.data = "\n"}), "data: \ndata: \n\n");
  EXPECT_EQ(written({.data = "a\n\nevent: forged"}), "data: a\ndata: \ndata: event: forged\n\n");
  EXPECT_EQ(written({.data = " indented"}), "data:  indented\n\n") << "one blank belongs to the field";
}

TEST(Writer, RefusesWhatWouldBeginAnotherField) {
  using namespace std::string_view_literals;
  const Event bad[] = {{.type = "a\nb"}, {.type = "a\rb"},   {.id = "1\n2"},
                       {.id = "1\r2"},   {.id = "1\0002"sv}, {.retry = std::chrono::milliseconds(-1)}};
  for (const Event& event : bad) {
    Buffer out;
    const auto result = write_event(out, event);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code(), Code::kInvalidArgument);
    EXPECT_TRUE(out.empty());
  }
}

TEST(Writer, Comments) {
  Buffer out;
  write_comment(out);
  EXPECT_EQ(out.view(), ": \n\n");
  out.clear();
  write_comment(out, "a\nb");
  EXPECT_EQ(out.view(), ": a\n: b\n\n");
}

}  // namespace
}  // namespace micro::sse
