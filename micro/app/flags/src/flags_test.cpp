#include <micro/flags/flags.hpp>

#include <cstdlib>

namespace micro {
namespace {

struct Options {
  std::string address = ":0";
  std::string registry_address;
  bool verbose = false;
  std::size_t loops = 1;
  std::size_t limit = 1;
  Duration ttl = std::chrono::seconds(90);
  std::vector<std::string> metadata;
};

Result<Flags::Parsed> parse(Options& options, std::vector<const char*> arguments) {
  Flags flags("greeter", "Says hello.", "1.2.3", "FLAGSTEST");
  flags.add("address", options.address, "where to listen");
  flags.add("registry_address", options.registry_address, "where the registry is");
  flags.add("verbose", options.verbose, "say more");
  flags.add("loops", options.loops, "threads");
  flags.add("register_ttl", options.ttl, "time to live");
  flags.add("metadata", options.metadata, "of the node");
  flags.add_size("limit", options.limit, "of a message");
  arguments.insert(arguments.begin(), "greeter");
  return flags.parse(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Flags, TakesEveryKind) {
  Options options;
  const auto parsed = parse(options, {"--address", ":8080", "--registry-address=/tmp/x", "--verbose", "--loops", "2",
                                      "--register_ttl", "1m30s", "--metadata", "a=1", "--metadata", "b=2", "--limit", "4MiB"});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(options.address, ":8080");
  EXPECT_EQ(options.registry_address, "/tmp/x");
  EXPECT_TRUE(options.verbose);
  EXPECT_EQ(options.loops, 2U);
  EXPECT_EQ(options.limit, 4U << 20);
  EXPECT_EQ(options.ttl, std::chrono::seconds(90));
  EXPECT_THAT(options.metadata, testing::ElementsAre("a=1", "b=2"));
}

TEST(Flags, EnvironmentStandsBehindFlags) {
  ::setenv("FLAGSTEST_REGISTRY_ADDRESS", "/from/env", 1);
  ::setenv("FLAGSTEST_ADDRESS", ":1", 1);
  Options options;
  ASSERT_TRUE(parse(options, {"--address", ":2"}));
  EXPECT_EQ(options.registry_address, "/from/env");
  EXPECT_EQ(options.address, ":2");
  ::unsetenv("FLAGSTEST_REGISTRY_ADDRESS");
  ::unsetenv("FLAGSTEST_ADDRESS");
}

TEST(Flags, AFlagOfACommandGoesBeforeTheEnvironmentOfTheProgram) {
  ::setenv("FLAGSTEST_PLACE", "/from/env", 1);
  for (const std::vector<const char*>& arguments : {std::vector<const char*>{"p", "call", "--place", "/given"},
                                                    {"p", "call", "--place=/given"},
                                                    {"p", "--place", "/given", "call"}}) {
    std::string place;
    Flags flags("p", "Tests.", "1", "FLAGSTEST");
    flags.add("place", place, "where");
    flags.command("call", "Calls.").add("place", place, "where");
    ASSERT_TRUE(flags.parse(static_cast<int>(arguments.size()), arguments.data()));
    EXPECT_EQ(place, "/given") << arguments[1];
  }
  ::unsetenv("FLAGSTEST_PLACE");
}

TEST(Flags, BadInputSaysWhatIsWrong) {
  const struct {
    std::vector<const char*> arguments;
    const char* message;
  } cases[] = {
      {{"--adress", ":1"}, "unknown argument --adress (did you mean --address?); see"},
      {{"--register_ttl", "5"}, "--register_ttl: "},
      {{"--loops", "many"}, "many"},
      {{"--limit", "-1"}, "--limit: "},
      {{"--limit", "much"}, "much"},
      {{"--register_ttl", "1 year"}, "1 year"},
      {{"--address"}, "address"},
      {{"stray"}, "stray"},
  };
  for (const auto& c : cases) {
    Options options;
    const auto parsed = parse(options, c.arguments);
    ASSERT_FALSE(parsed) << c.message;
    EXPECT_EQ(parsed.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(parsed.error().message(),
                testing::AllOf(testing::HasSubstr(c.message), testing::HasSubstr("see greeter --help")));
  }
}

TEST(Flags, HelpAndVersionAreTexts) {
  Options options;
  const auto help = parse(options, {"--help"});
  ASSERT_TRUE(help);
  EXPECT_THAT(help->text, testing::AllOf(testing::HasSubstr("Says hello."), testing::HasSubstr("--registry_address"),
                                         testing::HasSubstr("FLAGSTEST_ADDRESS"), testing::HasSubstr("where to listen")));
  const auto version = parse(options, {"--version"});
  ASSERT_TRUE(version);
  EXPECT_EQ(version->text, "greeter 1.2.3\n");
}

TEST(Flags, Commands) {
  Flags flags("micro", "Tool.", "1");
  std::string service;
  std::string endpoint;
  Flags& call = flags.command("call", "Calls an endpoint");
  call.add_argument("service", service, "its name", true);
  call.add_argument("endpoint", endpoint, "its name", false);
  const char* good[] = {"micro", "call", "greeter", "Greeter.Hello"};
  const auto parsed = flags.parse(4, good);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->command, "call");
  EXPECT_EQ(service, "greeter");
  EXPECT_EQ(endpoint, "Greeter.Hello");
  const struct {
    std::vector<const char*> arguments;
    const char* help;
  } cases[] = {
      {{"micro", "call"}, "see micro call --help"},
      {{"micro", "call", "greeter", "--bogus"}, "see micro call --help"},
      {{"micro", "--bogus"}, "see micro --help"},
      {{"micro", "cal"}, "see micro --help"},
  };
  for (const auto& c : cases) {
    const auto refused = flags.parse(static_cast<int>(c.arguments.size()), c.arguments.data());
    ASSERT_FALSE(refused) << c.help;
    EXPECT_THAT(refused.error().message(), testing::EndsWith(c.help));
  }
}

}  // namespace
}  // namespace micro
