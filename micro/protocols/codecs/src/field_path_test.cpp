#include "field_path.hpp"

#include <gtest/gtest.h>

namespace micro::codec {
namespace {

TEST(FieldPath, IsNamesJoinedByDots) {
  for (const char* path : {"a", "user_name.first_name", "userName", "a1.b2", "_a", "A.B", "a__b"})
    EXPECT_TRUE(is_field_path(path)) << path;
  for (const char* path : {"", ".", "a.", ".a", "a..b", "1a", "a.1", "a b", "a-b", "a)", "a{}", "a=", "\"a\"", "\xc3\xa4"}) {
    EXPECT_FALSE(is_field_path(path)) << path;
    EXPECT_EQ(field_path_from_json(path), std::nullopt) << path;
    EXPECT_EQ(field_path_to_json(path), std::nullopt) << path;
  }
}

TEST(FieldPath, ThereAndBack) {
  const std::pair<const char*, const char*> cases[] = {
      {"userName.firstName", "user_name.first_name"}, {"a1.bC2d", "a1.b_c2d"}, {"treeAA", "tree_a_a"}, {"Foo", "_foo"}};
  for (const auto& [json, proto] : cases) {
    EXPECT_EQ(field_path_from_json(json), proto);
    EXPECT_EQ(field_path_to_json(proto), json);
  }
}

TEST(FieldPath, WhatWouldNotComeBackIsRefused) {
  for (const char* path : {"fooBar", "a__b", "a_", "line_1", "a_.b"}) EXPECT_EQ(field_path_to_json(path), std::nullopt) << path;
  EXPECT_EQ(field_path_from_json("user_name"), std::nullopt);
}

}  // namespace
}  // namespace micro::codec
