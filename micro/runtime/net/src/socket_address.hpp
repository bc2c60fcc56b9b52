#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>
#include <micro/uri/uri.hpp>

namespace micro::net {

// A sockaddr of any family with its length.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
};

// "10.0.0.7:50122", "[::1]:8080", "unix:", "unix:/path"; an IPv4 peer of a dual-stack socket is written as IPv4.
std::string to_string(const sockaddr* address, socklen_t size);
// The host part of the same ("10.0.0.7", "::1") and the port; for the Internet families.
std::string host_of(const sockaddr* address);
std::uint16_t port_of(const sockaddr* address) noexcept;

// INVALID_ARGUMENT when the path does not fit (107 bytes).
Result<SocketAddress> unix_address(std::string_view path);

// getaddrinfo for stream sockets, blocking. `flags` are AI_...; an empty host means "any" with AI_PASSIVE and "this machine"
// without. NOT_FOUND when the name does not exist, UNAVAILABLE when no server answered.
Result<std::vector<SocketAddress>> lookup(const std::string& host, std::uint16_t port, int flags);

}  // namespace micro::net
