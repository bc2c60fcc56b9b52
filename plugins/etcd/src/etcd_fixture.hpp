#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/etcd/registry.hpp>
#include <micro/testserver/server_process.hpp>

namespace micro::etcd {

// A real etcd of one member, on loopback, with its data in a directory of its own. It ends with its object.
class EtcdServer {
 public:
  struct Options {
    // PEM files; empty: no TLS.
    std::string certificate;
    std::string key;
    std::string client_authorities;
    std::vector<std::string> arguments;
  };

  EtcdServer();
  explicit EtcdServer(Options options);

  static bool installed();
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  testkit::ServerProcess& process() { return *process_; }
  // Waits until it has stood still.
  void pause();
  void restart();
  // Stopped; starts with nothing of what it knew.
  void wipe();
  // Runs etcdctl on it and gives what it prints; throws when it fails.
  std::string ctl(const std::string& arguments) const { return ctl(port_, arguments); }
  // What happens while our clients are away: ends it, runs etcdctl on a server with the same data at another port, and starts it
  // again.
  void change_aside(const std::vector<std::string>& arguments);

 private:
  std::vector<std::string> command(std::uint16_t port) const;
  // Until it serves, which is later than that it listens.
  void wait_ready(testkit::ServerProcess& process) const;
  static std::string ctl(std::uint16_t port, const std::string& arguments);

  const Options options_;
  const std::uint16_t port_ = testkit::free_port();
  const std::uint16_t peer_port_ = testkit::free_port();
  const std::uint16_t health_port_ = testkit::free_port();
  testkit::TempDirectory directory_;
  std::unique_ptr<testkit::ServerProcess> process_;
};

#define MICRO_NEEDS_ETCD()                     \
  if (!::micro::etcd::EtcdServer::installed()) \
  GTEST_SKIP() << "skipped: no etcd and etcdctl: apt-get install etcd-server etcd-client"

}  // namespace micro::etcd
