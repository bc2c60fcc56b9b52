#include "web_flags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/flags/flags.hpp>

namespace micro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Told {
  rpc::ServerOptions options;
  std::vector<std::string> faults;
};

Told tell(std::vector<const char*> arguments, rpc::ServerOptions options = {}) {
  Told told{.options = std::move(options), .faults = {}};
  WebFlags web;
  Flags flags("test", "A test.", "1");
  web.add(flags, told.options);
  arguments.insert(arguments.begin(), "test");
  const Result<Flags::Parsed> parsed = flags.parse(static_cast<int>(arguments.size()), arguments.data());
  EXPECT_TRUE(parsed) << parsed.error().message();
  told.faults = web.apply(told.options);
  return told;
}

TEST(WebFlags, ProtectionIsOnUntilItIsSwitchedOff) {
  EXPECT_TRUE(tell({}).options.cross_origin_protection);
  EXPECT_TRUE(tell({"--cross_origin_protection"}).options.cross_origin_protection);
  EXPECT_FALSE(tell({"--cross_origin_protection=false"}).options.cross_origin_protection);
  EXPECT_FALSE(tell({"--cross-origin-protection=false"}).options.cross_origin_protection);
  rpc::ServerOptions off;
  off.cross_origin_protection = false;
  EXPECT_FALSE(tell({}, off).options.cross_origin_protection);
  EXPECT_TRUE(tell({"--cross_origin_protection"}, off).options.cross_origin_protection);
}

TEST(WebFlags, OriginsGoBeforeThoseOfTheProgram) {
  rpc::ServerOptions options;
  options.cors.allowed_origins = {"https://a.example", "https://b.example"};
  EXPECT_THAT(tell({}, options).options.cors.allowed_origins, ElementsAre("https://a.example", "https://b.example"));
  EXPECT_THAT(tell({"--cors_origins", "https://c.example:8443,,http://[::1]:8080"}, options).options.cors.allowed_origins,
              ElementsAre("https://c.example:8443", "http://[::1]:8080"));
}

TEST(WebFlags, WhatIsNoOriginIsAFault) {
  for (const char* good : {"*", "null", "http://localhost:3000", "https://a.example", "app://-"})
    EXPECT_THAT(tell({"--cors_origins", good}).faults, IsEmpty()) << good;
  for (const char* bad : {"a.example", "https://a.example/", "https://a.example/x", "https://a.example?", "https://u@a.example",
                          "https://", "//a.example", "https://a.example:port"}) {
    const Told told = tell({"--cors_origins", bad});
    ASSERT_THAT(told.faults, SizeIs(1)) << bad;
    EXPECT_THAT(told.faults.front(), HasSubstr("--cors_origins " + std::string(bad) + ": an origin is")) << bad;
  }
  EXPECT_THAT(tell({"--cors_origins", "x,https://a.example,y"}).faults, SizeIs(2));
}

}  // namespace
}  // namespace micro
