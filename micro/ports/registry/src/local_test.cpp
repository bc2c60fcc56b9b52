#include <micro/registry/local.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "local_fixture.hpp"

namespace micro::registry {
namespace {

using Ids = std::vector<std::string>;

class LocalTest : public LocalFixture {};

TEST_F(LocalTest, KeepsOneReadableFileANode) {
  const auto local = connect();
  ASSERT_TRUE(add(*local, one_node("my service/1", "node:1"), std::chrono::seconds(90)));
  const std::string text = read(directory_ / "my%20service%2F1" / "node%3A1.json");
  EXPECT_NE(text.find("\"expires_ns\":"), std::string::npos) << text;
  EXPECT_EQ(from_json(text).value(), one_node("my service/1", "node:1"));
}

TEST_F(LocalTest, CreatesItsDirectoryForTheUserAlone) {
  const fs::path deep = directory_ / "a" / "b" / "registry";
  Local local({.directory = deep.string()});
  ASSERT_TRUE(add(local, one_node("greeter", "one")));
  EXPECT_EQ(fs::status(deep).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(deep / "greeter").permissions(), fs::perms::owner_all);
}

TEST_F(LocalTest, AMissingDirectoryIsAnEmptyRegistry) {
  Local local({.directory = (directory_ / "none").string()});
  EXPECT_EQ(run(local.get_service(context_, "greeter")).error().code(), Code::kNotFound);
  EXPECT_TRUE(run(local.list_services(context_)).value().empty());
}

struct UnusableCase {
  const char* what;
  std::string directory;  // below the test's directory, unless absolute
  const char* says;
};

TEST_F(LocalTest, AnUnusableDirectoryIsExplained) {
  write(directory_ / "file", "not a directory");
  const std::vector<UnusableCase> cases{
      {"a file", directory_ / "file", "Not a directory"},
      {"below a file", directory_ / "file" / "registry", "Not a directory"},
      {"where nothing can be made", "/proc/registry", "No such file or directory"},
      {"name too long", directory_ / std::string(300, 'x'), "File name too long"},
  };
  for (const UnusableCase& c : cases) {
    Local local({.directory = c.directory});
    const auto check = [&](const auto& result) {
      ASSERT_FALSE(result) << c.what;
      EXPECT_EQ(result.error().code(), Code::kUnavailable) << c.what;
      for (const std::string_view part :
           {std::string_view(c.directory), std::string_view(c.says), std::string_view("--registry_address")}) {
        EXPECT_NE(result.error().message().find(part), std::string::npos) << c.what << ": " << result.error().message();
      }
    };
    check(run(local.register_service(context_, one_node("greeter", "one"), {})));
    check(run(local.get_service(context_, "greeter")));
    check(run(local.list_services(context_)));
    check(run(local.watch(context_, {})));
  }
}

TEST_F(LocalTest, NamesTooLongForAFileAreRefused) {
  const auto local = connect();
  for (const Service& service : {one_node(std::string(300, 'x'), "one"), one_node("greeter", std::string(251, 'x'))}) {
    const auto added = add(*local, service);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code(), Code::kInvalidArgument);
    EXPECT_NE(added.error().message().find("too long"), std::string::npos) << added.error().message();
  }
  EXPECT_TRUE(add(*local, one_node(std::string(255, 'x'), std::string(250, 'x'))));
  EXPECT_EQ(run(local->get_service(context_, std::string(300, 'x'))).error().code(), Code::kNotFound);
}

TEST_F(LocalTest, ForeignFilesAreIgnoredAndKept) {
  const auto local = connect();
  const auto watcher = watch(*local);
  ASSERT_TRUE(add(*local, one_node("greeter", "one")));
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "one"}));

  const fs::path folder = directory_ / "greeter";
  const Ids foreign{"empty.json",   "half.json", "other.json",   "wrong-service.json",
                    "no-node.json", "notes.txt", ".hidden.json", "big.json"};
  write(folder / "empty.json", "");
  write(folder / "half.json", R"({"name":"greeter","no)");
  write(folder / "other.json", R"({"hello":"world"})");
  write(folder / "wrong-service.json", to_json(one_node("another", "wrong-service")));
  write(folder / "no-node.json", to_json({.name = "greeter"}));
  write(folder / "notes.txt", "remember the milk");
  write(folder / ".hidden.json", to_json(one_node("greeter", ".hidden")));
  write(folder / "big.json", std::string(5 << 20, ' '));
  write(directory_ / "loose.json", to_json(one_node("greeter", "loose")));
  fs::create_directory(folder / "folder.json");
  fs::create_symlink(folder / "one.json", folder / "link.json");
  ASSERT_EQ(::mkfifo((folder / "pipe.json").c_str(), 0600), 0);
  fs::create_directory(directory_ / ".git");

  EXPECT_EQ(node_ids(*local, "greeter"), Ids{"one"});
  EXPECT_EQ(run(local->list_services(context_)).value().size(), 1u);
  ASSERT_TRUE(add(*local, one_node("greeter", "two")));
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "two"}));
  for (const std::string& name : foreign) EXPECT_TRUE(fs::exists(folder / name)) << name;
  EXPECT_TRUE(fs::exists(folder / "pipe.json"));
}

