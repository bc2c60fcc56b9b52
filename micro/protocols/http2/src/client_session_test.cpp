// RFC 9113 as a client meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing.hpp"

namespace micro::http2::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

TEST(ClientHandshake, SendsPrefaceAndSettings) {
  ClientPeer peer;
  EXPECT_THAT(peer.frames(), ElementsAre("PREFACE", "SETTINGS 2=0 4=1048576 6=65536", "WINDOW_UPDATE 0 16711681"));
  EXPECT_EQ(peer.session.peer_max_concurrent_streams(), 100U);
  ASSERT_TRUE(peer.feed(settings()));
  EXPECT_EQ(peer.session.peer_max_concurrent_streams(), 0xffffffffU);
}

struct ResponseCase {
  const char* name;
  std::string input;
  std::vector<std::string> events;
  std::vector<std::string> output = {};
};

// Stream 1 is a POST whose body is complete.
TEST(ClientResponses, AreCheckedByTheRules) {
  const std::vector<std::string> refused = {"reset 1 PROTOCOL_ERROR", "close 1"};
  const std::vector<std::string> sent = {"RST_STREAM 1 PROTOCOL_ERROR"};
  const auto status = [](const char* value, bool end) { return headers(1, {{":status", value}}, end); };
  const auto goaway_lines = [](const char* code) { return std::vector<std::string>{std::string("GOAWAY 0 ") + code}; };
  const auto failed = [](const char* code) { return std::vector<std::string>{std::string("reset 1 ") + code, "close 1"}; };
  const ResponseCase cases[] = {
      {"headers only", status("200", true), {"headers 1 200 end", "close 1"}},
      {"body", status("200", false) + data(1, "abc", true), {"headers 1 200", "end 1 3", "close 1"}},
      {"trailers",
       status("200", false) + data(1, "abc", false) + headers(1, kTrailer, true),
       {"headers 1 200", "trailers 1 grpc-status=0", "close 1"}},
      {"trailers only",
       headers(1, {{":status", "200"}, {"grpc-status", "5"}}, true),
       {"headers 1 200 grpc-status=5 end", "close 1"}},
      {"interim responses", status("100", false) + status("103", false) + status("204", true), {"headers 1 204 end", "close 1"}},
      {"interim that ends", status("100", true), refused, sent},
      {"101", status("101", false), refused, sent},
      {"no status", headers(1, {{"x", "y"}}, true), refused, sent},
      {"status of two digits", status("20", true), refused, sent},
      {"status no number", status("2x0", true), refused, sent},
      {"request field", headers(1, {{":status", "200"}, {":path", "/"}}, true), refused, sent},
      {"DATA before HEADERS", data(1, "x", true), refused, sent},
      {"second header section without the end",
       status("200", false) + headers(1, kTrailer, false),
       {"headers 1 200", "reset 1 PROTOCOL_ERROR", "close 1"},
       sent},
      {"content-length too large",
       headers(1, {{":status", "200"}, {"content-length", "4"}}, false) + data(1, "abc", true),
       {"headers 1 200 content-length=4", "reset 1 PROTOCOL_ERROR", "close 1"},
       sent},
      {"content-length without a body", headers(1, {{":status", "200"}, {"content-length", "4"}}, true), refused, sent},
      {"content-length no number", headers(1, {{":status", "200"}, {"content-length", "x"}}, true), refused, sent},
      {"content-lengths that differ",
       headers(1, {{":status", "200"}, {"content-length", "0"}, {"content-length", "x"}, {"content-length", "0"}}, true), refused,
       sent},
      {"content-length of 304",
       headers(1, {{":status", "304"}, {"content-length", "4"}}, true),
       {"headers 1 304 content-length=4 end", "close 1"}},
      {"content of 204", status("204", false) + data(1, "x", true), {"headers 1 204", "reset 1 PROTOCOL_ERROR", "close 1"}, sent},
      {"no content of 204 in DATA", status("204", false) + data(1, "", true), {"headers 1 204", "end 1 0", "close 1"}},
      {"reset", rst(1, ErrorCode::kRefusedStream), {"reset 1 REFUSED_STREAM by peer", "close 1"}},
      {"unknown code", rst(1, ErrorCode(0x1234)), {"reset 1 UNKNOWN_ERROR by peer", "close 1"}},
      {"PUSH_PROMISE", frame(FrameType::kPushPromise, 4, 1, be32(2) + block(kGet)), failed("PROTOCOL_ERROR"),
       goaway_lines("PROTOCOL_ERROR")},
      {"ENABLE_PUSH from a server", settings({{2, 1}}), failed("PROTOCOL_ERROR"), goaway_lines("PROTOCOL_ERROR")},
      {"stream of the server", headers(2, {{":status", "200"}}, true), failed("PROTOCOL_ERROR"), goaway_lines("PROTOCOL_ERROR")},
      {"response nobody asked for", headers(3, {{":status", "200"}}, true), failed("PROTOCOL_ERROR"),
       goaway_lines("PROTOCOL_ERROR")},
      {"DATA on an idle stream", data(3, "x", true), failed("PROTOCOL_ERROR"), goaway_lines("PROTOCOL_ERROR")},
      {"response twice", status("200", true) + status("200", true), {"headers 1 200 end", "close 1"}},
      {"trailers and reset twice",
       status("200", false) + headers(1, kTrailer, true) + rst(1, ErrorCode::kNoError) + headers(1, kTrailer, true) +
           rst(1, ErrorCode::kNoError),
       {"headers 1 200", "trailers 1 grpc-status=0", "close 1"}},
      {"DATA behind the end", status("200", true) + data(1, "more", true), {"headers 1 200 end", "close 1"}},
  };
  for (const bool split : {false, true}) {
    for (const ResponseCase& each : cases) {
      SCOPED_TRACE(each.name);
      ClientPeer peer;
      peer.handshake();
      Stream* const stream = peer.session.open(kPost, false);
      ASSERT_NE(stream, nullptr);
      peer.session.submit_data(*stream, "body", true);
      EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 1", "DATA 1 4 end"));
      if (split) {
        for (const char byte : each.input) (void)peer.feed({&byte, 1});
      } else {
        (void)peer.feed(each.input);
      }
      EXPECT_THAT(peer.events.lines, ElementsAreArray(each.events));
      EXPECT_THAT(peer.frames(), ElementsAreArray(each.output));
    }
  }
}

