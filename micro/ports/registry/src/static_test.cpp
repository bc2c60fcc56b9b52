#include <micro/registry/static.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/registry/cache.hpp>

namespace micro::registry {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> told(const std::vector<Service>& services) {
  std::vector<std::string> lines;
  for (const Service& service : services) {
    for (const Node& node : service.nodes)
      lines.push_back(service.name + " " + service.version + " " + node.id + " " + node.address);
  }
  return lines;
}

TEST(StaticText, NamesServicesAndAddresses) {
  const auto services = Static::parse("greeter=direct:///a:1,b:2; other = [::1]:3 , unix:/run/other.sock ;");
  ASSERT_TRUE(services) << services.error().to_string();
  EXPECT_THAT(told(*services),
              ElementsAre("greeter latest greeter-a:1 a:1", "greeter latest greeter-b:2 b:2",
                          "other latest other-[::1]:3 [::1]:3", "other latest other-unix:/run/other.sock unix:/run/other.sock"));
}

TEST(StaticText, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"", "at position 0: no service is named"},
      {" ; ", "at position 0: no service is named"},
      {"greeter", "at position 0: \"greeter\" has no '='"},
      {"a=b:1;10.0.0.1:80", "at position 6: \"10.0.0.1:80\" has no '='"},
      {"a=b:1;=c:1", "at position 6: the name of the service is missing"},
      {"a=", "at position 2: an address of service \"a\" is missing"},
      {"a=b:1,,c:2", "at position 6: an address of service \"a\" is missing"},
      {"a=b:1,", "at position 6: an address of service \"a\" is missing"},
      {"a=direct:///", "at position 12: an address of service \"a\" is missing"},
      {"a=b:1,c", "at position 6: "},
      {"a=b:99999", "at position 2: "},
      {"a=b:0", "at position 2: \"b:0\" cannot be called"},
      {"a=:80", "at position 2: \":80\" cannot be called"},
      {"a=b:1,b:1", "at position 6: service \"a\" has b:1 twice"},
      {"a=b:1;a=c:1", "at position 6: service \"a\" is there twice"},
  };
  for (const Case& c : cases) {
    const auto services = Static::parse(c.text);
    ASSERT_FALSE(services) << c.text;
    EXPECT_EQ(services.error().code(), Code::kInvalidArgument) << c.text;
    EXPECT_THAT(services.error().message(), HasSubstr(c.message)) << c.text;
  }
}

class StaticTest : public testing::Test {
 protected:
  StaticTest() {
    std::string pattern = (fs::temp_directory_path() / "micro-static-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    context_.set_timeout(std::chrono::seconds(30));
  }
  ~StaticTest() override { fs::remove_all(directory_); }

  std::string path() const { return (directory_ / "services.json").string(); }
  void write(const std::string& text) {
    std::ofstream(path() + ".new") << text;
    fs::rename(path() + ".new", path());
  }
  std::shared_ptr<Static> open() {
    const Static::Options options{.poll_interval = std::chrono::milliseconds(2)};
    return Static::from_file(path(), options).value();
  }
  std::vector<std::string> list(Static& registry) { return told(block_on(loop_, registry.list_services(context_)).value()); }

  Loop loop_;
  Context context_;
  fs::path directory_;
};

constexpr const char* kOne = R"([{"name":"greeter","version":"v1","nodes":[{"id":"one","address":"10.0.0.1:80"}]}])";
constexpr const char* kTwo = R"({"name":"greeter","version":"v1","nodes":[{"id":"one","address":"10.0.0.1:80"},
                                                                     {"id":"two","address":"10.0.0.2:80"}]})";

TEST_F(StaticTest, GivenRecordsAreFound) {
  const auto registry = Static::make("greeter=a:1,b:2").value();
  EXPECT_EQ(registry->describe(), "static registry of 2 given nodes");
  EXPECT_THAT(list(*registry), ElementsAre("greeter latest greeter-a:1 a:1", "greeter latest greeter-b:2 b:2"));
  EXPECT_EQ(block_on(loop_, registry->get_service(context_, "nobody")).error().code(), Code::kNotFound);
}

TEST_F(StaticTest, IsReadOnly) {
  const auto registry = Static::make("greeter=a:1").value();
  const Service service{.name = "mine", .nodes = {{.id = "mine-1", .address = "10.0.0.1:80"}}};
  for (const auto& refused : {block_on(loop_, registry->register_service(context_, service, {})),
                              block_on(loop_, registry->deregister_service(context_, service))}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
    EXPECT_EQ(refused.error().reason(), kReadOnly);
    EXPECT_THAT(refused.error().message(), HasSubstr("service \"mine\": the static registry of 1 given nodes is read-only"));
  }
}

