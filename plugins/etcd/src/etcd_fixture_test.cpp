#include "etcd_fixture.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace micro::etcd {

EtcdServer::EtcdServer() : EtcdServer(Options{}) {}

EtcdServer::EtcdServer(Options options) : options_(std::move(options)) {
  process_ = testkit::ServerProcess::start({.command = command(port_)}).value();
  wait_ready(*process_);
}

std::vector<std::string> EtcdServer::command(std::uint16_t port) const {
  const std::string client = (options_.certificate.empty() ? "http://127.0.0.1:" : "https://127.0.0.1:") + std::to_string(port);
  const std::string peer = "http://127.0.0.1:" + std::to_string(peer_port_);
  std::vector<std::string> command{*testkit::find_program("etcd"), "--name=test", "--data-dir=" + directory_.path() + "/data",
                                   "--listen-client-urls=" + client, "--advertise-client-urls=" + client,
                                   "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
                                   "--initial-cluster=test=" + peer,
                                   // Without TLS and users, whatever the clients need.
                                   "--listen-metrics-urls=http://127.0.0.1:" + std::to_string(health_port_), "--log-level=warn"};
  if (!options_.certificate.empty()) {
    command.insert(command.end(), {"--cert-file=" + options_.certificate, "--key-file=" + options_.key});
  }
  if (!options_.client_authorities.empty()) {
    command.insert(command.end(), {"--client-cert-auth", "--trusted-ca-file=" + options_.client_authorities});
  }
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  return command;
}

void EtcdServer::change_aside(const std::vector<std::string>& arguments) {
  process_->kill();
  const std::uint16_t port = testkit::free_port();
  {
    auto other = testkit::ServerProcess::start({.command = command(port)}).value();
    wait_ready(*other);
    for (const std::string& each : arguments) ctl(port, each);
  }
  restart();
}

bool EtcdServer::installed() {
  return testkit::find_program("etcd") && testkit::find_program("etcdctl") && testkit::find_program("curl");
}

void EtcdServer::wait_ready(testkit::ServerProcess& process) const {
  const std::string ask = "curl -s --noproxy '*' -m 5 http://127.0.0.1:" + std::to_string(health_port_) + "/health";
  const auto ready = process.wait_until([&] { return std::system((ask + " | grep -q true").c_str()) == 0; });
  if (!ready) throw std::runtime_error(ready.error().to_string());
}

void EtcdServer::pause() {
  process_->pause();
  const auto stopped = process_->wait_until([&] {
    std::ifstream stat("/proc/" + std::to_string(process_->pid()) + "/stat");
    std::string pid, name, state;
    stat >> pid >> name >> state;
    return state == "T";
  });
  if (!stopped) throw std::runtime_error(stopped.error().to_string());
}

void EtcdServer::restart() {
  if (const auto started = process_->restart(); !started) throw std::runtime_error(started.error().to_string());
  wait_ready(*process_);
}

void EtcdServer::wipe() {
  process_->kill();
  std::filesystem::remove_all(directory_.path() + "/data");
  restart();
}

std::string EtcdServer::ctl(std::uint16_t port, const std::string& arguments) {
  const std::string command = "ETCDCTL_API=3 etcdctl --endpoints=127.0.0.1:" + std::to_string(port) + " " + arguments + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string output;
  std::array<char, 4096> block;
  while (const std::size_t size = std::fread(block.data(), 1, block.size(), pipe)) output.append(block.data(), size);
  if (const int status = ::pclose(pipe); status != 0) throw std::runtime_error(command + ": " + output);
  return output;
}

}  // namespace micro::etcd
