#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

namespace micro::testkit {

// A real server for a test: a process on this machine that the test starts, disturbs and ends.
//
//   const std::uint16_t port = free_port();
//   auto etcd = ServerProcess::start({.command = {*program, "--data-dir", dir.path() + "/data", ...}});
//   ASSERT_TRUE((*etcd)->wait_until([&] { return accepts_connections(port); }));
//
// The process ends with its object, and with the program that started it. What it prints is kept for messages.
// Thread safety: one thread. Members block, so they belong into the test, not on a loop that others need.
class ServerProcess {
 public:
  struct Options {
    // The program, found as execvp() finds it, and its arguments.
    std::vector<std::string> command;
    // Added to the environment of this process.
    std::vector<std::pair<std::string, std::string>> environment;
    // Where it runs; empty: here.
    std::string directory;
  };

  // NOT_FOUND when there is no such program.
  static Result<std::unique_ptr<ServerProcess>> start(Options options);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  // Kills it.
  ~ServerProcess();

  // Asks `ready` every few milliseconds. UNAVAILABLE with the end of its output when the process ends first,
  // DEADLINE_EXCEEDED with the same when it takes longer than `timeout`.
  Result<void> wait_until(const std::function<bool()>& ready, Duration timeout = std::chrono::seconds(60));

  int pid() const noexcept { return pid_; }
  bool running();
  // SIGTERM, and SIGKILL when it has not ended in time; waits for the end.
  void stop(Duration patience = std::chrono::seconds(10));
  // SIGKILL; waits for the end.
  void kill();
  // SIGSTOP and SIGCONT: a server that hangs.
  void pause();
  void resume();
  // Starts the same command again after stop() or kill().
  Result<void> restart();
  // All it has printed, both streams.
  std::string output() const;

 private:
  explicit ServerProcess(Options options);
  Result<void> launch();
  Error failure(Error error) const;

  const Options options_;
  std::string log_;
  int pid_ = -1;
};

// A directory that goes with its object.
class TempDirectory {
 public:
  TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory();
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

// A TCP port of 127.0.0.1 that nobody listens on just now.
std::uint16_t free_port();
// Whether somebody listens on a port of 127.0.0.1.
bool accepts_connections(std::uint16_t port);
// The path of a program in PATH or the directories for administrators; nullopt: it is not installed.
std::optional<std::string> find_program(std::string_view name);

}  // namespace micro::testkit
