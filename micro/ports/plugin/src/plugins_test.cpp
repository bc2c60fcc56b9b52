#include <micro/plugin/plugins.hpp>

#include <micro/registry/registry.hpp>

namespace micro {
namespace {

TEST(Plugins, HasTheRegistriesThatNeedNothing) {
  const Plugins plugins;
  EXPECT_EQ(plugins.registry_names(), "local, memory, static, multi");
  const auto memory = plugins.make_registry("memory", {});
  ASSERT_TRUE(memory);
  EXPECT_EQ((*memory)->name(), "memory");
  const auto local = plugins.make_registry("local", {.address = testing::TempDir() + "/plugins-test"});
  ASSERT_TRUE(local);
  EXPECT_EQ((*local)->name(), "local");
}

TEST(Plugins, TheStaticRegistryIsGivenAsAText) {
  const Plugins plugins;
  const auto made = plugins.make_registry("static", {.address = "greeter=direct:///10.0.0.7:8080"});
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ((*made)->name(), "static");
  EXPECT_EQ(plugins.make_registry("static", {.address = "greeter"}).error().code(), Code::kInvalidArgument);
}

TEST(Plugins, UnknownNamesListTheKnownOnes) {
  const Plugins plugins;
  const auto registry = plugins.make_registry("ectd", {});
  ASSERT_FALSE(registry);
  EXPECT_EQ(registry.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(registry.error().message(),
            "unknown registry \"ectd\"; this program has local, memory, static, multi (--registry, MICRO_REGISTRY)");
}

TEST(Plugins, AddsByNameOnce) {
  Plugins plugins;
  const auto factory = [](const RegistryConfig& config) -> Result<std::shared_ptr<registry::Registry>> {
    return fail(unavailable("no such thing at " + config.address + " in the form of " + config.layout));
  };
  ASSERT_TRUE(plugins.add_registry("mine", factory));
  const auto again = plugins.add_registry("mine", factory);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(plugins.make_registry("mine", {.address = "here", .layout = "kratos"}).error().message(),
            "no such thing at here in the form of kratos");
}

TEST(Plugins, ALayoutIsRefusedWhereThereIsNone) {
  const Plugins plugins;
  for (const char* name : {"memory", "local", "static"}) {
    const auto made = plugins.make_registry(name, {.layout = "kratos"});
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
    EXPECT_NE(made.error().message().find("--registry_layout"), std::string::npos) << made.error().message();
  }
}

}  // namespace
}  // namespace micro
