// What hostile peers do, each beside what honest ones do that looks like it: the first ends with ENHANCE_YOUR_CALM, the second is
// served. Every attack is played whole and byte by byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flow.hpp"
#include "testing.hpp"

namespace micro::http2::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::string_view_literals;

std::string repeat(int times, const std::string& bytes) {
  std::string all;
  for (int i = 0; i < times; ++i) all += bytes;
  return all;
}

template <class Each>
std::string each_stream(int count, Each&& bytes_for) {
  std::string all;
  for (int i = 0; i < count; ++i) all += bytes_for(static_cast<std::uint32_t>(2 * i + 1));
  return all;
}

std::string continuation(std::uint32_t stream, std::string_view payload, bool end = false) {
  return frame(FrameType::kContinuation, end ? kFlagEndHeaders : 0, stream, payload);
}

// The peer only talks: it never takes what is said to it.
struct Attack {
  const char* name;
  std::string bytes;
  Flood kind;
  std::string why;  // the beginning of the debug data
};

const Options kTight = {.max_header_list_size = 1000,
                        .max_header_count = 10,
                        .max_resets = 10,
                        .max_control_frames = 20,
                        .max_empty_frames = 10,
                        .max_continuations = 4,
                        .max_settings = 8,
                        .max_queued_replies = 15};

std::vector<Attack> attacks() {
  const std::string open = headers(1, kPost, false);
  const Fields broken = {{":method", "GET"}};
  const std::string priority = frame(FrameType::kPriority, 0, 1, be32(0) + "\x10");
  // One entry of 900 bytes into the dynamic table, then references to it of one byte each.
  const std::string bomb = std::string("\x40\x01x\x7f\x85\x06", 6) + std::string(900, 'v') + std::string(90, '\xbe');
  return {
      {"rapid reset", each_stream(11, [](auto id) { return headers(id, kPost, false) + rst(id, ErrorCode::kCancel); }),
       Flood::kResets, "too many streams reset"},
      {"MadeYouReset: WINDOW_UPDATE of 0",
       each_stream(11, [](auto id) { return headers(id, kGet, true) + window_update(id, 0); }), Flood::kResets,
       "too many streams reset"},
      {"MadeYouReset: window overflow",
       each_stream(11, [](auto id) { return headers(id, kGet, true) + window_update(id, 0x7fffffff); }), Flood::kResets,
       "too many streams reset"},
      {"MadeYouReset: DATA on a half-closed stream",
       each_stream(11, [](auto id) { return headers(id, kGet, true) + data(id, "x", false); }), Flood::kResets,
       "too many streams reset"},
      {"MadeYouReset: HEADERS on a half-closed stream",
       each_stream(11, [](auto id) { return headers(id, kGet, true) + headers(id, kTrailer, true); }), Flood::kResets,
       "too many streams reset"},
      {"MadeYouReset: PRIORITY of a wrong length",
       each_stream(11, [](auto id) { return headers(id, kGet, true) + frame(FrameType::kPriority, 0, id, "1234"); }),
       Flood::kResets, "too many streams reset"},
      {"malformed requests", each_stream(11, [&](auto id) { return headers(id, broken, true); }), Flood::kResets,
       "too many streams reset"},
      {"RST_STREAM again and again", open + repeat(11, rst(1, ErrorCode::kCancel)), Flood::kResets, "too many streams reset"},
      {"PING", repeat(21, ping("12345678")), Flood::kQueuedReplies, "too many frames that ask for a reply"},
      {"PING acknowledgements", repeat(21, ping("12345678", true)), Flood::kControlFrames, "too many frames that carry nothing"},
      {"SETTINGS", repeat(16, settings()), Flood::kQueuedReplies, "too many frames that ask for a reply"},
      {"SETTINGS acknowledgements", repeat(21, settings_ack()), Flood::kControlFrames, "too many frames that carry nothing"},
      {"settings in one frame", settings({{4, 1}, {4, 2}, {4, 3}, {4, 4}, {4, 5}, {4, 6}, {4, 7}, {4, 8}, {4, 9}}),
       Flood::kSettings, "too many settings"},
      {"PRIORITY", repeat(21, priority), Flood::kControlFrames, "too many frames that carry nothing"},
      {"WINDOW_UPDATE", repeat(21, window_update(0, 1)), Flood::kControlFrames, "too many frames that carry nothing"},
      {"unknown frames", repeat(21, frame(FrameType(0x77), 0, 0)), Flood::kControlFrames, "too many frames that carry nothing"},
      {"GOAWAY", repeat(21, goaway(0, ErrorCode::kNoError)), Flood::kControlFrames, "too many frames that carry nothing"},
      {"empty DATA", open + repeat(11, data(1, "", false)), Flood::kEmptyFrames, "too many empty DATA"},
      {"DATA of padding", open + repeat(11, frame(FrameType::kData, kFlagPadded, 1, "\x03pad")), Flood::kEmptyFrames,
       "too many empty DATA"},
      {"empty DATA to a stream that is gone", open + window_update(1, 0) + repeat(11, data(1, "", false)), Flood::kEmptyFrames,
       "too many empty DATA"},
      {"HEADERS to a stream that is gone", open + window_update(1, 0) + repeat(25, headers(1, kTrailer, true)),
       Flood::kControlFrames, "too many frames that carry nothing"},
      {"empty CONTINUATION", frame(FrameType::kHeaders, 0, 1) + repeat(5, continuation(1, "")), Flood::kContinuations,
       "too many CONTINUATION"},
      {"CONTINUATION", frame(FrameType::kHeaders, 0, 1) + continuation(1, std::string(1001, '\x82')), Flood::kHeaderSize,
       "header block larger"},
      {"HEADERS without an end", frame(FrameType::kHeaders, 0, 1, std::string(1001, '\x82')), Flood::kHeaderSize,
       "header block larger"},
      {"HPACK bomb", frame(FrameType::kHeaders, kFlagEndHeaders, 1, bomb), Flood::kHeaderSize, "a header section expands"},
      {"HPACK bomb, static table", frame(FrameType::kHeaders, kFlagEndHeaders, 1, std::string(999, '\x90')), Flood::kHeaderSize,
       "a header section expands"},
      {"dynamic table size updates", frame(FrameType::kHeaders, kFlagEndHeaders, 1, std::string(9, '\x20') + block(kGet)),
       Flood::kTableUpdates, "too many dynamic table size updates"},
  };
}