TEST_F(LocalTest, ARecordNobodyHoldsIsDeadAndRemoved) {
  const auto local = connect();
  fs::create_directory(directory_ / "greeter");
  const fs::path file = directory_ / "greeter" / "dead.json";
  write(file, to_json(one_node("greeter", "dead")));
  EXPECT_EQ(node_ids(*local, "greeter"), Ids{});
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(LocalTest, ADeadRecordIsReplacedByANewOwner) {
  const auto local = connect();
  fs::create_directory(directory_ / "greeter");
  write(directory_ / "greeter" / "one.json", to_json(one_node("greeter", "one", "v0")));
  ASSERT_TRUE(add(*local, one_node("greeter", "one", "v1")));
  EXPECT_EQ(run(local->get_service(context_, "greeter")).value().at(0).version, "v1");
}

TEST_F(LocalTest, LeftoversOfDeadWritersAreRemoved) {
  const auto local = connect();
  ASSERT_TRUE(add(*local, one_node("greeter", "one")));
  const fs::path old = directory_ / "greeter" / ".tmp-old";
  const fs::path fresh = directory_ / "greeter" / ".tmp-fresh";
  write(old, "{");
  write(fresh, "{");
  fs::last_write_time(old, fs::last_write_time(old) - std::chrono::minutes(10));
  EXPECT_EQ(node_ids(*local, "greeter"), Ids{"one"});
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh)) << "somebody may just be writing it";
}

TEST_F(LocalTest, DestroyingTheRegistryEndsItsRecords) {
  const auto local = connect();
  const auto watcher = watch(*local, "greeter");
  {
    const auto other = connect();
    const auto its_watcher = watch(*other);
    ASSERT_TRUE(add(*other, one_node("greeter", "one")));
    EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "one"}));
    EXPECT_EQ(node_ids(*local, "greeter"), Ids{"one"});
  }
  EXPECT_EQ(next(*watcher), (Seen{Change::kDelete, "greeter", "one"}));
  EXPECT_EQ(node_ids(*local, "greeter"), Ids{});
}

TEST_F(LocalTest, ARenewedRecordNeverLooksDead) {
  const auto local = connect();
  const auto watcher = watch(*local);
  ASSERT_TRUE(add(*local, one_node("greeter", "one")));
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "one"}));
  std::atomic<bool> done = false;
  std::thread owner([&] {
    Loop loop;
    Context context;
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(block_on(loop, local->register_service(context, one_node("greeter", "one"), {})));
    done = true;
  });
  const auto reader = connect();
  while (!done) EXPECT_EQ(node_ids(*reader, "greeter"), Ids{"one"});
  owner.join();
  ASSERT_TRUE(add(*local, one_node("greeter", "last")));
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "last"})) << "renewing is no event";
}

TEST_F(LocalTest, AFolderRemovedByHandHeals) {
  const auto local = connect();
  const auto watcher = watch(*local, "greeter");
  ASSERT_TRUE(add(*local, one_node("greeter", "one")));
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "one"}));
  fs::remove_all(directory_ / "greeter");
  EXPECT_EQ(next(*watcher), (Seen{Change::kDelete, "greeter", "one"}));
  ASSERT_TRUE(add(*local, one_node("greeter", "one")));
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "one"}));
}

TEST_F(LocalTest, ADirectoryRemovedByHandEndsTheWatchWithAnError) {
  const auto local = connect();
  const auto watcher = watch(*local);
  fs::remove_all(directory_);
  const auto ended = run(watcher->next(context_));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code(), Code::kUnavailable);
  EXPECT_NE(ended.error().message().find(directory_.string()), std::string::npos) << ended.error().message();
  const auto again = watch(*local);
  ASSERT_TRUE(add(*local, one_node("greeter", "one")));
  EXPECT_EQ(next(*again), (Seen{Change::kCreate, "greeter", "one"}));
}

