// Each of Http2Limits acts when it is set low, lets the same bytes pass by default, and is counted by itself.
#include "http2_limits.hpp"

#include <micro/server/server.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::HasSubstr;

std::string frame(char type, char flags, char stream, std::string_view payload = {}) {
  std::string bytes{
      '\0', static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size()), type, flags, '\0', '\0', '\0', stream};
  return bytes.append(payload);
}

constexpr char kData = 0, kHeaders = 1, kRstStream = 3, kSettings = 4, kPing = 6, kContinuation = 9;
constexpr char kAck = 1, kEndHeaders = 4;

std::string repeat(int times, const std::string& bytes) {
  std::string all;
  for (int i = 0; i < times; ++i) all += bytes;
  return all;
}

std::string block() {
  const http2::Field fields[] = {{":method", "POST"},         {":scheme", "http"}, {":authority", "x"},
                                 {":path", "/test.Echo/Say"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
  Buffer out;
  http2::encode_static(fields, out);
  return std::string(out.view());
}

std::string rapid_reset(int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    const char stream = static_cast<char>(2 * i + 1);
    all += frame(kHeaders, kEndHeaders, stream, block()) + frame(kRstStream, 0, stream, std::string_view("\0\0\0\x8", 4));
  }
  return all;
}

struct Kind {
  const char* name;
  void (*tighten)(ServerOptions& options);
  std::string bytes;
  std::uint64_t ServerCounters::* counter;
  const char* says;
  bool harmless = true;  // by default
};

std::vector<Kind> kinds() {
  const std::string open = frame(kHeaders, kEndHeaders, 1, block());
  const std::string setting("\0\x4\0\0\xff\xff", 6);
  return {
      {"resets", [](ServerOptions& o) { o.http2.max_resets = 2; }, rapid_reset(5), &ServerCounters::reset_floods,
       "too many streams reset"},
      {"control frames", [](ServerOptions& o) { o.http2.max_control_frames = 10; }, repeat(20, frame(kPing, kAck, 0, "12345678")),
       &ServerCounters::control_frame_floods, "too many frames that carry nothing"},
      {"empty frames", [](ServerOptions& o) { o.http2.max_empty_frames = 2; }, open + repeat(5, frame(kData, 0, 1)),
       &ServerCounters::empty_frame_floods, "too many empty DATA"},
      {"continuations", [](ServerOptions& o) { o.http2.max_continuations = 2; },
       frame(kHeaders, 0, 1, block()) + repeat(5, frame(kContinuation, 0, 1)), &ServerCounters::continuation_floods,
       "too many CONTINUATION"},
      {"settings", [](ServerOptions& o) { o.http2.max_settings = 8; }, frame(kSettings, 0, 0, repeat(9, setting)),
       &ServerCounters::settings_floods, "too many settings"},
      {"queued replies", [](ServerOptions& o) { o.http2.max_queued_replies = 4; }, repeat(40, frame(kPing, 0, 0, "12345678")),
       &ServerCounters::queued_reply_floods, "too many frames that ask for a reply"},
      {"header size", [](ServerOptions& o) { o.max_header_bytes = 1000; }, frame(kHeaders, 0, 1, std::string(1001, '\x82')),
       &ServerCounters::header_floods, "header block larger"},
      {"table updates", [](ServerOptions&) {}, frame(kHeaders, kEndHeaders, 1, std::string(9, '\x20') + block()),
       &ServerCounters::header_floods, "too many dynamic table size updates", false},
  };
}

// Sends all of it and leaves; what came back.
std::string play(const TestServer& server, const std::string& bytes) {
  const int fd = server.connect();
  send_all(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0) + bytes);
  ::shutdown(fd, SHUT_WR);
  const std::string answer = receive_until_close(fd);
  ::close(fd);
  return answer;
}

std::uint64_t floods_told_apart(const ServerCounters& c) {
  return c.reset_floods + c.control_frame_floods + c.empty_frame_floods + c.continuation_floods + c.header_floods +
         c.settings_floods + c.queued_reply_floods;
}

TEST(Http2LimitsTest, EachActsAndIsCounted) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    ServerOptions options = TestServer::default_options();
    kind.tighten(options);
    TestServer server(1, options);
    server.start();
    EXPECT_THAT(play(server, kind.bytes), HasSubstr(kind.says));
    const ServerCounters counters = server.server.counters();
    EXPECT_EQ(counters.*kind.counter, 1U);
    EXPECT_EQ(counters.floods, 1U);
    EXPECT_EQ(floods_told_apart(counters), 1U);
    EXPECT_EQ(counters.malformed, 0U);
    EXPECT_EQ(counters.oversized, 0U);
  }
}

TEST(Http2LimitsTest, TheDefaultsAreWide) {
  TestServer server;
  server.start();
  for (const Kind& kind : kinds()) {
    if (kind.harmless) (void)play(server, kind.bytes);
  }
  EXPECT_EQ(server.server.counters().floods, 0U);
  EXPECT_EQ(floods_told_apart(server.server.counters()), 0U);
}