class Attacks : public ::testing::TestWithParam<bool> {};

TEST_P(Attacks, EndTheConnectionAndSayWhy) {
  for (const Attack& attack : attacks()) {
    SCOPED_TRACE(attack.name);
    ServerPeer peer(kTight);
    peer.handshake();
    Result<void> result;
    if (GetParam()) {
      for (std::size_t i = 0; i < attack.bytes.size() && result; ++i) {
        result = peer.feed(std::string_view(attack.bytes).substr(i, 1));
      }
    } else {
      result = peer.feed(attack.bytes);
    }
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason(), "ENHANCE_YOUR_CALM");
    EXPECT_EQ(result.error().code(), Code::kResourceExhausted);
    EXPECT_EQ(peer.session.counters().floods, 1U);
    EXPECT_EQ(peer.session.counters().flood, attack.kind) << to_string(peer.session.counters().flood);
    EXPECT_EQ(peer.session.active_streams(), 0U);
    EXPECT_EQ(peer.events.streams.size(), 0U);
    const std::string out = take(peer.session);
    EXPECT_TRUE(describe(out).back().ends_with("ENHANCE_YOUR_CALM")) << describe(out).back();
    EXPECT_NE(out.find(attack.why), std::string::npos);
    // The defaults take so little of it in their stride, but for what no honest peer sends at all.
    if (attack.kind == Flood::kTableUpdates) continue;
    Options generous;
    if (attack.kind == Flood::kHeaderSize) generous.max_header_count = 2000;
    ServerPeer lenient(generous);
    lenient.handshake();
    const Result<void> served = lenient.feed(attack.bytes);
    EXPECT_TRUE(served) << served.error().message();
  }
}

INSTANTIATE_TEST_SUITE_P(Split, Attacks, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "ByteByByte" : "Whole"; });

TEST(Budgets, RefillEvenly) {
  Budget budget(10, std::chrono::seconds(10));
  TimePoint now{std::chrono::seconds(100)};
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.take(now)) << i;
  now += std::chrono::milliseconds(1001);
  EXPECT_TRUE(budget.take(now));
  EXPECT_FALSE(budget.take(now));
  budget.give_back(1);  // what failed
  budget.give_back(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.take(now)) << i;
  EXPECT_FALSE(budget.take(now));
  // Never more than the limit, whatever was given back and however long it has been.
  budget.give_back(~std::uint64_t{0});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.take(now)) << i;
  EXPECT_FALSE(budget.take(now));
  now += std::chrono::hours(1000);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.take(now)) << i;
  EXPECT_FALSE(budget.take(now));
  Budget none(0, std::chrono::seconds(1));
  EXPECT_FALSE(none.take(now));
  Budget all(0xffffffff, std::chrono::seconds(1));
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(all.take(now));
}

