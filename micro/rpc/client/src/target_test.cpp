#include "target.hpp"

#include <gmock/gmock.h>

#include "client_fixture.hpp"

namespace micro::client::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Target, HasSeveralForms) {
  EXPECT_EQ(parse_target("discovery:///greeter")->name, "greeter");
  EXPECT_THAT(parse_target("discovery:///greeter")->addresses, IsEmpty());
  EXPECT_THAT(parse_target("direct:///10.0.0.7:80,[::1]:81,host:82")->addresses,
              ElementsAre("10.0.0.7:80", "[::1]:81", "host:82"));
  EXPECT_THAT(parse_target("unix:/run/x.sock")->addresses, ElementsAre("unix:/run/x.sock"));
  EXPECT_THAT(parse_target("unix:///run/x.sock")->addresses, ElementsAre("unix:/run/x.sock"));
  EXPECT_EQ(registry_name("discovery:///greeter"), "greeter");
  EXPECT_EQ(registry_name("greeter"), "greeter");
}

TEST(Target, SaysWhatIsWrong) {
  for (const char* text : {"discovery:///", "discovery:///a/b", "discovery://etcd/greeter", "direct:///", "direct:///,",
                           "direct:///host", "direct://h:1", "unix:", "http://host:80", "host:80"}) {
    const Result<Target> target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(target.error().message(), HasSubstr("\"" + std::string(text) + "\" is no target: "));
    EXPECT_THAT(target.error().message(), HasSubstr("known forms are"));
  }
}

class TargetTest : public ClientFixture {
 protected:
  Result<std::string> ask_for(std::string_view service) {
    Context context;
    std::string request = "John", reply;
    const Result<void> done =
        run(client().call(context, service, "greeter.Greeter", "Hello", codec::ref(request), codec::ref(reply), {}));
    if (!done) return fail(done.error());
    return reply;
  }
};

TEST_F(TargetTest, DirectGoesToItsAddressesInTurn) {
  FakeServer& one = serve(hello);
  FakeServer& two = serve(hello);
  const std::string target = "direct:///" + one.address() + "," + two.address();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask_for(target), "Hello John");
  EXPECT_EQ(one.calls.size(), 2U);
  EXPECT_EQ(two.calls.size(), 2U);
}

TEST_F(TargetTest, DiscoveryAsksTheRegistry) {
  const Result<std::string> without = ask_for("discovery:///greeter");
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(without.error().message(), HasSubstr("where is service \"greeter\""));
}

TEST_F(TargetTest, NonsenseIsRefused) {
  const Result<std::string> nonsense = ask_for("http://host:80");
  ASSERT_FALSE(nonsense);
  EXPECT_EQ(nonsense.error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace micro::client::testing
