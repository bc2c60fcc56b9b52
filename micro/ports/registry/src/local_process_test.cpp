#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "local_fixture.hpp"

extern char** environ;

// What becomes of a process's records when it ends in this way or that.
namespace micro::registry {
namespace {

using Ids = std::vector<std::string>;

// A process that holds one record; ready when the constructor returns, killed by the destructor.
class Holder {
 public:
  Holder(const fs::path& directory, const std::string& service, const std::string& id, int ttl_ms = 0) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::vector<std::string> words{REGISTRY_HOLD, directory.string(), service, id, "10.0.0.1:80", std::to_string(ttl_ms)};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int error = ::posix_spawn(&pid_, REGISTRY_HOLD, &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    char ready = 0;
    const bool started = error == 0 && ::read(ends[0], &ready, 1) == 1;
    ::close(ends[0]);
    if (!started) throw std::runtime_error("cannot start " REGISTRY_HOLD);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { end(SIGKILL); }

  void send(int signal) const { ::kill(pid_, signal); }
  void end(int signal) {
    if (pid_ <= 0) return;
    send(signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

class LocalProcessTest : public LocalFixture, public testing::WithParamInterface<int> {};

TEST_P(LocalProcessTest, AProcessThatEndsTakesItsRecordWithIt) {
  const auto local = connect();
  const auto watcher = watch(*local, "greeter");
  Holder process(directory_, "greeter", "one");
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "one"}));
  EXPECT_EQ(node_ids(*local, "greeter"), Ids{"one"});
  process.send(GetParam());
  EXPECT_EQ(next(*watcher), (Seen{Change::kDelete, "greeter", "one"}));
  EXPECT_EQ(node_ids(*local, "greeter"), Ids{});
  EXPECT_FALSE(fs::exists(directory_ / "greeter" / "one.json"));
}

INSTANTIATE_TEST_SUITE_P(Local, LocalProcessTest, testing::Values(SIGKILL, SIGTERM, SIGABRT),
                         [](const auto& info) { return std::string(::sigabbrev_np(info.param)); });

TEST_F(LocalProcessTest, ItIsGoneAlsoWhenNobodyWatched) {
  const auto local = connect();
  Holder first(directory_, "greeter", "one");
  Holder second(directory_, "greeter", "two");
  EXPECT_EQ(node_ids(*local, "greeter"), (Ids{"one", "two"}));
  first.end(SIGKILL);
  EXPECT_EQ(node_ids(*local, "greeter"), Ids{"two"});
  EXPECT_FALSE(fs::exists(directory_ / "greeter" / "one.json"));
  second.end(SIGKILL);
  EXPECT_EQ(run(local->get_service(context_, "greeter")).error().code(), Code::kNotFound);
}

TEST_F(LocalProcessTest, EveryWatcherLearnsOfADeathOnce) {
  const auto local = connect();
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 4; ++i) watchers.push_back(watch(*local, i % 2 == 0 ? "greeter" : ""));
  Holder first(directory_, "greeter", "one");
  Holder second(directory_, "greeter", "two");
  for (const auto& watcher : watchers) {
    EXPECT_EQ(next(*watcher).node, "one");
    EXPECT_EQ(next(*watcher).node, "two");
  }
  first.send(SIGKILL);
  for (const auto& watcher : watchers) EXPECT_EQ(next(*watcher), (Seen{Change::kDelete, "greeter", "one"}));
  second.send(SIGKILL);
  for (const auto& watcher : watchers) EXPECT_EQ(next(*watcher), (Seen{Change::kDelete, "greeter", "two"}));
}

TEST_F(LocalProcessTest, ARestartedProcessMayTakeItsIdAgainAtOnce) {
  const auto local = connect();
  const auto watcher = watch(*local);
  for (int i = 0; i < 10; ++i) {
    Holder process(directory_, "greeter", "one");
    EXPECT_EQ(node_ids(*local, "greeter"), Ids{"one"});
    process.end(SIGKILL);
  }
  const Holder last(directory_, "greeter", "one");
  EXPECT_EQ(node_ids(*local, "greeter"), Ids{"one"});
  ASSERT_TRUE(add(*local, one_node("greeter", "sentinel")));
  Seen seen = next(*watcher);
  EXPECT_EQ(seen, (Seen{Change::kCreate, "greeter", "one"})) << "nine deaths nobody looked at are none";
}

TEST_F(LocalProcessTest, AStoppedProcessDisappearsWithItsTimeToLiveAndComesBack) {
  const auto local = connect();
  const auto watcher = watch(*local, "greeter");
  const Holder process(directory_, "greeter", "one", 300);
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "one"}));
  process.send(SIGSTOP);
  EXPECT_EQ(next(*watcher), (Seen{Change::kDelete, "greeter", "one"}));
  EXPECT_EQ(node_ids(*local, "greeter"), Ids{});
  EXPECT_TRUE(fs::exists(directory_ / "greeter" / "one.json")) << "it still belongs to its owner";
  process.send(SIGCONT);
  EXPECT_EQ(next(*watcher), (Seen{Change::kCreate, "greeter", "one"}));
}

}  // namespace
}  // namespace micro::registry
