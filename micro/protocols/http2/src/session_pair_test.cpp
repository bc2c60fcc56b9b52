// A client session against a server session in memory, whatever way the bytes are cut.
#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing.hpp"

namespace micro::http2::testing {
namespace {

using ::testing::ElementsAre;

// Echoes every request: head, the body as it came, a trailer. Consumes what it is given.
struct Echo {
  explicit Echo(const Options& options = {}) : session(Role::kServer, options, events) {
    events.headers_hook = [this](Stream& stream, bool end) { session.submit_headers(stream, kOk, end); };
    events.data_hook = [this](Stream& stream, std::string_view bytes, bool end) {
      session.consumed(stream, bytes.size());
      session.submit_data(stream, bytes, false);
      if (end) session.submit_encoded_headers(stream, block(kTrailer), true);
    };
    events.trailers_hook = [this](Stream& stream) { session.submit_headers(stream, kTrailer, true); };
  }
  Recorder events;
  Session session;
};

struct Caller {
  explicit Caller(const Options& options = {}) : session(Role::kClient, options, events) {
    events.data_hook = [this](Stream& stream, std::string_view bytes, bool) { session.consumed(stream, bytes.size()); };
  }
  Recorder events;
  Session session;
};

// Moves bytes both ways, at most `chunk` at a time, until nothing is left to say.
void run(Session& a, Session& b, std::size_t chunk) {
  const auto move = [&](Session& from, Session& to) {
    if (from.output().empty()) return false;
    std::string bytes = take(from);
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      const auto result = to.feed(std::string_view(bytes).substr(at, chunk), TimePoint{});
      EXPECT_TRUE(result.has_value()) << result.error().to_string();
      if (!result) return false;
    }
    return true;
  };
  for (bool moved = true; moved;) {
    moved = move(a, b);
    moved = move(b, a) || moved;
  }
}

class Pair : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Pair, EchoesWhateverTheChunks) {
  Caller client;
  Echo server;
  Stream* const first = client.session.open(kPost, false);
  ASSERT_NE(first, nullptr);
  client.session.submit_data(*first, std::string(100000, 'a'), false);
  Stream* const second = client.session.open(kGet, true);
  ASSERT_NE(second, nullptr);
  run(client.session, server.session, GetParam());
  client.session.submit_data(*first, "tail", true);
  run(client.session, server.session, GetParam());
  EXPECT_THAT(client.events.lines,
              ElementsAre("drained 1", "headers 1 200 content-type=text/plain", "headers 3 200 content-type=text/plain end",
                          "close 3", "trailers 1 grpc-status=0", "close 1"));
  EXPECT_EQ(client.events.bodies[1], std::string(100000, 'a') + "tail");
  EXPECT_EQ(client.session.active_streams(), 0U);
  EXPECT_EQ(server.session.active_streams(), 0U);
}

TEST_P(Pair, ThroughTheNarrowestWindows) {
  Caller client({.initial_window = 1, .connection_window = 1, .max_window = 1});
  Echo server({.initial_window = 2, .max_window = 2});
  run(client.session, server.session, GetParam());
  std::vector<Stream*> streams;
  for (int i = 0; i < 3; ++i) {
    streams.push_back(client.session.open(kPost, false));
    client.session.submit_data(*streams.back(), "hello " + std::to_string(i), true);
  }
  run(client.session, server.session, GetParam());
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(client.events.bodies[2 * i + 1], "hello " + std::to_string(i));
  EXPECT_EQ(client.session.active_streams(), 0U);
}

TEST_P(Pair, RepeatedRequestsAreRecognised) {
  Caller client;
  Echo server;
  const Fields fields = {{":method", "POST"}, {":scheme", "http"}, {":path", "/x.Y/Z"}, {":authority", "a"}, {"te", "trailers"}};
  for (int i = 0; i < 6; ++i) {
    ASSERT_NE(client.session.open(fields, true), nullptr);
    run(client.session, server.session, GetParam());
  }
  // A literal in between changes the table, so that the same bytes mean something else.
  Fields other = fields;
  other.push_back({"x-new", "1"});
  for (const Fields& each : {other, fields, fields, fields, other}) {
    ASSERT_NE(client.session.open(each, true), nullptr);
    run(client.session, server.session, GetParam());
  }
  EXPECT_GT(server.session.counters().headers_repeated, 2U);
  const std::string plain = " POST /x.Y/Z te=trailers";
  std::vector<std::string> heads;
  for (const std::string& line : server.events.lines) {
    if (line.starts_with("headers")) heads.push_back(line.substr(line.find(" POST")));
  }
  ASSERT_EQ(heads.size(), 11U);
  for (std::size_t i = 0; i < heads.size(); ++i) EXPECT_EQ(heads[i], i == 6 || i == 10 ? plain + " x-new=1 end" : plain + " end");
}

