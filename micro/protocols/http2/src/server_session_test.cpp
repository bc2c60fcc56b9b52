// A server session beyond single rules: handshake, limits, upgrade, going away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing.hpp"

namespace micro::http2::testing {
namespace {

using ::testing::ElementsAre;

const std::string kOpen1 = headers(1, kPost, false);

TEST(ServerHandshake, SaysItsSettingsAndWantsThePreface) {
  ServerPeer peer;
  EXPECT_FALSE(peer.session.ready());
  EXPECT_THAT(peer.frames(), ElementsAre("SETTINGS 3=1024 4=1048576 6=65536", "WINDOW_UPDATE 0 16711681"));
  ASSERT_TRUE(peer.feed(std::string(kPreface) + settings({{3, 7}})));
  EXPECT_TRUE(peer.session.ready());
  EXPECT_THAT(peer.frames(), ElementsAre("SETTINGS ack"));
  EXPECT_EQ(peer.session.peer_max_concurrent_streams(), 7U);

  for (const std::string& wrong : {std::string("GET / HTTP/1.1\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSN"),
                                   std::string(kPreface) + ping("12345678"), std::string(kPreface) + settings_ack()}) {
    ServerPeer other;
    const auto result = other.feed(wrong);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason(), "PROTOCOL_ERROR");
    EXPECT_EQ(result.error().code(), Code::kInternal);
    EXPECT_EQ(other.frames().back(), "GOAWAY 0 PROTOCOL_ERROR");
  }
}

TEST(ServerHandshake, AnnouncesWhatDiffersFromTheDefaults) {
  ServerPeer peer({.max_concurrent_streams = 5,
                   .initial_window = 65535,
                   .connection_window = 1,
                   .max_frame_size = 1U << 30,
                   .max_header_list_size = 1000,
                   .header_table_size = 0,
                   .enable_connect_protocol = true});
  EXPECT_THAT(peer.frames(), ElementsAre("SETTINGS 1=0 3=5 8=1 5=16777215 6=1000"));
  ASSERT_TRUE(peer.feed(ServerPeer::hello()));
  // RFC 8441: extended CONNECT.
  ASSERT_TRUE(peer.feed(frame(FrameType::kHeaders, 4, 1,
                              "\x20" + block({{":method", "CONNECT"},
                                              {":protocol", "websocket"},
                                              {":scheme", "http"},
                                              {":path", "/chat"},
                                              {":authority", "a"}}))));
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 1 CONNECT /chat"));
}

TEST(ServerLimits, RefusesStreamsBeyondTheConcurrencyLimit) {
  ServerPeer peer({.max_concurrent_streams = 2});
  peer.handshake();
  // The refused block fills the dynamic table all the same: a later one may refer to it.
  const std::string indexed = block(kGet) + "\x40\x01x\x01y";
  ASSERT_TRUE(peer.feed(headers(1, kPost, false) + headers(3, kPost, false) + frame(FrameType::kHeaders, 4, 5, indexed) +
                        data(5, "under way", true)));
  EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 5 REFUSED_STREAM"));
  EXPECT_EQ(peer.session.counters().streams_refused, 1U);
  peer.session.reset(*peer.events.streams[1], ErrorCode::kCancel);
  ASSERT_TRUE(peer.feed(frame(FrameType::kHeaders, 5, 7, block(kGet) + "\xbe")));
  EXPECT_EQ(peer.events.lines.back(), "headers 7 GET / x=y end");
  EXPECT_EQ(peer.session.last_peer_stream_id(), 7U);
}

TEST(ServerLimits, OversizedHeaderSectionsAreResetAndDecodingGoesOn) {
  struct Case {
    Options options;
    Fields more;
  };
  const std::string big(300, 'v');
  const Case cases[] = {{{.max_header_list_size = 400}, {{"x", big}}}, {{.max_header_count = 5}, {{"a", "1"}, {"b", "2"}}}};
  for (const Case& each : cases) {
    ServerPeer peer(each.options);
    peer.handshake();
    Fields fields = kGet;
    fields.insert(fields.end(), each.more.begin(), each.more.end());
    ASSERT_TRUE(peer.feed(frame(FrameType::kHeaders, 5, 1, block(fields) + "\x40\x01x\x01y")));
    EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 1 ENHANCE_YOUR_CALM"));
    ASSERT_TRUE(peer.feed(frame(FrameType::kHeaders, 5, 3, block(kGet) + "\xbe")));
    EXPECT_THAT(peer.events.lines, ElementsAre("headers 3 GET / x=y end"));
  }
}

TEST(ServerUpgrade, TakesOverAnHttp1Request) {
  const Fields head = {{":method", "POST"}, {":scheme", "http"}, {":path", "/u"}, {":authority", "a"}, {"content-length", "4"}};
  ServerPeer peer;
  // HTTP2-Settings: INITIAL_WINDOW_SIZE 3.
  ASSERT_TRUE(peer.session.upgrade(be16(4) + be32(3), head, "body"));
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 1 POST /u content-length=4", "end 1 4"));
  Stream& stream = *peer.events.streams[1];
  EXPECT_TRUE(stream.remote_closed());
  (void)take(peer.session);
  peer.session.submit_headers(stream, kOk, false);
  peer.session.submit_data(stream, "hello", true);
  EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 1", "DATA 1 3"));
  ASSERT_TRUE(peer.feed(std::string(kPreface) + settings({{4, 3}}) + window_update(1, 10)));
  EXPECT_THAT(peer.frames(), ElementsAre("SETTINGS ack", "DATA 1 2 end"));
  EXPECT_EQ(peer.events.lines.back(), "close 1");
  ASSERT_TRUE(peer.feed(headers(3, kGet, true)));
  EXPECT_EQ(peer.events.lines.back(), "headers 3 GET / end");
}

TEST(ServerUpgrade, AnswersWithinTheEventAndRejectsWhatIsMalformed) {
  ServerPeer peer;
  peer.events.headers_hook = [&](Stream& stream, bool) { peer.session.submit_headers(stream, kOk, true); };
  ASSERT_TRUE(peer.session.upgrade({}, kGet, {}));
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 1 GET / end", "close 1"));

  const std::pair<std::string, Fields> bad[] = {{"12345", kGet}, {be16(5) + be32(1), kGet}, {"", {{":method", "GET"}}}};
  for (const auto& [settings_payload, head] : bad) {
    ServerPeer other;
    const auto result = other.session.upgrade(settings_payload, head, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Code::kInvalidArgument);
    EXPECT_TRUE(other.events.lines.empty());
  }
}

TEST(ServerGoaway, DrainsWithoutLosingRequestsUnderWay) {
  ServerPeer peer;
  peer.handshake();
  ASSERT_TRUE(peer.feed(kOpen1));
  peer.session.goaway(ErrorCode::kNoError, "bye");
  peer.session.goaway(ErrorCode::kNoError, "twice");
  const std::string out = take(peer.session);
  EXPECT_THAT(describe(out), ElementsAre("GOAWAY 2147483647 NO_ERROR", "PING"));
  EXPECT_FALSE(peer.session.goaway_finished());
  // A request that was under way is served; the answer to the PING ends that.
  ASSERT_TRUE(peer.feed(headers(3, kGet, true)));
  EXPECT_EQ(peer.events.lines.back(), "headers 3 GET / end");
  std::string pong = out.substr(out.size() - 17);
  pong[4] = kFlagAck;
  ASSERT_TRUE(peer.feed(pong));
  EXPECT_THAT(peer.frames(), ElementsAre("GOAWAY 3 NO_ERROR"));
  EXPECT_TRUE(peer.session.goaway_finished());
  const auto events = peer.events.lines.size();
  ASSERT_TRUE(peer.feed(headers(5, kPost, false) + data(5, "x", false) + window_update(5, 1) + headers(5, kTrailer, true) +
                        rst(5, ErrorCode::kCancel)));
  EXPECT_EQ(peer.events.lines.size(), events);
  EXPECT_TRUE(peer.frames().empty());
  EXPECT_EQ(peer.session.last_peer_stream_id(), 3U);
  // Those that are open end in peace.
  ASSERT_TRUE(peer.feed(data(1, "x", true)));
  for (const std::uint32_t id : {1U, 3U}) peer.session.submit_headers(*peer.events.streams[id], kOk, true);
  EXPECT_EQ(peer.session.active_streams(), 0U);
}

TEST(ServerGoaway, FinishesOnDemandAndAtOnceForErrors) {
  ServerPeer peer;
  peer.handshake();
  peer.session.goaway(ErrorCode::kNoError);
  peer.session.finish_goaway();
  peer.session.finish_goaway();
  EXPECT_THAT(peer.frames(), ElementsAre("GOAWAY 2147483647 NO_ERROR", "PING", "GOAWAY 0 NO_ERROR"));
  ServerPeer other;
  other.handshake();
  other.session.goaway(ErrorCode::kInternalError, std::string(5000, 'x'));
  EXPECT_THAT(other.frames(), ElementsAre("GOAWAY 0 INTERNAL_ERROR"));
  EXPECT_TRUE(other.session.goaway_finished());
}

TEST(ServerAbort, EndsEveryStreamAndStaysSilent) {
  ServerPeer peer;
  peer.handshake();
  ASSERT_TRUE(peer.feed(headers(1, kPost, false) + headers(3, kPost, false)));
  peer.events.lines.clear();
  peer.session.abort(ErrorCode::kCancel);
  EXPECT_THAT(peer.events.lines, ElementsAre("reset 1 CANCEL", "close 1", "reset 3 CANCEL", "close 3"));
  peer.session.ping(1);
  peer.session.goaway(ErrorCode::kNoError);
  EXPECT_TRUE(peer.frames().empty());
  EXPECT_FALSE(peer.feed(ping("12345678")));
}

TEST(Connect, ATunnelHasNoContentLength) {
  ServerPeer peer;
  peer.handshake();
  const Fields fields = {{":method", "CONNECT"}, {":authority", "a:1"}, {"content-length", "0"}};
  ASSERT_TRUE(peer.feed(headers(1, fields, false) + data(1, "hello", true)));
  EXPECT_EQ(peer.events.bodies[1], "hello");
  EXPECT_EQ(peer.events.lines.back(), "end 1 5");
}

}  // namespace
}  // namespace micro::http2::testing
