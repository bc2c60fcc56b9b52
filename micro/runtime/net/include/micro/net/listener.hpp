#pragma once

#include <memory>
#include <string>
#include <vector>

#include <micro/net/stream.hpp>
#include <micro/task/task.hpp>
#include <micro/uri/uri.hpp>

namespace micro::net {

struct ListenOptions {
  // Connections the kernel queues before accept; more are refused or retried by the peer. The kernel caps it at somaxconn.
  int backlog = 1024;
  // Several loops listen on one port and the kernel spreads the connections (SO_REUSEPORT). Switched on by servers that have
  // more than one loop. Bind the first socket without it to be told when another program owns the port.
  bool reuse_port = false;
};

// A listening TCP or Unix socket on one loop. A Unix socket file left behind by a dead process is removed first; one that a
// living process answers on is ALREADY_EXISTS, like a TCP port in use. The file is removed again by close().
// Thread safety: its loop's thread only, except listen().
class Listener {
 public:
  virtual ~Listener() = default;
  // Binds and listens at once; errors say which address, why, and what to do ("listen on :8080: address in use; ...").
  static Result<std::unique_ptr<Listener>> listen(Loop& loop, const Address& address, const ListenOptions& options);

  // The next connection; CANCELLED after close(). Running out of file descriptors is survived: it waits and goes on.
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  virtual void close() = 0;
  // The real address: with the port the kernel chose for port 0.
  virtual const Address& address() const noexcept = 0;
  virtual Loop& loop() const noexcept = 0;
};

// The addresses of this machine other hosts can reach: global unicast of interfaces that are up, IPv4 first, in interface order;
// loopback ones last. What a service publishes when it listens on all interfaces.
std::vector<std::string> reachable_hosts();

}  // namespace micro::net