TEST_P(Pair, PingsAndGoesAway) {
  Caller client;
  Echo server;
  run(client.session, server.session, GetParam());
  client.session.ping(42);
  Stream* const stream = client.session.open(kPost, false);
  run(client.session, server.session, GetParam());
  server.session.goaway(ErrorCode::kNoError, "restart");
  run(client.session, server.session, GetParam());
  EXPECT_TRUE(server.session.goaway_finished());
  EXPECT_FALSE(client.session.can_open());
  client.session.submit_data(*stream, "last", true);
  run(client.session, server.session, GetParam());
  EXPECT_THAT(client.events.lines,
              ElementsAre("pong 42", "headers 1 200 content-type=text/plain", "goaway 2147483647 NO_ERROR restart",
                          "goaway 1 NO_ERROR ", "trailers 1 grpc-status=0", "close 1"));
  EXPECT_EQ(server.session.active_streams(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Chunks, Pair, ::testing::Values(1, 2, 3, 7, 64, 1000, 1U << 20));

TEST(Robustness, CorruptedBytesNeverBreakTheSession) {
  // Real traffic with a few bytes changed: whatever comes out, streams and events must stay in balance.
  Caller client;
  Echo server;
  std::string wire;
  for (int i = 0; i < 5; ++i) {
    Stream* const stream = client.session.open(kPost, false);
    client.session.submit_data(*stream, std::string(50, 'x'), i % 2 == 0);
    if (i % 2 != 0) client.session.submit_headers(*stream, kTrailer, true);
  }
  client.session.ping(1);
  wire = take(client.session);
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = wire;
    const int changes = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < changes; ++i) bytes[kPreface.size() + random() % (bytes.size() - kPreface.size())] = char(random());
    Echo victim;
    std::size_t at = 0;
    Result<void> result;
    while (at < bytes.size() && result) {
      const std::size_t count = 1 + random() % 200;
      result = victim.session.feed(std::string_view(bytes).substr(at, count), TimePoint{});
      at += count;
    }
    victim.session.abort(ErrorCode::kCancel);
    EXPECT_EQ(victim.session.active_streams(), 0U);
    std::size_t opened = 0;
    std::size_t closed = 0;
    for (const std::string& line : victim.events.lines) {
      opened += line.starts_with("headers");
      closed += line.starts_with("close");
    }
    ASSERT_EQ(opened, closed);
    ASSERT_TRUE(victim.events.streams.empty());
  }
}

TEST(Reentrancy, StreamsMayEndFromWithinAnyEvent) {
  const std::string input = headers(1, kPost, false) + data(1, "abc", false) + headers(1, kTrailer, true);
  for (const int where : {0, 1, 2}) {
    for (const int how : {0, 1, 2}) {
      ServerPeer peer;
      peer.handshake();
      const auto end = [&](Stream& stream) {
        if (how == 0) peer.session.reset(stream, ErrorCode::kCancel);
        if (how == 1) peer.session.submit_headers(stream, kOk, true);
        if (how == 2) peer.session.abort(ErrorCode::kCancel);
      };
      if (where == 0) peer.events.headers_hook = [&](Stream& stream, bool) { end(stream); };
      if (where == 1) peer.events.data_hook = [&](Stream& stream, std::string_view, bool) { end(stream); };
      if (where == 2) peer.events.trailers_hook = [&](Stream& stream) { end(stream); };
      EXPECT_EQ(peer.feed(input).has_value(), how != 2);
      EXPECT_EQ(peer.events.lines.back(), "close 1");
      EXPECT_EQ(std::ranges::count(peer.events.lines, "close 1"), 1);
      EXPECT_EQ(peer.session.active_streams(), 0U);
    }
  }
}

}  // namespace
}  // namespace micro::http2::testing
