#include <micro/net/datagram.hpp>

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <micro/loop/fd_watch.hpp>

#include "socket_address.hpp"

namespace micro::net {
namespace {

Result<SocketAddress> numeric(const Address& address) {
  auto found = lookup(address.host, address.port, AI_NUMERICHOST);
  if (!found) return fail(std::move(found.error()));
  return found->front();
}

Error socket_error(const std::string& what, int error_number) {
  if (error_number == EMSGSIZE) {
    return resource_exhausted(what + ": it is larger than a datagram may be (some 64 KiB, less on some networks)");
  }
  return from_errno(error_number, what);
}

// Tells the kernel by which interface one datagram leaves.
class InterfaceChoice {
 public:
  InterfaceChoice(msghdr& message, int family, unsigned interface) {
    if (interface == 0) return;
    message.msg_control = buffer_;
    if (family == AF_INET) {
      in_pktinfo info{};
      info.ipi_ifindex = static_cast<int>(interface);
      add(message, IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      info.ipi6_ifindex = interface;
      add(message, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }

 private:
  template <class Info>
  void add(msghdr& message, int level, int type, const Info& info) {
    message.msg_controllen = CMSG_SPACE(sizeof info);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
  }
  alignas(cmsghdr) char buffer_[CMSG_SPACE(sizeof(in6_pktinfo))] = {};
};

}  // namespace

struct DatagramSocket::Impl {
  Impl(Loop& loop, int descriptor, int f) : fd(descriptor), family(f), watch(std::in_place, loop, descriptor) {}
  int fd;
  int family;
  std::optional<FdWatch> watch;
};

DatagramSocket::DatagramSocket(std::unique_ptr<Impl> impl, Address address)
    : impl_(std::move(impl)), address_(std::move(address)) {}
DatagramSocket::~DatagramSocket() { close(); }

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::bind(Loop& loop, const Address& address, const DatagramOptions& options) {
  const std::string what = "receive datagrams on " + address.to_string();
  const auto local = numeric(address);
  if (!local) return fail(Error(local.error()).with_context(what));
  const int fd = ::socket(local->family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(from_errno(errno, what));
  const int on = 1;
  if (options.share_port) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (local->family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  SocketAddress real;
  if (::bind(fd, local->data(), local->size) != 0 || ::getsockname(fd, real.data(), &real.size) != 0) {
    const int error_number = errno;
    ::close(fd);
    return fail(from_errno(error_number, what));
  }
  Address bound = address;
  bound.port = port_of(real.data());
  auto impl = std::make_unique<Impl>(loop, fd, local->family());
  return std::unique_ptr<DatagramSocket>(new DatagramSocket(std::move(impl), std::move(bound)));
}

Task<Result<Datagram>> DatagramSocket::receive(std::span<char> buffer) {
  while (impl_->fd >= 0) {
    SocketAddress from;
    iovec piece{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = from.data();
    message.msg_namelen = from.size;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    const ssize_t size = ::recvmsg(impl_->fd, &message, MSG_DONTWAIT);
    if (size >= 0) {
      if ((message.msg_flags & MSG_TRUNC) != 0) continue;
      Datagram datagram{.bytes = std::string_view(buffer.data(), static_cast<std::size_t>(size)), .from = {}};
      datagram.from.host = host_of(from.data());
      datagram.from.port = port_of(from.data());
      co_return datagram;
    }
    if (errno == EINTR) continue;
    // What is not "nothing there" is about some datagram that was sent before (an unreachable host), not about receiving.
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      (void)co_await impl_->watch->readable();
    else if (errno == EBADF || errno == ENOTSOCK || errno == EINVAL || errno == EFAULT) {
      co_return fail(from_errno(errno, "receive datagrams on " + address_.to_string()));
    }
  }
  co_return fail(cancelled("receive datagrams on " + address_.to_string() + ": the socket was closed"));
}

Result<void> DatagramSocket::send(std::string_view bytes, const Address& to, unsigned interface) {
  const std::string what = "send a datagram to " + to.to_string();
  if (impl_->fd < 0) return fail(cancelled(what + ": the socket was closed"));
  auto remote = numeric(to);
  if (!remote) return fail(std::move(remote.error()).with_context(what));
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_name = remote->data();
  message.msg_namelen = remote->size;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const InterfaceChoice choice(message, remote->family(), interface);
  for (;;) {
    if (::sendmsg(impl_->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return {};
    if (errno != EINTR) return fail(socket_error(what, errno));
  }
}

Result<void> DatagramSocket::join(const std::string& group, unsigned interface) {
  const std::string what = "join the group " + group;
  if (impl_->fd < 0) return fail(cancelled(what + ": the socket was closed"));
  const auto address = numeric(Address{.host = group, .port = 0, .unix_path = {}});
  if (!address) return fail(Error(address.error()).with_context(what));
  int status = -1;
  if (address->family() == AF_INET) {
    ip_mreqn request{};
    request.imr_multiaddr = reinterpret_cast<const sockaddr_in*>(address->data())->sin_addr;
    request.imr_ifindex = static_cast<int>(interface);
    status = setsockopt(impl_->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
  } else {
    ipv6_mreq request{};
    request.ipv6mr_multiaddr = reinterpret_cast<const sockaddr_in6*>(address->data())->sin6_addr;
    request.ipv6mr_interface = interface;
    status = setsockopt(impl_->fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
  }
  if (status != 0 && errno != EADDRINUSE) return fail(from_errno(errno, what));
  return {};
}

void DatagramSocket::close() {
  if (impl_->fd < 0) return;
  impl_->watch.reset();
  ::close(std::exchange(impl_->fd, -1));
}

std::vector<MulticastInterface> multicast_interfaces() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::vector<MulticastInterface> interfaces;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    if ((entry->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK)) == 0) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const unsigned index = if_nametoindex(entry->ifa_name);
    if (index == 0) continue;
    auto found = std::ranges::find(interfaces, index, &MulticastInterface::index);
    if (found == interfaces.end()) found = interfaces.insert(found, {.index = index, .name = entry->ifa_name});
    (family == AF_INET ? found->four : found->six) = true;
  }
  return interfaces;
}

}  // namespace micro::net
