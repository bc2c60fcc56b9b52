// Flow control both ways: blocked data, turns, trailers that wait, window updates, autotuning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing.hpp"

namespace micro::http2::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A server that has got a request on each of `streams`, with response headers sent.
struct Answering : ServerPeer {
  explicit Answering(std::initializer_list<std::pair<int, std::uint32_t>> settings_values, int streams = 1) {
    handshake(settings_values);
    for (int i = 0; i < streams; ++i) {
      EXPECT_TRUE(feed(headers(static_cast<std::uint32_t>(2 * i + 1), kGet, true)));
      session.submit_encoded_headers(stream(2 * i + 1), block(kOk), false);
    }
    (void)take(session);
    events.lines.clear();
  }
  Stream& stream(int id) { return *events.streams.at(static_cast<std::uint32_t>(id)); }
};

TEST(Sending, WaitsForTheStreamWindow) {
  Answering peer({{4, 3}});
  Stream& stream = peer.stream(1);
  peer.session.submit_data(stream, "hello", false);
  EXPECT_EQ(stream.queued(), 2U);
  peer.session.submit_data(stream, " world", true);
  EXPECT_EQ(stream.queued(), 8U);
  EXPECT_TRUE(stream.local_closed());
  peer.session.submit_data(stream, "ignored", false);
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 3"));
  ASSERT_TRUE(peer.feed(window_update(1, 1)));
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 1"));
  EXPECT_THAT(peer.events.lines, IsEmpty());
  ASSERT_TRUE(peer.feed(window_update(1, 100)));
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 7 end"));
  EXPECT_THAT(peer.events.lines, ElementsAre("drained 1", "close 1"));
}

TEST(Sending, TrailersWaitBehindData) {
  for (const bool encoded : {false, true}) {
    Answering peer({{4, 1}});
    Stream& stream = peer.stream(1);
    peer.session.submit_data(stream, "abc", false);
    if (encoded) {
      peer.session.submit_encoded_headers(stream, block(kTrailer), true);
    } else {
      peer.session.submit_headers(stream, kTrailer, true);
    }
    EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 1"));
    ASSERT_TRUE(peer.feed(window_update(1, 1)));
    ASSERT_TRUE(peer.feed(window_update(1, 1)));
    EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 1", "DATA 1 1", "HEADERS 1 end"));
    EXPECT_THAT(peer.events.lines, ElementsAre("drained 1", "close 1"));
  }
}

TEST(Sending, HeadersWithoutEndBehindDataAreABrokenContract) {
  Answering peer({{4, 0}});
  peer.session.submit_data(peer.stream(1), "abc", false);
  EXPECT_THROW(peer.session.submit_headers(peer.stream(1), kOk, false), std::logic_error);
}

TEST(Sending, EndNeedsNoWindow) {
  Answering peer({{4, 0}});
  peer.session.submit_data(peer.stream(1), "", false);
  peer.session.submit_data(peer.stream(1), "", true);
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 0 end"));
  EXPECT_THAT(peer.events.lines, ElementsAre("close 1"));
}

TEST(Sending, EndAfterQueuedDataRidesOnTheLastFrame) {
  Answering peer({{4, 1}});
  peer.session.submit_data(peer.stream(1), "ab", false);
  peer.session.submit_data(peer.stream(1), "", true);
  ASSERT_TRUE(peer.feed(window_update(1, 1)));
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 1", "DATA 1 1 end"));
}

TEST(Sending, SettingsMoveWindowsBelowZero) {
  Answering peer({{4, 10}});
  peer.session.submit_data(peer.stream(1), "1234567890abc", true);
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 10"));
  ASSERT_TRUE(peer.feed(settings({{4, 4}}) + window_update(1, 6)));  // 0 - 6 + 6
  EXPECT_THAT(peer.frames(), ElementsAre("SETTINGS ack"));
  ASSERT_TRUE(peer.feed(settings({{4, 6}})));
  EXPECT_THAT(peer.frames(), ElementsAre("SETTINGS ack", "DATA 1 2"));
  ASSERT_TRUE(peer.feed(settings({{4, 100}})));
  EXPECT_THAT(peer.frames(), ElementsAre("SETTINGS ack", "DATA 1 1 end"));
}