TEST(ClientResponses, ToHeadHaveNoBody) {
  ClientPeer peer;
  peer.handshake();
  const Fields head = {{":method", "HEAD"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
  ASSERT_NE(peer.session.open(head, true), nullptr);
  ASSERT_TRUE(peer.feed(headers(1, {{":status", "200"}, {"content-length", "4"}}, true)));
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 1 200 content-length=4 end", "close 1"));
  peer.events.lines.clear();
  ASSERT_NE(peer.session.open(head, true), nullptr);
  ASSERT_TRUE(peer.feed(headers(3, {{":status", "200"}, {"content-length", "4"}}, false) + data(3, "body", true)));
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 3 200 content-length=4", "reset 3 PROTOCOL_ERROR", "close 3"));
}

TEST(ClientResponses, LengthsOfTunnelsMeanNothing) {
  for (const char* const length : {"0", "4", "x"}) {
    ClientPeer peer;
    peer.handshake();
    const Fields connect = {{":method", "CONNECT"}, {":authority", "a:443"}};
    ASSERT_NE(peer.session.open(connect, false), nullptr);
    ASSERT_TRUE(peer.feed(headers(1, {{":status", "200"}, {"content-length", length}}, false) + data(1, "through", true)));
    EXPECT_THAT(peer.events.lines, ElementsAre(std::string("headers 1 200 content-length=") + length, "end 1 7"));
    // One that does not open is a response like any other.
    ASSERT_NE(peer.session.open(connect, false), nullptr);
    ASSERT_TRUE(peer.feed(headers(3, {{":status", "403"}, {"content-length", "x"}}, false)));
    EXPECT_EQ(peer.events.lines.back(), "close 3");
  }
}

TEST(ClientResponses, CompleteBeforeTheRequestIs) {
  ClientPeer peer;
  peer.handshake();
  Stream* const stream = peer.session.open(kPost, false);
  ASSERT_NE(stream, nullptr);
  ASSERT_TRUE(peer.feed(headers(1, {{":status", "200"}}, true)));
  EXPECT_TRUE(stream->remote_closed());
  EXPECT_FALSE(stream->local_closed());
  ASSERT_TRUE(peer.feed(rst(1, ErrorCode::kNoError)));
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 1 200 end", "reset 1 NO_ERROR by peer", "close 1"));
}

TEST(ClientStreams, KeepToTheLimitOfThePeer) {
  ClientPeer peer;
  peer.handshake({{3, 2}});
  Stream* const first = peer.session.open(kGet, true);
  Stream* const second = peer.session.open_encoded(block(kGet), kTrailer, true);
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_EQ(second->id(), 3U);
  EXPECT_FALSE(peer.session.can_open());
  EXPECT_EQ(peer.session.open(kGet, true), nullptr);
  EXPECT_EQ(peer.session.open_encoded(block(kGet), {}, true), nullptr);
  peer.session.reset(*first, ErrorCode::kCancel);
  EXPECT_THAT(peer.events.lines, ElementsAre("close 1"));
  EXPECT_TRUE(peer.session.can_open());
  // Late answers to what was cancelled are ignored.
  ASSERT_TRUE(peer.feed(headers(1, kOk, false) + data(1, "late", true) + window_update(1, 4) + rst(1, ErrorCode::kCancel)));
  EXPECT_THAT(peer.events.lines, ElementsAre("close 1"));
  EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 1 end", "HEADERS 3 end", "RST_STREAM 1 CANCEL"));
}

TEST(ClientStreams, ServersOpenNone) {
  ServerPeer peer;
  peer.handshake();
  EXPECT_FALSE(peer.session.can_open());
  EXPECT_EQ(peer.session.open(kGet, true), nullptr);
}

TEST(ClientGoaway, LeavesOutLaterStreamsAndFinishesEarlierOnes) {
  ClientPeer peer;
  peer.handshake();
  for (int i = 0; i < 3; ++i) ASSERT_NE(peer.session.open(kGet, true), nullptr);
  ASSERT_TRUE(peer.feed(goaway(0x7fffffff, ErrorCode::kNoError, "soon")));
  EXPECT_TRUE(peer.session.peer_goaway());
  EXPECT_FALSE(peer.session.can_open());
  EXPECT_EQ(peer.session.active_streams(), 3U);
  ASSERT_TRUE(peer.feed(goaway(1, ErrorCode::kNoError)));
  EXPECT_THAT(peer.events.lines,
              ElementsAre("goaway 2147483647 NO_ERROR soon", "goaway 1 NO_ERROR ", "reset 3 REFUSED_STREAM by peer", "close 3",
                          "reset 5 REFUSED_STREAM by peer", "close 5"));
  ASSERT_TRUE(peer.feed(headers(1, kOk, true)));
  EXPECT_EQ(peer.events.lines.back(), "close 1");
}

TEST(ClientGoaway, OwnOneForbidsNewStreams) {
  ClientPeer peer;
  peer.handshake();
  ASSERT_NE(peer.session.open(kGet, true), nullptr);
  peer.session.goaway(ErrorCode::kNoError);
  EXPECT_TRUE(peer.session.goaway_finished());
  EXPECT_FALSE(peer.session.can_open());
  EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 1 end", "GOAWAY 0 NO_ERROR"));
  ASSERT_TRUE(peer.feed(headers(1, kOk, true)));
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 1 200 content-type=text/plain end", "close 1"));
}

TEST(ClientStreams, ResetsFarInThePastAreStillForgiven) {
  ClientPeer peer;
  peer.handshake();
  std::string late;
  for (int i = 0; i < 100; ++i) {
    Stream* const stream = peer.session.open(kGet, true);
    late += data(stream->id(), "late", true);
    peer.session.reset(*stream, ErrorCode::kCancel);
  }
  ASSERT_TRUE(peer.feed(late));
  EXPECT_EQ(peer.session.active_streams(), 0U);
}

TEST(ClientSettings, LongHeaderBlocksAreContinued) {
  ClientPeer peer;
  peer.handshake();
  const std::string big(40000, 'x');
  Fields fields = kGet;
  fields.push_back({"x-big", big});
  ASSERT_NE(peer.session.open_encoded(block(fields), {}, true), nullptr);
  EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 1 end more", "CONTINUATION 1 more", "CONTINUATION 1"));
}

TEST(ClientSettings, TableSizeUpdateComesFirstInTheNextBlock) {
  for (const bool encoded : {false, true}) {
    ClientPeer peer;
    peer.handshake({{1, 0}});
    ASSERT_NE(encoded ? peer.session.open_encoded(block(kGet), {}, true) : peer.session.open(kGet, true), nullptr);
    const std::string bytes = take(peer.session);
    EXPECT_EQ(bytes[kFrameHeaderSize], '\x20');  // dynamic table size update to 0
    ASSERT_NE(peer.session.open_encoded(block(kGet), {}, true), nullptr);
    EXPECT_EQ(take(peer.session).substr(kFrameHeaderSize), block(kGet));
  }
}

}  // namespace
}  // namespace micro::http2::testing
