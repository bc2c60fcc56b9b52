#pragma once

#include <sys/types.h>

#include <utility>

#include <micro/net/listener.hpp>

namespace micro::net {

// A listening socket and what belongs to it. Closed, and its socket file removed, by close() or the destructor.
struct BoundSocket {
  BoundSocket(int descriptor, Address real) : fd(descriptor), address(std::move(real)) {}
  BoundSocket(BoundSocket&& other) noexcept
      : fd(std::exchange(other.fd, -1)), address(std::move(other.address)), device(other.device), inode(other.inode) {}
  BoundSocket& operator=(BoundSocket&&) = delete;
  ~BoundSocket() { close(); }
  void close() noexcept;

  int fd;
  Address address;
  dev_t device = 0;  // of the socket file, so that only our own is removed
  ino_t inode = 0;
};

Result<BoundSocket> bind_and_listen(const Address& address, const ListenOptions& options);

}  // namespace micro::net