TEST(Budgets, StreamsThatEndPayForStreamsThatAreReset) {
  ServerPeer peer({.max_resets = 10});
  peer.handshake();
  peer.events.headers_hook = [&](Stream& stream, bool end) {
    if (end) peer.session.submit_headers(stream, kOk, true);
  };
  // As many calls cancelled as completed, without end and without a clock.
  std::uint32_t id = 1;
  for (int i = 0; i < 1000; ++i, id += 4) {
    ASSERT_TRUE(peer.feed(headers(id, kGet, true) + headers(id + 2, kPost, false) + rst(id + 2, ErrorCode::kCancel))) << i;
    (void)take(peer.session);
  }
  // That buys no more than the limit.
  int resets = 0;
  while (peer.feed(headers(id, kPost, false) + rst(id, ErrorCode::kCancel))) ++resets, id += 2;
  EXPECT_EQ(resets, 9);  // nothing has paid for the last of those above
  EXPECT_EQ(peer.session.counters().flood, Flood::kResets);
}

TEST(Budgets, ResetsComeBackWithTime) {
  ServerPeer peer({.max_resets = 10});
  peer.handshake();
  std::uint32_t id = 1;
  for (int i = 0; i < 200; ++i, id += 2) {
    ASSERT_TRUE(peer.feed(headers(id, kPost, false) + rst(id, ErrorCode::kCancel))) << i;
    peer.now += std::chrono::seconds(1);
  }
  EXPECT_EQ(peer.session.counters().resets_received, 200U);
}

TEST(Budgets, AServerMayResetWhatItsClientAskedFor) {
  ClientPeer peer({.max_resets = 1, .max_control_frames = 20});
  peer.handshake();
  for (int i = 0; i < 50; ++i) {
    Stream* const stream = peer.session.open(kGet, true);
    ASSERT_NE(stream, nullptr);
    ASSERT_TRUE(peer.feed(rst(stream->id(), ErrorCode::kRefusedStream)));
  }
  // But not what is gone.
  Result<void> result;
  for (int i = 0; i < 300 && result; ++i) result = peer.feed(rst(1, ErrorCode::kRefusedStream));
  ASSERT_FALSE(result);
  EXPECT_EQ(peer.session.counters().flood, Flood::kControlFrames);
}

TEST(Budgets, InterimResponsesWithoutEnd) {
  ClientPeer peer({.max_control_frames = 20});
  peer.handshake();
  ASSERT_NE(peer.session.open(kGet, true), nullptr);
  Result<void> result;
  int sent = 0;
  for (; sent < 100 && result; ++sent) result = peer.feed(headers(1, {{":status", "103"}}, false));
  EXPECT_FALSE(result);
  EXPECT_LT(sent, 50);
  EXPECT_EQ(peer.session.counters().flood, Flood::kControlFrames);
}

// Measuring while a long body comes in sends a PING each round trip, and round trips can be short.
TEST(Budgets, AcknowledgementsWeAskedForAreFree) {
  ServerPeer peer({.max_control_frames = 5});
  peer.handshake();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    peer.session.ping(i);
    ASSERT_TRUE(peer.feed(ping("12345678", true))) << i;
  }
  EXPECT_LT(peer.session.counters().control_frames, 5U);
  Result<void> result;
  int sent = 0;
  for (; sent < 100 && result; ++sent) result = peer.feed(ping("12345678", true));
  EXPECT_FALSE(result);
  EXPECT_LE(sent, 6);
}

TEST(Floods, HaveNames) {
  EXPECT_EQ(to_string(Flood::kNone), "none");
  EXPECT_EQ(to_string(Flood::kControlFrames), "control frames");
  EXPECT_EQ(to_string(Flood::kQueuedReplies), "queued replies");
}