TEST_F(LocalTest, AnOverflowOfTheKernelsQueueLosesNothing) {
  std::size_t limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  const auto local = connect();
  ASSERT_TRUE(add(*local, one_node("greeter", "before")));
  const auto watcher = watch(*local);
  // Each renaming is two notifications.
  const fs::path folder = directory_ / "greeter";
  write(folder / "a", "x");
  for (std::size_t i = 0; i <= limit / 2; ++i) fs::rename(folder / (i % 2 == 0 ? "a" : "b"), folder / (i % 2 == 0 ? "b" : "a"));
  ASSERT_TRUE(add(*local, one_node("greeter", "one")));
  ASSERT_TRUE(run(local->deregister_service(context_, one_node("greeter", "before"))));
  std::vector<std::string> seen{next(*watcher).node, next(*watcher).node};
  EXPECT_THAT(seen, testing::UnorderedElementsAre("one", "before"));
}

TEST_F(LocalTest, RunningOutOfDescriptorsIsNoDeath) {
  const auto local = connect();
  ASSERT_TRUE(add(*local, one_node("greeter", "one")));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 256, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> taken;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
  const auto found = run(local->get_service(context_, "greeter"));
  const auto added = add(*local, one_node("greeter", "one", "v2"));
  for (const int fd : taken) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kUnavailable);
  EXPECT_NE(found.error().message().find("Too many open files"), std::string::npos) << found.error().message();
  EXPECT_EQ(added.error().code(), Code::kUnavailable);
  EXPECT_EQ(run(local->get_service(context_, "greeter")).value().at(0).version, "v1");
}

// The registry in its default directory, which is `micro` in the directory of the test.
class LocalDefaultTest : public LocalFixture {
 protected:
  LocalDefaultTest() {
    const char* before = ::getenv("XDG_RUNTIME_DIR");
    if (before != nullptr) saved_ = before;
    ::setenv("XDG_RUNTIME_DIR", directory_.c_str(), 1);
  }
  ~LocalDefaultTest() override {
    if (saved_) {
      ::setenv("XDG_RUNTIME_DIR", saved_->c_str(), 1);
    } else {
      ::unsetenv("XDG_RUNTIME_DIR");
    }
  }
  void expect_refused(const char* says) {
    Local local;
    const auto check = [&](const auto& result) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code(), Code::kUnavailable);
      EXPECT_NE(result.error().message().find(says), std::string::npos) << result.error().message();
    };
    check(run(local.register_service(context_, one_node("greeter", "one"), {})));
    check(run(local.get_service(context_, "greeter")));
    check(run(local.list_services(context_)));
  }

 private:
  std::optional<std::string> saved_;
};

TEST_F(LocalDefaultTest, IsMadeForTheUserAlone) {
  Local local;
  ASSERT_TRUE(add(local, one_node("greeter", "one")));
  EXPECT_EQ(fs::status(directory_ / "micro").permissions(), fs::perms::owner_all);
}

TEST_F(LocalDefaultTest, ASymbolicLinkIsRefused) {
  fs::create_directory(directory_ / "elsewhere");
  fs::create_directory_symlink(directory_ / "elsewhere", directory_ / "micro");
  expect_refused("symbolic link");
  EXPECT_TRUE(fs::is_empty(directory_ / "elsewhere"));
}

TEST_F(LocalDefaultTest, ADirectoryOthersMayWriteIntoIsRefused) {
  fs::create_directory(directory_ / "micro");
  for (const fs::perms others : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(directory_ / "micro", fs::perms::owner_all | others);
    expect_refused("chmod go-w");
  }
  fs::permissions(directory_ / "micro", fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec);
  Local local;
  EXPECT_TRUE(add(local, one_node("greeter", "one")));
}

TEST_F(LocalTest, TheDefaultDirectoryBelongsToTheUser) {
  const char* before = ::getenv("XDG_RUNTIME_DIR");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("XDG_RUNTIME_DIR", directory_.c_str(), 1);
  EXPECT_EQ(Local::default_directory(), (directory_ / "micro").string());
  EXPECT_EQ(Local().directory(), (directory_ / "micro").string());
  EXPECT_EQ(Local().describe(), "local registry in " + (directory_ / "micro").string());
  const std::string fallback = "/tmp/micro-" + std::to_string(::geteuid());
  for (const char* unusable : {"", "relative", "/nowhere/at/all"}) {
    ::setenv("XDG_RUNTIME_DIR", unusable, 1);
    EXPECT_EQ(Local::default_directory(), fallback);
  }
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_EQ(Local::default_directory(), fallback);
  if (before != nullptr) ::setenv("XDG_RUNTIME_DIR", saved.c_str(), 1);
}

}  // namespace
}  // namespace micro::registry