TEST(Http2LimitsTest, QueuedData) {
  ServerOptions options = TestServer::default_options();
  options.http2.max_queued_data = 64 * 1024;
  TestServer server(1, options);
  server.start();
  {
    http2::Options small_windows;
    small_windows.initial_window = small_windows.max_window = 65535;
    Http2Client client(server, small_windows);
    client.withhold_credit();
    http2::Stream& first = client.open("/test.Echo/Later");
    Answer& large = client.answer();
    http2::Stream& second = client.open("/test.Echo/Later");
    Answer& dropped = client.answer();
    client.message(first, std::string(400'000, 'x'), true);
    client.run_until([&] { return large.data.size() > 60'000; });
    EXPECT_FALSE(large.closed);
    client.message(second, std::string(100'000, 'x'), true);
    client.run_until([&] { return dropped.closed; });
    EXPECT_EQ(dropped.reset_code, http2::ErrorCode::kEnhanceYourCalm);
    const Answer& refused = client.call("/test.Echo/Say", "x");
    EXPECT_TRUE(refused.reset);
    EXPECT_EQ(refused.reset_code, http2::ErrorCode::kRefusedStream);
  }
  while (server.server.counters().dropped_answers == 0) std::this_thread::yield();
  while (server.server.counters().queued_data_refusals == 0) std::this_thread::yield();
  const ServerCounters counters = server.server.counters();
  EXPECT_EQ(counters.queued_data_refusals, 1U);
  EXPECT_EQ(counters.refused_streams, 1U);
  EXPECT_EQ(counters.dropped_answers, 1U);
  EXPECT_EQ(counters.floods, 0U);
}

TEST(Http2LimitsTest, TheWindowIsPassedOn) {
  Http2Limits limits;
  limits.window = std::chrono::seconds(3);
  http2::Options options;
  apply(limits, options);
  EXPECT_EQ(options.flood_window, limits.window);
}

TEST(Http2LimitsTest, TheDefaultsAreThoseOfTheProtocol) {
  const http2::Options theirs;
  http2::Options ours;
  ours.flood_window = {};
  ours.max_resets = ours.max_control_frames = ours.max_empty_frames = ours.max_continuations = ours.max_settings =
      ours.max_queued_replies = 0;
  ours.max_queued_data = 0;
  apply({}, ours);
  EXPECT_EQ(ours.flood_window, theirs.flood_window);
  EXPECT_EQ(ours.max_resets, theirs.max_resets);
  EXPECT_EQ(ours.max_control_frames, theirs.max_control_frames);
  EXPECT_EQ(ours.max_empty_frames, theirs.max_empty_frames);
  EXPECT_EQ(ours.max_continuations, theirs.max_continuations);
  EXPECT_EQ(ours.max_settings, theirs.max_settings);
  EXPECT_EQ(ours.max_queued_replies, theirs.max_queued_replies);
  EXPECT_EQ(ours.max_queued_data, theirs.max_queued_data);
  EXPECT_TRUE(check({}));
}

TEST(Http2LimitsTest, ValuesOutOfRangeAreRefused) {
  const struct {
    void (*set)(Http2Limits& limits);
    const char* says;
  } cases[] = {
      {[](Http2Limits& l) { l.window = {}; }, "option http2.window is 0s and must be from 1ms to 1h0m0s"},
      {[](Http2Limits& l) { l.window = std::chrono::hours(2); }, "option http2.window is 2h0m0s"},
      {[](Http2Limits& l) { l.max_resets = 0; }, "option http2.max_resets is 0 and must be from 1 to 1000000"},
      {[](Http2Limits& l) { l.max_control_frames = 9; }, "option http2.max_control_frames is 9 and must be from 10 to 1000000"},
      {[](Http2Limits& l) { l.max_empty_frames = 1'000'001; }, "option http2.max_empty_frames is 1000001"},
      {[](Http2Limits& l) { l.max_continuations = 0; }, "option http2.max_continuations is 0"},
      {[](Http2Limits& l) { l.max_settings = 7; }, "option http2.max_settings is 7 and must be from 8 to 2730"},
      {[](Http2Limits& l) { l.max_queued_replies = ~0U; }, "option http2.max_queued_replies is 4294967295"},
      {[](Http2Limits& l) { l.max_queued_data = 0; },
       "option http2.max_queued_data is 0 and must be from 65536 to 1099511627776"},
      {[](Http2Limits& l) { l.max_queued_data = ~std::size_t{0}; }, "option http2.max_queued_data is 18446744073709551615"},
  };
  for (const auto& each : cases) {
    Http2Limits limits;
    each.set(limits);
    const Result<void> checked = check(limits);
    ASSERT_FALSE(checked) << each.says;
    EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(checked.error().message(), HasSubstr(each.says));
  }
}

TEST(Http2LimitsTest, AServerDoesNotListenWithThem) {
  ServerOptions options = TestServer::default_options();
  options.http2.max_resets = options.http2.max_settings = 0;
  TestServer server(1, options);
  const Result<void> listening = server.server.listen();
  ASSERT_FALSE(listening);
  EXPECT_THAT(listening.error().message(),
              testing::AllOf(HasSubstr("http2.max_resets"), HasSubstr("; option http2.max_settings")));
}

}  // namespace
}  // namespace micro::rpc::test