// A client that acknowledges each DATA frame of a long stream in the clumsiest way.
TEST(Budgets, DataPaysForWindowUpdates) {
  ServerPeer peer({.max_control_frames = 10});
  peer.handshake();
  ASSERT_TRUE(peer.feed(headers(1, kGet, true)));
  Stream& stream = *peer.events.streams[1];
  peer.session.submit_headers(stream, kOk, false);
  for (int i = 0; i < 1000; ++i) {
    peer.session.submit_data(stream, "a message", false);
    ASSERT_TRUE(peer.feed(repeat(4, window_update(1, 1)) + repeat(3, window_update(0, 1)) + ping("12345678"))) << i;
    (void)take(peer.session);
  }
  EXPECT_EQ(peer.session.counters().control_frames, 1U + 8000U);
}

TEST(Budgets, DribbledDataPaysForNothing) {
  ServerPeer peer({.max_control_frames = 50});
  peer.handshake({{4, 0}});
  ASSERT_TRUE(peer.feed(headers(1, kGet, true)));
  Stream& stream = *peer.events.streams[1];
  peer.session.submit_headers(stream, kOk, false);
  peer.session.submit_data(stream, std::string(100000, 'x'), true);
  Result<void> result;
  int sent = 0;
  for (; sent < 1000 && result; ++sent) {
    result = peer.feed(window_update(1, 1));
    (void)take(peer.session);
  }
  EXPECT_FALSE(result);
  EXPECT_LT(sent, 60);
  EXPECT_EQ(peer.session.counters().flood, Flood::kControlFrames);
  EXPECT_GT(peer.session.counters().dribbled_frames, 40U);
}

TEST(QueuedReplies, AreCountedUntilTheyAreTaken) {
  ServerPeer peer({.max_queued_replies = 10});
  peer.handshake();
  ASSERT_TRUE(peer.feed(headers(1, kGet, true)));
  Stream& stream = *peer.events.streams[1];
  peer.session.submit_headers(stream, kOk, false);
  // A reader that is always behind, but reads: the output is never empty.
  for (int i = 0; i < 300; ++i) {
    peer.session.submit_data(stream, std::string(100, 'x'), false);
    ASSERT_TRUE(peer.feed(ping("12345678"))) << i;
    Chain& out = peer.session.output();
    if (out.size() > 400) out.consume(out.size() - 300);
  }
  EXPECT_GT(peer.session.output().size(), 0U);
  Result<void> result;
  int sent = 0;
  for (; sent < 100 && result; ++sent) result = peer.feed(ping("12345678"));
  EXPECT_FALSE(result);
  EXPECT_LE(sent, 22);  // those of an epoch that had begun, and one of its own
  EXPECT_EQ(peer.session.counters().flood, Flood::kQueuedReplies);
}

TEST(Backlog, NothingIsAcceptedWhileTooMuchWaits) {
  ServerPeer peer({.max_queued_data = 1000});
  peer.handshake({{4, 0}});
  peer.events.headers_hook = [&](Stream& stream, bool) {
    peer.session.submit_headers(stream, kOk, false);
    peer.session.submit_data(stream, std::string(700, 'x'), true);
  };
  ASSERT_TRUE(peer.feed(headers(1, kGet, true) + headers(3, kGet, true)));
  EXPECT_EQ(peer.session.queued(), 1400U);
  EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 1", "HEADERS 3"));
  ASSERT_TRUE(peer.feed(headers(5, kGet, true)));
  EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 5 REFUSED_STREAM"));
  EXPECT_EQ(peer.session.counters().streams_refused, 1U);
  EXPECT_EQ(peer.session.counters().streams_refused_backlog, 1U);
  // What the peer takes makes room.
  ASSERT_TRUE(peer.feed(window_update(1, 700)));
  EXPECT_EQ(peer.session.queued(), 700U);
  (void)take(peer.session);
  ASSERT_TRUE(peer.feed(headers(7, kGet, true)));
  EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 7"));
  EXPECT_EQ(peer.session.queued(), 1400U);
  peer.session.reset(*peer.events.streams[3], ErrorCode::kCancel);
  ASSERT_TRUE(peer.feed(rst(7, ErrorCode::kCancel)));
  EXPECT_EQ(peer.session.queued(), 0U);
}

