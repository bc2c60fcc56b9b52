#include <micro/testserver/server_process.hpp>

#include <signal.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::testkit {
namespace {

using testing::HasSubstr;

ServerProcess::Options shell(std::string script) { return {.command = {"sh", "-c", std::move(script)}}; }

TEST(ServerProcess, KeepsWhatItPrints) {
  auto server = std::move(ServerProcess::start(shell("echo ready; exec sleep 1000")).value());
  ASSERT_TRUE(server->wait_until([&] { return server->output() == "ready\n"; }));
  EXPECT_TRUE(server->running());
  server->stop();
  EXPECT_FALSE(server->running());
}

TEST(ServerProcess, SaysWhyItIsNotReady) {
  auto server = std::move(ServerProcess::start(shell("echo no such option; exit 1")).value());
  const Result<void> ready = server->wait_until([] { return false; });
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code(), Code::kUnavailable);
  EXPECT_THAT(ready.error().message(), HasSubstr("no such option"));
}

TEST(ServerProcess, GivesUpInTime) {
  auto server = std::move(ServerProcess::start(shell("exec sleep 1000")).value());
  const Result<void> ready = server->wait_until([] { return false; }, std::chrono::milliseconds(20));
  EXPECT_EQ(ready.error().code(), Code::kDeadlineExceeded);
}

TEST(ServerProcess, KillsWhatDoesNotListen) {
  auto server = std::move(ServerProcess::start(shell("trap '' TERM; echo deaf; while true; do sleep 0.01; done")).value());
  ASSERT_TRUE(server->wait_until([&] { return server->output() == "deaf\n"; }));
  server->stop(std::chrono::milliseconds(50));
  EXPECT_FALSE(server->running());
}

TEST(ServerProcess, StartsAgainWithItsEnvironmentAndDirectory) {
  const TempDirectory directory;
  auto options = shell("echo $GREETING $(pwd); exec sleep 1000");
  options.environment = {{"GREETING", "hello"}};
  options.directory = directory.path();
  const std::string line = "hello " + directory.path() + "\n";
  auto server = std::move(ServerProcess::start(std::move(options)).value());
  ASSERT_TRUE(server->wait_until([&] { return server->output() == line; }));
  const int first = server->pid();
  ASSERT_TRUE(server->restart());
  EXPECT_NE(server->pid(), first);
  ASSERT_TRUE(server->wait_until([&] { return server->output() == line + line; }));
}

TEST(ServerProcess, IsPausedAndResumed) {
  auto server = std::move(ServerProcess::start(shell("exec sleep 1000")).value());
  const auto state = [&] {
    std::ifstream stat("/proc/" + std::to_string(server->pid()) + "/stat");
    std::string pid, name, state;
    stat >> pid >> name >> state;
    return state;
  };
  server->pause();
  EXPECT_TRUE(server->wait_until([&] { return state() == "T"; }));
  server->resume();
  EXPECT_TRUE(server->wait_until([&] { return state() == "S"; }));
}

TEST(ServerProcess, AnUnknownProgramIsNotFound) {
  EXPECT_EQ(ServerProcess::start({.command = {"no-such-program-here"}}).error().code(), Code::kNotFound);
  EXPECT_EQ(find_program("no-such-program-here"), std::nullopt);
  EXPECT_NE(find_program("sh"), std::nullopt);
}

TEST(Ports, AFreeOneIsNotListenedOn) { EXPECT_FALSE(accepts_connections(free_port())); }

}  // namespace
}  // namespace micro::testkit
