// CONNECT (RFC 9113 section 8.5) and extended CONNECT (RFC 8441), which carries WebSocket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing.hpp"

namespace micro::http2::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

const Fields kWebSocket = {{":method", "CONNECT"},    {":protocol", "websocket"},  {":scheme", "http"},
                           {":path", "/chat?room=1"}, {":authority", "a.example"}, {"sec-websocket-version", "13"}};
const Options kOffer{.enable_connect_protocol = true};

struct Protocols : Recorder {
  void on_headers(Stream& stream, const HeaderBlock& block, bool end_stream) override {
    protocol = block.protocol;
    path = block.path;
    authority = block.authority;
    Recorder::on_headers(stream, block, end_stream);
  }
  std::string protocol;
  std::string path;
  std::string authority;
};

TEST(ExtendedConnect, IsOfferedOnlyWhenAskedFor) {
  ServerPeer plain;
  ServerPeer offering(kOffer);
  const std::string offer = "8=1";
  EXPECT_THAT(plain.frames().front(), Not(::testing::HasSubstr(offer)));
  EXPECT_THAT(offering.frames().front(), ::testing::HasSubstr(offer));
  plain.handshake();
  ASSERT_TRUE(plain.feed(headers(1, kWebSocket, false)));
  EXPECT_THAT(plain.frames(), ElementsAre("RST_STREAM 1 PROTOCOL_ERROR"));
  EXPECT_THAT(plain.events.lines, IsEmpty());
}

TEST(ExtendedConnect, ProtocolIsPassedOnAndDataFlowsBothWays) {
  Protocols events;
  Session session(Role::kServer, kOffer, events);
  const auto feed = [&](std::string_view bytes) { return session.feed(bytes, TimePoint{}); };
  ASSERT_TRUE(feed(ServerPeer::hello() + headers(1, kWebSocket, false)));
  (void)take(session);
  EXPECT_EQ(events.protocol, "websocket");
  EXPECT_EQ(events.path, "/chat?room=1");
  EXPECT_EQ(events.authority, "a.example");
  EXPECT_THAT(events.lines, ElementsAre("headers 1 CONNECT /chat?room=1 sec-websocket-version=13"));
  Stream& stream = *events.streams[1];
  session.submit_headers(stream, Fields{{":status", "200"}}, false);
  ASSERT_TRUE(feed(data(1, "frame", false)));
  session.submit_data(stream, "frame back", false);
  EXPECT_EQ(events.bodies[1], "frame");
  ASSERT_TRUE(feed(data(1, "", true)));
  session.submit_data(stream, "", true);
  EXPECT_THAT(describe(take(session)), ElementsAre("HEADERS 1", "DATA 1 10", "DATA 1 0 end"));
  EXPECT_EQ(events.lines.back(), "close 1");
}

TEST(ExtendedConnect, NeedsWhatRfc8441AsksFor) {
  const auto without = [](std::string_view name) {
    Fields fields = kWebSocket;
    std::erase_if(fields, [&](const Field& field) { return field.name == name; });
    return fields;
  };
  const auto with_method = [](std::string_view method) {
    Fields fields = kWebSocket;
    fields[0].value = method;
    return fields;
  };
  Fields twice = kWebSocket;
  twice.insert(twice.begin() + 1, {":protocol", "other"});
  Fields empty = kWebSocket;
  empty[1].value = "";
  const std::pair<const char*, Fields> cases[] = {
      {"no :scheme", without(":scheme")}, {"no :path", without(":path")}, {"not CONNECT", with_method("GET")},
      {"repeated :protocol", twice},      {"empty :protocol", empty},     {"plain CONNECT with :path", without(":protocol")},
  };
  for (const auto& [name, fields] : cases) {
    SCOPED_TRACE(name);
    ServerPeer peer(kOffer);
    peer.handshake();
    ASSERT_TRUE(peer.feed(headers(1, fields, false)));
    EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 1 PROTOCOL_ERROR"));
    EXPECT_THAT(peer.events.lines, IsEmpty());
  }
}

TEST(Connect, OnlyDataFlowsThroughATunnel) {
  const Fields plain = {{":method", "CONNECT"}, {":authority", "a:1"}, {"content-length", "7"}};
  for (const Fields& head : {plain, kWebSocket}) {
    ServerPeer peer(kOffer);
    peer.handshake();
    // content-length says nothing about a tunnel (RFC 9110 section 9.3.6).
    ASSERT_TRUE(peer.feed(headers(1, head, false) + data(1, "more than seven bytes", false)));
    EXPECT_THAT(peer.frames(), IsEmpty());
    ASSERT_TRUE(peer.feed(headers(1, kTrailer, true)));
    EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 1 PROTOCOL_ERROR"));
    EXPECT_EQ(peer.events.lines.back(), "close 1");
  }
}

TEST(ExtendedConnect, ClientsLearnThatItIsThere) {
  ClientPeer peer;
  EXPECT_FALSE(peer.session.peer_connect_protocol());
  ASSERT_TRUE(peer.feed(settings({{8, 0}})));
  EXPECT_FALSE(peer.session.peer_connect_protocol());
  ASSERT_TRUE(peer.feed(settings({{8, 1}})));
  EXPECT_TRUE(peer.session.peer_connect_protocol());
  ASSERT_TRUE(peer.feed(settings({{3, 5}})));
  EXPECT_TRUE(peer.session.peer_connect_protocol());
  EXPECT_FALSE(peer.feed(settings({{8, 0}})));
  EXPECT_THAT(peer.frames(), Contains("GOAWAY 0 PROTOCOL_ERROR"));

  ClientPeer other;
  EXPECT_FALSE(other.feed(settings({{8, 2}})));
  ServerPeer server;
  server.handshake({{8, 1}, {8, 0}});  // means nothing from a client
  EXPECT_FALSE(server.session.peer_connect_protocol());
  EXPECT_TRUE(server.feed(ping("12345678")));
}

TEST(ExtendedConnect, ClientsSendItAndTakeTheAnswerAsATunnel) {
  ClientPeer peer;
  peer.handshake({{8, 1}});
  Stream* const stream = peer.session.open(kWebSocket, false);
  ASSERT_NE(stream, nullptr);
  EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 1"));
  ASSERT_TRUE(peer.feed(headers(1, {{":status", "200"}, {"content-length", "3"}}, false) + data(1, "hello", false)));
  EXPECT_EQ(peer.events.bodies[1], "hello");
  ASSERT_TRUE(peer.feed(headers(1, kTrailer, true)));
  EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 1 PROTOCOL_ERROR"));
  // A refusal is a response like any other.
  ASSERT_NE(peer.session.open(kWebSocket, false), nullptr);
  ASSERT_TRUE(peer.feed(headers(3, {{":status", "404"}, {"content-length", "3"}}, false) + data(3, "abc", false) +
                        headers(3, kTrailer, true)));
  EXPECT_THAT(peer.events.lines, Contains("trailers 3 grpc-status=0"));
}

}  // namespace
}  // namespace micro::http2::testing
