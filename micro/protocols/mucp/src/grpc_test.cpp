#include <micro/mucp/grpc.hpp>

#include <gtest/gtest.h>

namespace micro::mucp {
namespace {

TEST(PluginFields, OfGoMicrosClient) {
  Metadata metadata{{"timeout", "5000000000"}, {"x-content-type", "application/grpc+proto"}, {"x-user", "john"}};
  const PluginFields fields = take_plugin_fields(metadata);
  EXPECT_TRUE(fields.go_micro);
  EXPECT_EQ(fields.timeout, Duration(std::chrono::seconds(5)));
  EXPECT_EQ(metadata, (Metadata{{"x-user", "john"}})) << "handlers do not see them";
  Metadata odd{{"timeout", "soon"}, {"x-content-type", "application/grpc+json"}};
  EXPECT_EQ(take_plugin_fields(odd).timeout, std::nullopt);
  EXPECT_EQ(odd.get("timeout"), "soon");
}

TEST(PluginFields, OfOthers) {
  Metadata bare{{"timeout", "5000000000"}};
  EXPECT_EQ(take_plugin_fields(bare).timeout, Duration(std::chrono::seconds(5)));
  Metadata seconds{{"timeout", "30"}};
  const PluginFields fields = take_plugin_fields(seconds);
  EXPECT_FALSE(fields.go_micro);
  EXPECT_EQ(fields.timeout, std::nullopt) << "a user's own";
  EXPECT_EQ(seconds.get("timeout"), "30");
  Metadata none;
  EXPECT_FALSE(take_plugin_fields(none).go_micro);
}

}  // namespace
}  // namespace micro::mucp
