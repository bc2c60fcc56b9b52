#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <micro/coro/gate.hpp>
#include <micro/error/error.hpp>
#include <micro/loop/loop.hpp>
#include <micro/net/datagram.hpp>
#include <micro/task/task.hpp>

#include "dns_message.hpp"

namespace micro::mdns {

// The sockets of a registry: of each family one that hears the group, shares its port and answers from it, and one with a port of
// its own, which asks and gets the answers. Thread safety: one loop.
class Network {
 public:
  // Who it tells.
  class Listener {
   public:
    virtual ~Listener() = default;
    // A question that came by the group; reply() answers it.
    virtual void on_question(const Message& message) = 0;
    // What somebody told the group, or answered to us.
    virtual void on_group(const Message& message) = 0;
    virtual void on_answer(const Message& message) = 0;
  };
  struct Options {
    std::string group_four;
    std::string group_six;
    std::uint16_t port;
  };

  Network(Loop& loop, Listener& listener, Options options) : loop_(loop), listener_(listener), options_(std::move(options)) {}

  // Makes the sockets that are not there yet; after a failure it may be called again. UNAVAILABLE when there is no family in
  // which both a socket and an interface can be had.
  Result<void> open();
  // To the group, by every interface. Errors when it left by none.
  Result<void> ask(const Message& message) { return send(message, &Family::own); }
  Result<void> tell(const Message& message) { return send(message, &Family::shared); }
  // To who sent the question that on_question() is just telling of.
  void reply(const Message& message);
  // Ends the sockets and waits for those who read from them.
  Task<void> close();

 private:
  struct Family {
    std::string group;
    std::string any;
    bool six = false;
    std::unique_ptr<net::DatagramSocket> shared{};
    std::unique_ptr<net::DatagramSocket> own{};
    std::set<unsigned> joined{};
  };

  Result<void> open(Family& family);
  void join(Family& family);
  Result<void> send(const Message& message, std::unique_ptr<net::DatagramSocket> Family::* socket);
  Task<void> receive(net::DatagramSocket& socket, bool shared, Gate::Holder holder);
  void dispatch(net::DatagramSocket& socket, bool shared, const net::Datagram& datagram);

  Loop& loop_;
  Listener& listener_;
  const Options options_;
  std::vector<Family> families_;
  Gate gate_;
  // Of the question being told of.
  net::DatagramSocket* asked_on_ = nullptr;
  Address asker_;
};

}  // namespace micro::mdns