// Windows as large as can be and a socket nobody reads: the replies gather in the output.
TEST(Backlog, OutputCounts) {
  ServerPeer peer({.max_queued_data = 10000});
  peer.handshake({{4, 0x7fffffff}});
  ASSERT_TRUE(peer.feed(window_update(0, 0x7fff0000)));
  peer.events.headers_hook = [&](Stream& stream, bool) {
    peer.session.submit_headers(stream, kOk, false);
    peer.session.submit_data(stream, std::string(3000, 'x'), true);
  };
  // In one piece, so that nothing can be taken in between.
  ASSERT_TRUE(peer.feed(each_stream(100, [](auto id) { return headers(id, kGet, true); })));
  EXPECT_EQ(peer.session.counters().streams_opened, 4U);
  EXPECT_EQ(peer.session.counters().streams_refused, 96U);
  EXPECT_LT(peer.session.output().size(), 16000U);
  EXPECT_EQ(peer.session.active_streams(), 0U);
  (void)take(peer.session);
  ASSERT_TRUE(peer.feed(headers(201, kGet, true)));
  EXPECT_EQ(peer.session.counters().streams_opened, 5U);
}

TEST(Backlog, AStreamThatWouldQueueFarTooMuchIsReset) {
  for (const bool moved : {false, true}) {
    SCOPED_TRACE(moved ? "Buffer" : "copied");
    ServerPeer peer({.max_queued_data = 10000});
    peer.handshake({{4, 0}});
    ASSERT_TRUE(peer.feed(each_stream(3, [](auto id) { return headers(id, kGet, true); })));
    const auto submit = [&](std::uint32_t id, std::size_t size, bool end) {
      Stream& stream = *peer.events.streams[id];
      Buffer buffer;
      buffer.append(std::string(size, 'x'));
      if (moved) {
        peer.session.submit_data(stream, std::move(buffer), end);
      } else {
        peer.session.submit_data(stream, buffer.view(), end);
      }
    };
    for (const std::uint32_t id : {1U, 3U, 5U}) peer.session.submit_headers(*peer.events.streams[id], kOk, false);
    submit(1, 45000, true);
    submit(3, 5000, false);  // not kept, and not fatal to whoever submits it
    EXPECT_EQ(peer.session.queued(), 45000U);
    EXPECT_EQ(peer.session.counters().streams_overfull, 1U);
    EXPECT_TRUE(peer.events.streams[3]->local_closed());
    peer.session.submit_headers(*peer.events.streams[3], kTrailer, true);
    submit(5, 5000, true);
    EXPECT_THAT(peer.frames(), ElementsAre("HEADERS 1", "HEADERS 3", "HEADERS 5", "RST_STREAM 3 ENHANCE_YOUR_CALM",
                                           "RST_STREAM 5 ENHANCE_YOUR_CALM"));
    // Its owner may let go by itself; else it is told when the peer next says something.
    peer.session.reset(*peer.events.streams[5], ErrorCode::kNoError);
    EXPECT_THAT(peer.frames(), IsEmpty());
    peer.events.lines.clear();
    ASSERT_TRUE(peer.feed(window_update(3, 10) + window_update(1, 45000)));
    EXPECT_THAT(peer.events.lines, ElementsAre("reset 3 ENHANCE_YOUR_CALM", "close 3", "drained 1", "close 1"));
    EXPECT_EQ(peer.session.active_streams(), 0U);
    EXPECT_EQ(peer.session.queued(), 0U);
    EXPECT_THAT(peer.frames(), Contains("DATA 1 12232 end"));
  }
}

TEST(Stalled, TellsHowLongThePeerHasTakenNothing) {
  const auto at = [](int seconds) { return TimePoint{std::chrono::seconds(1000 + seconds)}; };
  ServerPeer peer;
  peer.handshake({{4, 10}});
  EXPECT_EQ(peer.session.stalled(at(0), 100), Duration::zero());
  ASSERT_TRUE(peer.feed(headers(1, kGet, true)));
  Stream& stream = *peer.events.streams[1];
  peer.session.submit_headers(stream, kOk, false);
  peer.session.submit_data(stream, std::string(1000, 'x'), false);
  // Found first, long after nothing was queued: the stall begins now.
  EXPECT_EQ(peer.session.stalled(at(500), 100), Duration::zero());
  EXPECT_EQ(peer.session.stalled(at(503), 100), std::chrono::seconds(3));
  ASSERT_TRUE(peer.feed(window_update(1, 99)));  // a crack
  EXPECT_EQ(peer.session.stalled(at(505), 100), std::chrono::seconds(5));
  ASSERT_TRUE(peer.feed(window_update(1, 1)));
  EXPECT_EQ(peer.session.stalled(at(506), 100), Duration::zero());
  EXPECT_EQ(peer.session.stalled(at(508), 100), std::chrono::seconds(2));
  // All of it taken and something new queued between two looks is progress, however little it was.
  ASSERT_TRUE(peer.feed(window_update(1, 890)));
  EXPECT_EQ(stream.queued(), 0U);
  peer.session.submit_data(stream, "y", false);
  EXPECT_EQ(stream.queued(), 1U);
  EXPECT_EQ(peer.session.stalled(at(510), 100000), Duration::zero());
  EXPECT_EQ(peer.session.stalled(at(511), 100000), std::chrono::seconds(1));
  ASSERT_TRUE(peer.feed(window_update(1, 1)));
  EXPECT_EQ(peer.session.stalled(at(512), 100000), Duration::zero());
  EXPECT_EQ(peer.session.stalled(at(600), 100000), Duration::zero());
}