TEST_F(StaticTest, AWatchOfGivenRecordsWaitsUntilItIsStopped) {
  const auto registry = Static::make("greeter=a:1").value();
  const auto watcher = block_on(loop_, registry->watch(context_, {})).value();
  Context soon(context_);
  soon.set_timeout(std::chrono::milliseconds(1));
  EXPECT_EQ(block_on(loop_, watcher->next(soon)).error().code(), Code::kCancelled);
  watcher->stop();
  EXPECT_EQ(block_on(loop_, watcher->next(context_)).error().code(), Code::kCancelled);
}

TEST_F(StaticTest, TheFileIsNamedInThreeWays) {
  write(kOne);
  for (const std::string& address : {"file:" + path(), "file://" + path()}) {
    const auto registry = Static::make(address);
    ASSERT_TRUE(registry) << registry.error().to_string();
    EXPECT_EQ((*registry)->describe(), "static registry in " + path());
  }
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  EXPECT_TRUE(Static::make("file:services.json"));
  fs::current_path(before);
  EXPECT_EQ(Static::make("file:").error().code(), Code::kInvalidArgument);
}

TEST_F(StaticTest, AFileThatCannotBeUsedIsToldAtOnce) {
  const auto missing = Static::make("file:" + path());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr(path()));
  struct Case {
    const char* content;
    const char* message;
  };
  const Case cases[] = {
      {"", "is not JSON"},
      {"7", "expected a JSON array of records, found number"},
      {R"([{"name":"a","nodes":[{"id":"1","address":"a:1"}]},{"nodes":[]}])", "record 2: "},
      {R"([{"name":"a","nodes":[]}])", "it has no node"},
      {R"([{"name":"a","nodes":[{"id":"1"}]}])", "node \"1\" has no address"},
      {R"([{"name":"a","version":"1","nodes":[{"id":"1","address":"a:1"}]},
           {"name":"a","version":"2","nodes":[{"id":"1","address":"a:1"}]}])",
       "node \"1\" of service \"a\" is there twice"},
  };
  for (const Case& c : cases) {
    write(c.content);
    const auto registry = Static::make("file:" + path());
    ASSERT_FALSE(registry) << c.content;
    EXPECT_EQ(registry.error().code(), Code::kInvalidArgument) << c.content;
    EXPECT_THAT(registry.error().message(), HasSubstr(c.message)) << c.content;
    EXPECT_THAT(registry.error().message(), HasSubstr(path())) << c.content;
  }
}

TEST_F(StaticTest, ABrokenFileTakesNothingAwayAndIsToldOnce) {
  write(kOne);
  const auto registry = open();
  const auto watcher = block_on(loop_, registry->watch(context_, {})).value();
  write("[{");
  const auto broken = block_on(loop_, watcher->next(context_));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code(), Code::kUnavailable);
  EXPECT_THAT(broken.error().message(), HasSubstr(path()));
  EXPECT_THAT(list(*registry), ElementsAre("greeter v1 one 10.0.0.1:80"));

  const auto again = block_on(loop_, registry->watch(context_, {})).value();
  fs::remove(path());
  EXPECT_EQ(block_on(loop_, again->next(context_)).error().code(), Code::kUnavailable);
  EXPECT_THAT(list(*registry), ElementsAre("greeter v1 one 10.0.0.1:80"));

  const auto last = block_on(loop_, registry->watch(context_, {})).value();
  write(kTwo);
  const auto event = block_on(loop_, last->next(context_));
  ASSERT_TRUE(event) << event.error().to_string();
  EXPECT_EQ(event->change, Change::kCreate);
  EXPECT_EQ(event->service.nodes.at(0).id, "two");
  EXPECT_THAT(list(*registry), ElementsAre("greeter v1 one 10.0.0.1:80", "greeter v1 two 10.0.0.2:80"));
}

TEST_F(StaticTest, AnEmptyListIsAListToo) {
  write(kOne);
  const auto registry = open();
  const auto watcher = block_on(loop_, registry->watch(context_, {})).value();
  write("[]");
  const auto event = block_on(loop_, watcher->next(context_));
  ASSERT_TRUE(event) << event.error().to_string();
  EXPECT_EQ(event->change, Change::kDelete);
  EXPECT_THAT(list(*registry), ElementsAre());
}

}  // namespace
}  // namespace micro::registry
