#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>
#include <micro/loop/loop.hpp>
#include <micro/task/task.hpp>
#include <micro/uri/uri.hpp>

namespace micro::net {

struct DatagramOptions {
  // Other sockets, of other programs too, may have the same port (SO_REUSEADDR). Each of them gets what is sent to a group; what
  // is sent to one host only one of them gets.
  bool share_port = false;
};

// A datagram as it came; `bytes` are in the buffer given to receive().
struct Datagram {
  std::string_view bytes;
  Address from;
};

// A UDP socket on one loop, for small protocols that send now and then: it allocates for each datagram. IPv4 or IPv6, not both.
// Sending never waits.
//
// Cancellation: close() completes a pending receive() with CANCELLED, on a later turn. Lifetime: must outlive that receive(), and
// must not outlive its loop. At most one receive() may be pending. Thread safety: its loop's thread only.
class DatagramSocket {
 public:
  // `address` is a number ("0.0.0.0", "::", "127.0.0.1") and a port, 0 for any free one. Errors as those of Listener::listen().
  static Result<std::unique_ptr<DatagramSocket>> bind(Loop& loop, const Address& address, const DatagramOptions& options);
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;
  ~DatagramSocket();

  // The next datagram. One that is larger than the buffer is dropped; 64 KiB take any.
  Task<Result<Datagram>> receive(std::span<char> buffer);
  // To a host, or to a group; `interface` is the index of the one a group is reached by, 0: what the system thinks best. The
  // errors are those of the kernel: no route, larger than a datagram may be (RESOURCE_EXHAUSTED), no room to queue it.
  Result<void> send(std::string_view bytes, const Address& to, unsigned interface = 0);
  // Receives what is sent to a group ("224.0.0.251", "ff02::fb") and comes in by one interface. Once more is no error.
  Result<void> join(const std::string& group, unsigned interface);

  // With the port the kernel chose for port 0.
  const Address& address() const noexcept { return address_; }
  // Idempotent.
  void close();

 private:
  struct Impl;
  DatagramSocket(std::unique_ptr<Impl> impl, Address address);
  std::unique_ptr<Impl> impl_;
  const Address address_;
};

// A network interface that is up and that multicast can use: all that say so, and the loopback ones, which as a rule do not but
// carry it all the same.
struct MulticastInterface {
  unsigned index = 0;
  std::string name;
  bool four = false;  // has an IPv4 address
  bool six = false;   // has an IPv6 address
};
std::vector<MulticastInterface> multicast_interfaces();

}  // namespace micro::net