TEST(StreamIds, ConcurrencyHoldsBeforeTheSettingsAreAcknowledged) {
  ServerPeer peer({.max_concurrent_streams = 2});
  ASSERT_TRUE(peer.feed(std::string(kPreface) + settings()));
  (void)take(peer.session);
  ASSERT_TRUE(peer.feed(each_stream(4, [](auto id) { return headers(id, kPost, false); })));
  EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 5 REFUSED_STREAM", "RST_STREAM 7 REFUSED_STREAM"));
  EXPECT_EQ(peer.session.active_streams(), 2U);
  ASSERT_TRUE(peer.feed(rst(1, ErrorCode::kCancel) + headers(9, kPost, false)));
  EXPECT_EQ(peer.session.active_streams(), 2U);
  EXPECT_TRUE(peer.events.streams.contains(9));
}

TEST(StreamIds, EndAtTheLastOne) {
  ServerPeer peer;
  peer.handshake();
  ASSERT_TRUE(peer.feed(headers(kMaxStreamId - 2, kGet, true) + headers(kMaxStreamId, kGet, true)));
  EXPECT_EQ(peer.session.active_streams(), 2U);
  EXPECT_EQ(peer.session.last_peer_stream_id(), kMaxStreamId);
  // The reserved bit makes no new number.
  EXPECT_FALSE(peer.feed(frame(FrameType::kHeaders, 5, 0x80000001U, block(kGet))));
  EXPECT_EQ(peer.frames(), std::vector<std::string>{"GOAWAY 2147483647 PROTOCOL_ERROR"});
}

TEST(Closed, DataToStreamsThatAreGoneIsPaidBackToTheConnection) {
  ServerPeer peer({.connection_window = 65535, .max_window = 1 << 20});
  peer.handshake();
  ASSERT_TRUE(peer.feed(headers(1, kPost, false) + window_update(1, 0)));
  (void)take(peer.session);
  std::uint64_t returned = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(peer.feed(data(1, std::string(16000, 'x'), false)));
    for (const std::string& line : peer.frames()) {
      if (line.starts_with("WINDOW_UPDATE 0 ")) returned += std::stoull(line.substr(16));
    }
  }
  EXPECT_GT(returned, 1600000U - 65535U);
  EXPECT_EQ(peer.session.counters().data_bytes_received, 0U);
}

TEST(TableSize, OfThePeerCostsUsNothing) {
  ServerPeer peer;
  peer.handshake({{1, 0xffffffff}});
  ASSERT_TRUE(peer.feed(headers(1, kGet, true)));
  const std::string value(3000, 'v');
  peer.session.submit_headers(*peer.events.streams[1], Fields{{":status", "200"}, {"x", value}}, false);
  const std::string first = take(peer.session);
  // Within the default size still: an update that claims more would begin with 0x3f.
  EXPECT_EQ(static_cast<std::uint8_t>(first[kFrameHeaderSize]), 0x88);
  // Down and up again: RFC 7541 section 4.2 wants the smallest size in between, and the last one, which is not more than 4096.
  ASSERT_TRUE(peer.feed(settings({{1, 0}}) + settings({{1, 0xffffffff}})));
  (void)take(peer.session);
  peer.session.submit_headers(*peer.events.streams[1], kTrailer, true);
  const std::string second = take(peer.session).substr(kFrameHeaderSize);
  EXPECT_EQ(second.substr(0, 4), "\x20\x3f\xe1\x1f"sv);
}

}  // namespace
}  // namespace micro::http2::testing
