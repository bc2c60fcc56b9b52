#include "etcd_fixture.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace micro::etcd {

EtcdServer::EtcdServer() : EtcdServer(Options{}) {}

EtcdServer::EtcdServer(Options options) : options_(std::move(options)) {
  const std::string scheme = options_.certificate.empty() ? "http://" : "https://";
  const std::string client = scheme + address();
  const std::string peer = "http://127.0.0.1:" + std::to_string(peer_port_);
  std::vector<std::string> command{*testkit::find_program("etcd"),
                                   "--name=test",
                                   "--data-dir=" + directory_.path() + "/data",
                                   "--listen-client-urls=" + client,
                                   "--advertise-client-urls=" + client,
                                   "--listen-peer-urls=" + peer,
                                   "--initial-advertise-peer-urls=" + peer,
                                   "--initial-cluster=test=" + peer,
                                   "--log-level=warn"};
  if (!options_.certificate.empty()) {
    command.insert(command.end(), {"--cert-file=" + options_.certificate, "--key-file=" + options_.key});
  }
  if (!options_.client_authorities.empty()) {
    command.insert(command.end(), {"--client-cert-auth", "--trusted-ca-file=" + options_.client_authorities});
  }
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  process_ = testkit::ServerProcess::start({.command = std::move(command)}).value();
  wait_ready();
}

bool EtcdServer::installed() { return testkit::find_program("etcd") && testkit::find_program("etcdctl"); }

void EtcdServer::wait_ready() {
  const auto ready = process_->wait_until([&] { return testkit::accepts_connections(port_); });
  if (!ready) throw std::runtime_error(ready.error().to_string());
}

void EtcdServer::restart() {
  if (const auto started = process_->restart(); !started) throw std::runtime_error(started.error().to_string());
  wait_ready();
}

void EtcdServer::wipe() {
  process_->kill();
  std::filesystem::remove_all(directory_.path() + "/data");
  restart();
}

std::string EtcdServer::ctl(const std::string& arguments) const {
  const std::string command = "ETCDCTL_API=3 etcdctl --endpoints=" + address() + " " + arguments + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string output;
  std::array<char, 4096> block;
  while (const std::size_t size = std::fread(block.data(), 1, block.size(), pipe)) output.append(block.data(), size);
  if (const int status = ::pclose(pipe); status != 0) throw std::runtime_error(command + ": " + output);
  return output;
}

}  // namespace micro::etcd