TEST(Sending, StreamsTakeTurnsOnTheConnectionWindow) {
  Answering peer({{4, 1U << 20}}, 3);
  const std::string body(60000, 'x');
  peer.session.submit_data(peer.stream(1), body, false);  // takes 60000 of 65535
  peer.session.submit_data(peer.stream(3), body, true);
  peer.session.submit_data(peer.stream(1), body, true);
  peer.session.submit_data(peer.stream(5), "short", true);
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 16384", "DATA 1 16384", "DATA 1 16384", "DATA 1 10848", "DATA 3 5535"));
  ASSERT_TRUE(peer.feed(window_update(0, 50000)));
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 3 16384", "DATA 1 16384", "DATA 5 5 end", "DATA 3 16384", "DATA 1 843"));
  EXPECT_THAT(peer.events.lines, ElementsAre("drained 5", "close 5"));
  // One that is reset gives up its turn.
  peer.session.reset(peer.stream(3), ErrorCode::kCancel);
  ASSERT_TRUE(peer.feed(window_update(0, 1000000)));
  EXPECT_EQ(peer.frames().back(), "DATA 1 10005 end");
  EXPECT_EQ(peer.session.active_streams(), 0U);
}

TEST(Sending, WhatIsSubmittedWhileOthersWaitGoesBehindThem) {
  Answering peer({{4, 1U << 20}}, 2);
  peer.session.submit_data(peer.stream(1), std::string(65535, 'x'), false);
  peer.session.submit_data(peer.stream(3), std::string(10, 'x'), false);
  peer.session.submit_data(peer.stream(1), std::string(20000, 'y'), false);
  (void)take(peer.session);
  peer.events.drained_hook = [&](Stream& stream) {
    if (stream.id() == 3) peer.session.submit_data(stream, std::string(5, 'z'), true);
  };
  ASSERT_TRUE(peer.feed(window_update(0, 100000)));
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 3 10", "DATA 1 16384", "DATA 3 5 end", "DATA 1 3616"));
}

TEST(Sending, InPlaceWhenTheWindowsAllowIt) {
  Answering peer({{4, 100}}, 2);
  Stream& stream = peer.stream(1);
  EXPECT_EQ(peer.session.begin_data(stream, 101), nullptr);
  char* out = peer.session.begin_data(stream, 100);
  ASSERT_NE(out, nullptr);
  std::copy_n("hello", 5, out);
  peer.session.commit_data(stream, 5, false);
  EXPECT_EQ(peer.session.begin_data(stream, 96), nullptr);
  out = peer.session.begin_data(stream, 95);  // abandoned: sends nothing
  ASSERT_NE(out, nullptr);
  peer.session.submit_encoded_headers(stream, block(kTrailer), true);
  const std::string bytes = take(peer.session);
  EXPECT_THAT(describe(bytes), ElementsAre("DATA 1 5", "HEADERS 1 end"));
  EXPECT_EQ(bytes.substr(kFrameHeaderSize, 5), "hello");

  peer.session.submit_data(peer.stream(3), std::string(200, 'x'), false);
  EXPECT_EQ(peer.session.begin_data(peer.stream(3), 1), nullptr);
}

TEST(Sending, KeepsToTheFrameSizeOfThePeer) {
  Answering peer({{4, 1U << 20}, {5, 20000}});
  Buffer buffer;
  buffer.append(std::string(50000, 'b'));
  peer.session.submit_data(peer.stream(1), std::move(buffer), true);
  const std::string bytes = take(peer.session);
  EXPECT_THAT(describe(bytes), ElementsAre("DATA 1 20000", "DATA 1 20000", "DATA 1 10000 end"));
  EXPECT_THAT(peer.events.lines, ElementsAre("close 1"));
}

TEST(Sending, LargeBuffersWaitToo) {
  Answering peer({{4, 10000}});
  for (const bool end : {false, true}) {
    Buffer buffer;
    buffer.append(std::string(8000, end ? 'b' : 'a'));
    peer.session.submit_data(peer.stream(1), std::move(buffer), end);
  }
  EXPECT_EQ(peer.stream(1).queued(), 6000U);
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 8000", "DATA 1 2000"));
  ASSERT_TRUE(peer.feed(window_update(1, 6000)));
  EXPECT_THAT(peer.frames(), ElementsAre("DATA 1 6000 end"));
}

