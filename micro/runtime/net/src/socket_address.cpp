#include "socket_address.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>

namespace micro::net {

std::string host_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE] = "";
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
    return text;
  }
  const auto& six = *reinterpret_cast<const sockaddr_in6*>(address);
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
    inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text, sizeof text);
    return text;
  }
  inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
  std::string host = text;
  // A link-local address means nothing without its interface (RFC 4007, section 11).
  char interface[IF_NAMESIZE];
  if (six.sin6_scope_id != 0 && if_indextoname(six.sin6_scope_id, interface) != nullptr) host.append("%").append(interface);
  return host;
}

std::uint16_t port_of(const sockaddr* address) noexcept {
  // Both families keep the port at the same place.
  return ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port);
}

std::string to_string(const sockaddr* address, socklen_t size) {
  if (address->sa_family == AF_UNIX) {
    const char* path = reinterpret_cast<const sockaddr_un*>(address)->sun_path;
    const std::size_t room = size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
    return "unix:" + std::string(path, strnlen(path, room));
  }
  const std::string host = host_of(address);
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? '[' + host + ']' : host) + ':' + std::to_string(port_of(address));
}

Result<SocketAddress> unix_address(std::string_view path) {
  SocketAddress result;
  auto& un = reinterpret_cast<sockaddr_un&>(result.storage);
  if (path.size() >= sizeof un.sun_path) {
    return fail(invalid_argument("unix:" + std::string(path) + ": the path has " + std::to_string(path.size()) +
                                 " bytes, a Unix socket takes " + std::to_string(sizeof un.sun_path - 1) +
                                 "; choose a shorter one"));
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return result;
}

Result<std::vector<SocketAddress>> lookup(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) {
    const bool missing = status == EAI_NONAME || status == EAI_NODATA || status == EAI_ADDRFAMILY;
    std::string message = "resolve " + host + ": " + (status == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(status));
    return fail(missing ? not_found(std::move(message)) : unavailable(std::move(message)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    addresses.push_back(address);
  }
  return addresses;
}

}  // namespace micro::net
