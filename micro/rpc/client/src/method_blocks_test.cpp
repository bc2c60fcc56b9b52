#include "method_blocks.hpp"

#include <gtest/gtest.h>

namespace micro::client {
namespace {

TEST(MethodBlocks, TheSameCallGivesTheSameBytes) {
  MethodBlocks blocks("10.0.0.7:8080", "http");
  const std::string plain(blocks.get("g.Greeter", "Hello", std::nullopt).value());
  const std::string timed(blocks.get("g.Greeter", "Hello", std::chrono::seconds(5)).value());
  EXPECT_NE(plain, timed);
  EXPECT_TRUE(timed.starts_with(plain));
  EXPECT_EQ(blocks.get("g.Greeter", "Hello", std::chrono::seconds(5)).value(), timed);
  EXPECT_NE(blocks.get("g.Greeter", "Hello", std::chrono::seconds(6)).value(), timed);
  EXPECT_EQ(blocks.get("g.Greeter", "Hello", std::nullopt).value(), plain);
  EXPECT_NE(plain.find("/g.Greeter/Hello"), std::string::npos);
  EXPECT_NE(plain.find("10.0.0.7:8080"), std::string::npos);
}

TEST(MethodBlocks, MethodsAreToldApart) {
  MethodBlocks blocks("a:1", "http");
  const std::string first(blocks.get("a", "bc", std::nullopt).value());
  const std::string second(blocks.get("ab", "c", std::nullopt).value());
  EXPECT_NE(first, second);
  EXPECT_EQ(blocks.get("a", "bc", std::nullopt).value(), first);
  EXPECT_EQ(blocks.get("ab", "c", std::nullopt).value(), second);
}

TEST(MethodBlocks, RefusesWhatCannotBeAPath) {
  MethodBlocks blocks("a:1", "http");
  for (const auto& [service, method] :
       {std::pair{"", "M"}, {"S", ""}, {"S", "a b"}, {"S", "a\r\nb"}, {"S\x7f", "M"}, {"S", "\xc3\xa9"}}) {
    const auto block = blocks.get(service, method, std::nullopt);
    ASSERT_FALSE(block);
    EXPECT_EQ(block.error().code(), Code::kInvalidArgument);
  }
}

TEST(MethodBlocks, ManyNamesDoNotPileUp) {
  MethodBlocks blocks("a:1", "http");
  for (int i = 0; i < 5000; ++i) {
    const std::string method = "M" + std::to_string(i);
    EXPECT_NE(blocks.get("S", method, std::nullopt).value().find("/S/" + method), std::string_view::npos);
  }
}

}  // namespace
}  // namespace micro::client
