#include "bind.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "socket_address.hpp"

namespace micro::net {
namespace {

Error listen_error(const Address& address, int error_number) {
  const std::string what = "listen on " + address.to_string();
  switch (error_number) {
    case EADDRINUSE:
      return already_exists(what +
                            ": address already in use: another program listens there; choose another --address or stop it");
    case EACCES:
      return permission_denied(what + ": permission denied: " +
                               (address.is_unix() ? "the directory is not writable for this user"
                                                  : "ports below 1024 are for privileged programs; choose another --address or "
                                                    "grant CAP_NET_BIND_SERVICE"));
    case EADDRNOTAVAIL:
      return invalid_argument(what + ": no network interface of this machine has that address; choose another --address");
    default:
      return from_errno(error_number, what);
  }
}

int new_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

void set_option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

// 0, or the errno of what failed.
int bind_internet(int fd, const SocketAddress& address, const ListenOptions& options) {
  // Only for ports whose former connections still linger (TIME_WAIT); on Linux a listening socket still keeps others out.
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (options.reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd, address.data(), address.size) != 0) return errno;
  // Bound without the option, so a port in use was noticed; set now, so that the other loops of this program may join.
  if (!options.reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  return ::listen(fd, options.backlog) == 0 ? 0 : errno;
}

Result<std::vector<SocketAddress>> addresses_to_try(const Address& address) {
  if (!address.host.empty()) {
    auto found = lookup(address.host, address.port, AI_PASSIVE);
    // A name that stands for both families, such as localhost, is taken as IPv4: the one every client tries.
    if (found) {
      const auto four = std::ranges::find(*found, AF_INET, &SocketAddress::family);
      if (four != found->end()) std::rotate(found->begin(), four, four + 1);
    }
    return found;
  }
  SocketAddress six;
  auto& in6 = reinterpret_cast<sockaddr_in6&>(six.storage);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(address.port);
  six.size = sizeof in6;
  SocketAddress four;
  auto& in4 = reinterpret_cast<sockaddr_in&>(four.storage);
  in4.sin_family = AF_INET;
  in4.sin_port = htons(address.port);
  four.size = sizeof in4;
  return std::vector{six, four};
}

Result<BoundSocket> listen_internet(const Address& address, const ListenOptions& options) {
  auto candidates = addresses_to_try(address);
  if (!candidates) return fail(std::move(candidates.error()).with_context("listen on " + address.to_string()));
  int error_number = EAFNOSUPPORT;
  for (const SocketAddress& candidate : *candidates) {
    const int fd = new_socket(candidate.family());
    if (fd < 0) {
      error_number = errno;
      continue;
    }
    BoundSocket bound(fd, address);
    error_number = bind_internet(fd, candidate, options);
    if (error_number == 0) {
      SocketAddress real;
      getsockname(fd, real.data(), &real.size);
      if (!address.host.empty()) bound.address.host = host_of(real.data());
      bound.address.port = port_of(real.data());
      return bound;
    }
    // Only a family this machine does not have is a reason to try the next.
    if (error_number != EAFNOSUPPORT && error_number != EADDRNOTAVAIL) break;
  }
  return fail(listen_error(address, error_number));
}

// Whether somebody accepts connections on the socket file.
bool answers(const SocketAddress& address) {
  const int fd = new_socket(AF_UNIX);
  if (fd < 0) return true;
  const bool refused = ::connect(fd, address.data(), address.size) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return !refused;
}

Result<BoundSocket> listen_unix(const Address& address, const ListenOptions& options) {
  Result<SocketAddress> raw = unix_address(address.unix_path);
  if (!raw) return fail(std::move(raw.error()).with_context("listen"));
  const int fd = new_socket(AF_UNIX);
  if (fd < 0) return fail(listen_error(address, errno));
  BoundSocket bound(fd, address);
  int status = ::bind(fd, raw->data(), raw->size);
  if (status != 0 && errno == EADDRINUSE) {
    struct stat file{};
    if (::lstat(address.unix_path.c_str(), &file) == 0 && !S_ISSOCK(file.st_mode)) {
      return fail(already_exists("listen on " + address.to_string() +
                                 ": the file exists and is not a socket; choose another path or remove it"));
    }
    if (answers(*raw)) return fail(listen_error(address, EADDRINUSE));
    ::unlink(address.unix_path.c_str());
    status = ::bind(fd, raw->data(), raw->size);
  }
  if (status != 0 || ::listen(fd, options.backlog) != 0) return fail(listen_error(address, errno));
  struct stat file{};
  if (::lstat(address.unix_path.c_str(), &file) == 0) {
    bound.device = file.st_dev;
    bound.inode = file.st_ino;
  }
  return bound;
}

}  // namespace

void BoundSocket::close() noexcept {
  if (fd < 0) return;
  ::close(std::exchange(fd, -1));
  if (inode == 0) return;
  struct stat file{};
  const char* path = address.unix_path.c_str();
  if (::lstat(path, &file) == 0 && file.st_dev == device && file.st_ino == inode) ::unlink(path);
}

Result<BoundSocket> bind_and_listen(const Address& address, const ListenOptions& options) {
  return address.is_unix() ? listen_unix(address, options) : listen_internet(address, options);
}

}  // namespace micro::net