TEST(Receiving, WindowOfOneByte) {
  ServerPeer peer({.initial_window = 1, .max_window = 1});
  ASSERT_TRUE(peer.feed(std::string(kPreface) + settings()));
  // Until it has acknowledged our SETTINGS the peer may still use 65535.
  ASSERT_TRUE(peer.feed(headers(1, kPost, false) + data(1, "abc", false)));
  (void)take(peer.session);
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 1 POST /p"));
  ASSERT_TRUE(peer.feed(settings_ack()));
  peer.session.consumed(*peer.events.streams[1], 3);
  EXPECT_THAT(peer.frames(), ElementsAre("WINDOW_UPDATE 1 3"));
  ASSERT_TRUE(peer.feed(data(1, "d", false)));
  peer.session.consumed(*peer.events.streams[1], 1);
  EXPECT_THAT(peer.frames(), ElementsAre("WINDOW_UPDATE 1 1"));
  ASSERT_TRUE(peer.feed(data(1, "ef", true)));
  EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 1 FLOW_CONTROL_ERROR"));
  EXPECT_EQ(peer.events.lines.back(), "close 1");
}

// What was consumed under the large window but not announced yet must not be lost under the small one: the peer would wait for
// ever.
TEST(Receiving, AWindowThatShrinksWithTheAcknowledgementIsAnnounced) {
  ServerPeer peer({.initial_window = 100, .max_window = 100});
  ASSERT_TRUE(peer.feed(std::string(kPreface) + settings() + headers(1, kPost, false) + headers(3, kPost, false)));
  ASSERT_TRUE(peer.feed(data(1, std::string(200, 'x'), false) + data(3, std::string(49, 'x'), false)));
  peer.session.consumed(*peer.events.streams[1], 200);
  peer.session.consumed(*peer.events.streams[3], 49);
  (void)take(peer.session);
  ASSERT_TRUE(peer.feed(settings_ack()));
  EXPECT_THAT(peer.frames(), ElementsAre("WINDOW_UPDATE 1 200"));
  ASSERT_TRUE(peer.feed(data(1, std::string(100, 'x'), false)));
  EXPECT_THAT(peer.events.lines, ElementsAre("headers 1 POST /p", "headers 3 POST /p"));
}

TEST(Receiving, UpdatesAreBatchedAndOnlyForWhatWasConsumed) {
  ServerPeer peer({.initial_window = 1000, .connection_window = 100000, .max_window = 1000});
  peer.handshake();
  ASSERT_TRUE(peer.feed(headers(1, kPost, false) + headers(3, kPost, false)));
  ASSERT_TRUE(peer.feed(data(1, std::string(1000, 'x'), false)));
  Stream& stream = *peer.events.streams[1];
  peer.session.consumed(stream, 499);
  EXPECT_THAT(peer.frames(), IsEmpty());
  peer.session.consumed(stream, 1);
  EXPECT_THAT(peer.frames(), ElementsAre("WINDOW_UPDATE 1 500"));
  ASSERT_TRUE(peer.feed(data(1, std::string(501, 'x'), false)));
  EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 1 FLOW_CONTROL_ERROR"));
  // Padding counts, and is given back by itself; nothing is announced for a stream that has ended.
  ASSERT_TRUE(peer.feed(frame(FrameType::kData, 8, 3, "\xc7" + std::string(201 + 199, 'x')) +
                        frame(FrameType::kData, 8, 3, "\xff" + std::string(1 + 255, 'x'))));
  EXPECT_EQ(peer.events.bodies[3].size(), 202U);
  ASSERT_TRUE(peer.feed(frame(FrameType::kData, 8, 3, "\xff" + std::string(1 + 255, 'x'))));
  EXPECT_THAT(peer.frames(), ElementsAre("WINDOW_UPDATE 3 712"));
  ASSERT_TRUE(peer.feed(data(3, "", true)));
  peer.session.consumed(*peer.events.streams[3], 203);
  EXPECT_THAT(peer.frames(), IsEmpty());
}

