#pragma once

#include <unistd.h>

#include <string>

#include <micro/coro/block_on.hpp>
#include <micro/mdns/registry.hpp>
#include <micro/net/datagram.hpp>
#include <micro/testserver/server_process.hpp>

// Groups for tests: each has a port of its own, so that tests that run side by side do not meet.
namespace micro::mdns {

inline Registry::Options options_of_test() {
  Registry::Options options;
  const int pid = ::getpid();
  options.group_four = "239.255." + std::to_string(pid / 256 % 256) + "." + std::to_string(pid % 256);
  options.group_six.clear();
  options.port = testkit::free_port();
  return options;
}

// Why there is no multicast here; empty: there is.
inline std::string why_no_multicast() {
  Loop loop;
  const auto interfaces = net::multicast_interfaces();
  if (interfaces.empty()) return "no network interface that carries multicast";
  const Registry::Options options = options_of_test();
  auto hears = net::DatagramSocket::bind(loop, Address{.host = "0.0.0.0", .port = 0, .unix_path = {}}, {.share_port = true});
  auto says = net::DatagramSocket::bind(loop, Address{.host = "0.0.0.0", .port = 0, .unix_path = {}}, {});
  if (!hears || !says) return "no UDP sockets";
  const Address group{.host = options.group_four, .port = (*hears)->address().port, .unix_path = {}};
  bool sent = false;
  for (const auto& interface : interfaces) {
    sent |= (*hears)->join(group.host, interface.index) && (*says)->send("anybody?", group, interface.index);
  }
  if (!sent) return "no interface takes a datagram to a group";
  std::string heard;
  auto receive = [&]() -> Task<void> {
    std::vector<char> buffer(100);
    const auto datagram = co_await (*hears)->receive(buffer);
    if (datagram) heard = datagram->bytes;
  };
  Timer give_up;
  give_up.set(
      loop, Clock::now() + std::chrono::seconds(5), [](void* s) { static_cast<net::DatagramSocket*>(s)->close(); }, hears->get());
  block_on(loop, receive());
  return heard.empty() ? "what is sent to a group does not come back" : "";
}

}  // namespace micro::mdns
