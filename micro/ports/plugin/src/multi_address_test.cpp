#include "multi_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/registry/registry.hpp>

namespace micro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MultiPart part(std::string name, std::string address = {}, std::string layout = {}) {
  return {.name = std::move(name), .config = {.address = std::move(address), .layout = std::move(layout)}};
}

TEST(MultiAddress, NamesRegistriesTheirLayoutsAndAddresses) {
  const auto parts = parse_multi("etcd+kratos@10.0.0.1:2379,10.0.0.2:2379; mdns ;static@(a=b:1;c=d:2);local@/run/micro@home");
  ASSERT_TRUE(parts) << parts.error().to_string();
  EXPECT_THAT(*parts, ElementsAre(part("etcd", "10.0.0.1:2379,10.0.0.2:2379", "kratos"), part("mdns"),
                                  part("static", "a=b:1;c=d:2"), part("local", "/run/micro@home")));
}

TEST(MultiAddress, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {{"", "at position 0: the name of a registry is missing"},
                        {"mdns;", "at position 5: the name of a registry is missing"},
                        {";mdns", "at position 0: the name of a registry is missing"},
                        {"mdns;@here", "at position 5: the name of a registry is missing"},
                        {"mdns;+kratos", "at position 5: the name of a registry is missing"},
                        {"mdns;static@(a=b:1", "at position 5: the parentheses do not match"},
                        {"static@a=b:1)", "at position 0: the parentheses do not match"},
                        {"mdns;multi@etcd", "at position 5: \"multi\" cannot be a part of itself"}};
  for (const Case& c : cases) {
    const auto parts = parse_multi(c.text);
    ASSERT_FALSE(parts) << c.text;
    EXPECT_EQ(parts.error().code(), Code::kInvalidArgument) << c.text;
    EXPECT_THAT(parts.error().message(), HasSubstr(c.message)) << c.text;
  }
}

TEST(MultiAddress, MakesTheRegistriesOfTheTable) {
  const Plugins plugins;
  const auto made = plugins.make_registry("multi", {.address = "static@(a=b:1;c=d:2);memory"});
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ((*made)->name(), "multi");
  EXPECT_EQ((*made)->describe(), "multi registry of static registry of 2 given nodes, memory registry of this process");
}

TEST(MultiAddress, SaysWhichPartCannotBeMade) {
  const Plugins plugins;
  const auto unknown = plugins.make_registry("multi", {.address = "memory;ectd"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("multi registry: unknown registry \"ectd\""));
  EXPECT_THAT(plugins.make_registry("multi", {.address = "memory+kratos"}).error().message(), HasSubstr("has one layout only"));
  EXPECT_THAT(plugins.make_registry("multi", {.address = "memory", .layout = "kratos"}).error().message(),
              HasSubstr("give each registry its own: \"etcd+kratos@...\""));
}

}  // namespace
}  // namespace micro