TEST(Receiving, ConnectionWindowIsCreditedAtOnceAndEnforced) {
  ServerPeer peer({.connection_window = 100000});
  peer.handshake();
  ASSERT_TRUE(peer.feed(headers(1, kPost, false)));
  const std::string piece = data(1, std::string(16000, 'x'), false);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(peer.feed(piece));
  EXPECT_THAT(peer.frames(), IsEmpty());
  ASSERT_TRUE(peer.feed(piece));
  EXPECT_THAT(peer.frames(), Contains("WINDOW_UPDATE 0 64000"));
  // DATA for streams that are gone counts and is credited as well.
  peer.session.reset(*peer.events.streams[1], ErrorCode::kCancel);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(peer.feed(piece));
  EXPECT_THAT(peer.frames(), Contains("WINDOW_UPDATE 0 64000"));

  ServerPeer strict({.initial_window = 1 << 20, .connection_window = 65535, .max_frame_size = 1 << 20});
  strict.handshake();
  ASSERT_TRUE(strict.feed(headers(1, kPost, false)));
  ASSERT_FALSE(strict.feed(data(1, std::string(65536, 'x'), false)));
  EXPECT_EQ(strict.frames().back(), "GOAWAY 1 FLOW_CONTROL_ERROR");
}

TEST(Receiving, SmallCallsAreNotMeasured) {
  ServerPeer peer({.initial_window = 65535});
  peer.handshake();
  for (std::uint32_t id = 1; id < 400; id += 2) {
    ASSERT_TRUE(peer.feed(headers(id, kPost, false) + data(id, std::string(100, 'x'), true)));
    peer.session.submit_headers(*peer.events.streams[id], kOk, true);
    for (const std::string& line : peer.frames()) EXPECT_NE(line, "PING");
  }
}

TEST(Receiving, WindowsGrowWithTheBandwidthDelayProduct) {
  ServerPeer peer({.initial_window = 65535, .connection_window = 65535, .max_window = 400000});
  peer.handshake();
  ASSERT_TRUE(peer.feed(headers(1, kPost, false)));
  Stream& stream = *peer.events.streams[1];
  peer.events.data_hook = [&](Stream& from, std::string_view bytes, bool) { peer.session.consumed(from, bytes.size()); };
  const std::string pong = ping("microbdp", true);
  // A sender that fills whatever window it has each 10 ms round trip.
  const auto round_trip = [&](std::size_t bytes) {
    while (bytes != 0) {
      const std::size_t piece = std::min<std::size_t>(bytes, 16000);
      ASSERT_TRUE(peer.feed(data(1, std::string(piece, 'x'), false)));
      bytes -= piece;
    }
    peer.now += std::chrono::milliseconds(10);
  };
  round_trip(48000);
  EXPECT_THAT(peer.frames(), Contains("PING"));
  round_trip(60000);
  ASSERT_TRUE(peer.feed(pong));
  EXPECT_THAT(peer.frames(), Contains("SETTINGS 4=131070"));
  EXPECT_EQ(peer.session.counters().window_growths, 1U);
  // Twice as much fits now, and is measured again; the open stream has the larger window.
  round_trip(80000);
  EXPECT_THAT(peer.frames(), Contains("PING"));
  round_trip(120000);
  ASSERT_TRUE(peer.feed(pong));
  EXPECT_THAT(peer.frames(), Contains("SETTINGS 4=262140"));
  // A slower round trip proves nothing.
  round_trip(150000);
  peer.now += std::chrono::seconds(1);
  round_trip(100000);
  ASSERT_TRUE(peer.feed(pong));
  EXPECT_EQ(peer.session.counters().window_growths, 2U);
  // The ceiling holds, and ends the measuring.
  round_trip(150000);
  round_trip(240000);
  round_trip(240000);
  ASSERT_TRUE(peer.feed(pong));
  EXPECT_THAT(peer.frames(), Contains("SETTINGS 4=400000"));
  round_trip(350000);
  for (const std::string& line : peer.frames()) EXPECT_NE(line, "PING");
  EXPECT_FALSE(stream.remote_closed());
}

}  // namespace
}  // namespace micro::http2::testing
