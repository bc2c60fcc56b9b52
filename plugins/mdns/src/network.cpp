#include "network.hpp"

namespace micro::mdns {
namespace {

constexpr std::size_t kLargest = 65536;

}  // namespace

Result<void> Network::open() {
  if (families_.empty()) {
    if (!options_.group_four.empty()) families_.push_back({.group = options_.group_four, .any = "0.0.0.0"});
    if (!options_.group_six.empty()) families_.push_back({.group = options_.group_six, .any = "::", .six = true});
  }
  std::string reasons;
  bool usable = false;
  for (Family& family : families_) {
    const Result<void> opened = open(family);
    usable |= opened.has_value();
    if (!opened) reasons += (reasons.empty() ? "" : "; ") + opened.error().message();
  }
  if (!usable) return fail(unavailable("mDNS cannot be used here: " + (reasons.empty() ? "no group is set" : reasons)));
  return {};
}

Result<void> Network::open(Family& family) {
  if (family.shared == nullptr) {
    auto shared = net::DatagramSocket::bind(loop_, Address{.host = family.any, .port = options_.port, .unix_path = {}},
                                            net::DatagramOptions{.share_port = true});
    if (!shared) return fail(std::move(shared.error()));
    auto own = net::DatagramSocket::bind(loop_, Address{.host = family.any, .port = 0, .unix_path = {}}, {});
    if (!own) return fail(std::move(own.error()));
    family.shared = std::move(*shared);
    family.own = std::move(*own);
    spawn(receive(*family.shared, true, gate_.enter()));
    spawn(receive(*family.own, false, gate_.enter()));
  }
  join(family);
  if (family.joined.empty()) return fail(unavailable("no network interface takes part in the group " + family.group));
  return {};
}

void Network::join(Family& family) {
  // Looked at each time: interfaces come and go, and their indices are not used again.
  for (const net::MulticastInterface& interface : net::multicast_interfaces()) {
    if (!(family.six ? interface.six : interface.four) || family.joined.contains(interface.index)) continue;
    if (family.shared->join(family.group, interface.index)) family.joined.insert(interface.index);
  }
}

Result<void> Network::send(const Message& message, std::unique_ptr<net::DatagramSocket> Family::* socket) {
  // Uncompressed, like go-micro's; the smallest is a question, and what is announced is announced three times.
  const auto bytes = encode(message, false);
  if (!bytes) return fail(bytes.error());
  bool sent = false;
  std::string reasons;
  for (Family& family : families_) {
    if (family.shared == nullptr) continue;
    join(family);
    const Address group{.host = family.group, .port = options_.port, .unix_path = {}};
    for (const unsigned interface : family.joined) {
      const Result<void> done = (family.*socket)->send(*bytes, group, interface);
      sent |= done.has_value();
      if (!done) reasons += (reasons.empty() ? "" : "; ") + done.error().message();
    }
  }
  if (!sent) return fail(unavailable("mDNS: nothing could be sent: " + reasons));
  return {};
}

void Network::reply(const Message& message) {
  const auto bytes = encode(message, true);
  // An answer that is lost is asked for again.
  if (bytes && asked_on_ != nullptr) (void)asked_on_->send(*bytes, asker_);
}

Task<void> Network::receive(net::DatagramSocket& socket, bool shared, Gate::Holder) {
  std::vector<char> buffer(kLargest);
  for (;;) {
    const auto datagram = co_await socket.receive(buffer);
    if (!datagram) co_return;
    dispatch(socket, shared, *datagram);
  }
}

void Network::dispatch(net::DatagramSocket& socket, bool shared, const net::Datagram& datagram) {
  const auto message = decode(datagram.bytes);
  // RFC 6762, section 18: other operations and codes are ignored.
  if (!message || (message->flags & 0x780F) != 0) return;
  if (message->is_response()) {
    if (shared) {
      listener_.on_group(*message);
    } else {
      listener_.on_answer(*message);
    }
  } else if (shared) {
    asked_on_ = &socket;
    asker_ = datagram.from;
    listener_.on_question(*message);
    asked_on_ = nullptr;
  }
}

Task<void> Network::close() {
  for (Family& family : families_) {
    if (family.shared != nullptr) family.shared->close();
    if (family.own != nullptr) family.own->close();
  }
  co_await gate_.close();
}

}  // namespace micro::mdns
