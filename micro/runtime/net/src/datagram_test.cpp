#include <micro/net/datagram.hpp>

#include <unistd.h>

#include <gmock/gmock.h>

#include "test_support.hpp"

namespace micro::net {
namespace {

using testing::HasSubstr;

std::unique_ptr<DatagramSocket> bound(Loop& loop, std::string_view address, bool share = false) {
  const DatagramOptions options{.share_port = share};
  auto socket = DatagramSocket::bind(loop, parse(address), options);
  EXPECT_TRUE(socket) << socket.error().to_string();
  return std::move(*socket);
}

std::string received(Loop& loop, DatagramSocket& socket, std::size_t room = 65536) {
  std::vector<char> buffer(room);
  const auto datagram = block_on(loop, socket.receive(buffer));
  if (!datagram) return datagram.error().to_string();
  return std::string(datagram->bytes) + " from " + datagram->from.to_string();
}

TEST(Datagram, GoesThereAndBack) {
  Loop loop;
  for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
    const auto one = bound(loop, address);
    const auto other = bound(loop, address);
    ASSERT_NE(one->address().port, 0);
    ASSERT_TRUE(one->send("hello", other->address()));
    EXPECT_EQ(received(loop, *other), "hello from " + one->address().to_string());
    ASSERT_TRUE(other->send("", one->address()));
    EXPECT_EQ(received(loop, *one), " from " + other->address().to_string());
  }
}

TEST(Datagram, TheLargestArrivesAndALargerOneIsRefused) {
  Loop loop;
  const auto socket = bound(loop, "127.0.0.1:0");
  const std::string largest(65507, 'x');
  ASSERT_TRUE(socket->send(largest, socket->address()));
  EXPECT_EQ(received(loop, *socket), largest + " from " + socket->address().to_string());
  const auto refused = socket->send(largest + "x", socket->address());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
}

TEST(Datagram, OneThatDoesNotFitIsDropped) {
  Loop loop;
  const auto socket = bound(loop, "127.0.0.1:0");
  ASSERT_TRUE(socket->send("too large", socket->address()));
  ASSERT_TRUE(socket->send("fits", socket->address()));
  EXPECT_THAT(received(loop, *socket, 4), HasSubstr("fits from"));
}

TEST(Datagram, AHostThatDoesNotListenDoesNotStopReceiving) {
  Loop loop;
  const auto socket = bound(loop, "127.0.0.1:0");
  const Address gone = bound(loop, "127.0.0.1:0")->address();
  ASSERT_TRUE(socket->send("anybody?", gone));
  ASSERT_TRUE(socket->send("yes", socket->address()));
  EXPECT_THAT(received(loop, *socket), HasSubstr("yes from"));
}

TEST(Datagram, CloseEndsReceiving) {
  Loop loop;
  const auto socket = bound(loop, "127.0.0.1:0");
  auto close = [&]() -> Task<void> {
    socket->close();
    co_return;
  };
  auto both = [&]() -> Task<Code> {
    std::vector<char> buffer(16);
    auto [datagram, closed] = co_await when_all(socket->receive(buffer), close());
    co_return datagram ? Code::kOk : datagram.error().code();
  };
  EXPECT_EQ(block_on(loop, both()), Code::kCancelled);
  EXPECT_EQ(socket->send("late", socket->address()).error().code(), Code::kCancelled);
  EXPECT_EQ(socket->join("239.255.77.1", 1).error().code(), Code::kCancelled);
  socket->close();
}

TEST(Datagram, APortIsSharedOnlyWhenBothSay) {
  Loop loop;
  const auto alone = bound(loop, "127.0.0.1:0");
  const auto refused = DatagramSocket::bind(loop, alone->address(), {.share_port = true});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kAlreadyExists);
  const auto first = bound(loop, "0.0.0.0:0", true);
  EXPECT_TRUE(DatagramSocket::bind(loop, first->address(), {.share_port = true}));
}

TEST(Datagram, NamesAreNotLookedUp) {
  Loop loop;
  EXPECT_FALSE(DatagramSocket::bind(loop, Address{.host = "localhost", .port = 0, .unix_path = {}}, {}));
  const auto socket = bound(loop, "127.0.0.1:0");
  EXPECT_THAT(socket->send("x", parse("localhost:1")).error().message(), HasSubstr("send a datagram to localhost:1"));
  EXPECT_FALSE(socket->join("nowhere", 1));
  EXPECT_FALSE(socket->join("127.0.0.1", 1)) << "not a group";
}

TEST(Datagram, AGroupIsHeardOnEachInterfaceThatWasJoined) {
  Loop loop;
  const auto interfaces = multicast_interfaces();
  const auto loopback = std::ranges::find(interfaces, std::string("lo"), &MulticastInterface::name);
  ASSERT_NE(loopback, interfaces.end()) << "no loopback interface";
  EXPECT_TRUE(loopback->four);
  // A group of this process alone, and two who listen to it.
  const std::string group = "239.255." + std::to_string(::getpid() / 256 % 256) + "." + std::to_string(::getpid() % 256);
  const auto first = bound(loop, "0.0.0.0:0", true);
  const auto second = bound(loop, first->address().to_string(), true);
  for (const auto* socket : {&first, &second}) {
    ASSERT_TRUE((*socket)->join(group, loopback->index));
    ASSERT_TRUE((*socket)->join(group, loopback->index)) << "once more is no error";
  }
  const auto sender = bound(loop, "0.0.0.0:0");
  const Address to{.host = group, .port = first->address().port, .unix_path = {}};
  const auto sent = sender->send("all", to, loopback->index);
  if (!sent) GTEST_SKIP() << "no multicast on the loopback interface: " << sent.error().to_string();
  EXPECT_THAT(received(loop, *first), HasSubstr("all from "));
  EXPECT_THAT(received(loop, *second), HasSubstr("all from "));
}

}  // namespace
}  // namespace micro::net
