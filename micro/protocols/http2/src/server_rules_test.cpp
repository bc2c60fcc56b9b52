// RFC 9113 rule by rule, as a server meets them: bytes in, frames and events out. Every case runs whole and byte by byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing.hpp"

namespace micro::http2::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

std::string raw(std::string_view bytes) { return std::string(bytes); }
using namespace std::string_view_literals;

struct Rule {
  const char* name;
  std::string input;                // after the handshake
  std::vector<std::string> output;  // without acknowledgements of the handshake
  std::vector<std::string> events = {};
};

std::string headers_with(std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  return frame(FrameType::kHeaders, flags, stream, payload);
}

const std::string kGetBlock = block(kGet);
const std::string kOpen1 = headers(1, kPost, false);
const std::string kGet1 = headers(1, kGet, true);
const std::vector<std::string> kOpened = {"headers 1 POST /p"};
const std::vector<std::string> kRequested = {"headers 1 GET / end"};

std::vector<std::string> opened_and(std::initializer_list<std::string> more) {
  std::vector<std::string> lines = kOpened;
  lines.insert(lines.end(), more);
  return lines;
}

Rule conn(const char* name, std::string input, ErrorCode code, int last, std::vector<std::string> events = {}) {
  for (std::string& line : events) {
    if (line == "reset") line = "reset 1 " + std::string(to_string(code));
  }
  return {name, std::move(input), {"GOAWAY " + std::to_string(last) + " " + std::string(to_string(code))}, std::move(events)};
}
Rule rst1(const char* name, std::string input, ErrorCode code, bool opened) {
  const std::string code_name(to_string(code));
  return {name,
          std::move(input),
          {"RST_STREAM 1 " + code_name},
          opened ? opened_and({"reset 1 " + code_name, "close 1"}) : std::vector<std::string>{}};
}

const auto kProto = ErrorCode::kProtocolError;
const auto kSize = ErrorCode::kFrameSizeError;
const auto kFlow = ErrorCode::kFlowControlError;
const std::initializer_list<std::string> kFailedOpen = {"headers 1 POST /p", "reset", "close 1"};

std::vector<Rule> rules() {
  const std::string self = be32(1) + "\x10";
  const std::string other = be32(0x80000000U) + "\x10";
  return {
      // 4: frames
      conn("frame larger than announced", frame(FrameType::kData, 0, 1, std::string(16385, 'x')).substr(0, 9), kSize, 0),
      conn("large frame of unknown type", frame(FrameType(0x30), 0, 0, std::string(16385, 'x')).substr(0, 9), kSize, 0),
      {"unknown type ignored",
       frame(FrameType(0x30), 0xff, 0, "abc") + frame(FrameType(0xfe), 0, 7) + ping("12345678"),
       {"PING ack"}},
      {"reserved bit ignored", raw("\0\0\x08\x06\0\x80\0\0\0"sv) + "12345678", {"PING ack"}},
      conn("block interrupted by a frame", headers_with(0, 1, kGetBlock) + ping("12345678"), kProto, 0),
      conn("block interrupted by an unknown frame", headers_with(0, 1, kGetBlock) + frame(FrameType(0x30), 0, 0), kProto, 0),
      conn("CONTINUATION of another stream", headers_with(0, 1, kGetBlock) + frame(FrameType::kContinuation, 4, 3), kProto, 0),
      conn("CONTINUATION alone", frame(FrameType::kContinuation, 4, 1, kGetBlock), kProto, 0),
      conn("CONTINUATION after END_HEADERS", kOpen1 + frame(FrameType::kContinuation, 4, 1, ""), kProto, 1, kFailedOpen),
      conn("block that is no HPACK", headers_with(4, 1, "\xff\xff\xff\xff\xff\xff\xff"), ErrorCode::kCompressionError, 1),
      conn("index 0", headers_with(4, 1, "\x80"), ErrorCode::kCompressionError, 1),
      conn("index beyond the tables", headers_with(4, 1, "\xc6"), ErrorCode::kCompressionError, 1),
      conn("table size update beyond the limit", headers_with(4, 1, "\x3f\xe2\x1f" + kGetBlock), ErrorCode::kCompressionError, 1),
      conn("table size update at the end", headers_with(4, 1, kGetBlock + "\x20"), ErrorCode::kCompressionError, 1),
      conn("truncated block", headers_with(4, 1, kGetBlock + raw("\x00\x05te"sv)), ErrorCode::kCompressionError, 1),
      {"split block",
       headers_with(1, 1, kGetBlock.substr(0, 2)) + frame(FrameType::kContinuation, 0, 1, kGetBlock.substr(2, 1)) +
           frame(FrameType::kContinuation, 4, 1, kGetBlock.substr(3)),
       {},
       kRequested},
      // 5.1: stream states
      conn("DATA on idle", data(1, "x", true), kProto, 0),
      conn("RST_STREAM on idle", rst(1, ErrorCode::kCancel), kProto, 0),
      conn("WINDOW_UPDATE on idle", window_update(1, 5), kProto, 0),
      conn("WINDOW_UPDATE on an even stream", kGet1 + window_update(2, 5), kProto, 1,
           {"headers 1 GET / end", "reset", "close 1"}),
      {"PRIORITY on idle", frame(FrameType::kPriority, 0, 5, other) + ping("12345678"), {"PING ack"}},
      {"DATA on half-closed",
       kGet1 + data(1, "x", false),
       {"RST_STREAM 1 STREAM_CLOSED"},
       {"headers 1 GET / end", "reset 1 STREAM_CLOSED", "close 1"}},
      {"HEADERS on half-closed",
       kGet1 + headers(1, kTrailer, true),
       {"RST_STREAM 1 STREAM_CLOSED"},
       {"headers 1 GET / end", "reset 1 STREAM_CLOSED", "close 1"}},
      {"WINDOW_UPDATE and PRIORITY on half-closed",
       kGet1 + window_update(1, 1) + frame(FrameType::kPriority, 0, 1, other),
       {},
       kRequested},
      {"DATA after the peer's RST_STREAM",
       kOpen1 + rst(1, ErrorCode::kCancel) + data(1, "x", false) + data(1, "y", true),
       {"RST_STREAM 1 STREAM_CLOSED"},
       opened_and({"reset 1 CANCEL by peer", "close 1"})},
      {"HEADERS after the peer's RST_STREAM",
       kOpen1 + rst(1, ErrorCode::kCancel) + headers(1, kTrailer, true),
       {"RST_STREAM 1 STREAM_CLOSED"},
       opened_and({"reset 1 CANCEL by peer", "close 1"})},
      {"late frames after the peer's RST_STREAM",
       kOpen1 + rst(1, ErrorCode::kCancel) + window_update(1, 9) + rst(1, ErrorCode::kCancel),
       {},
       opened_and({"reset 1 CANCEL by peer", "close 1"})},
      {"frames under way to a stream we reset",
       kOpen1 + window_update(1, 0) + data(1, "x", false) + headers(1, kTrailer, true),
       {"RST_STREAM 1 PROTOCOL_ERROR"},
       opened_and({"reset 1 PROTOCOL_ERROR", "close 1"})},
      // 5.1.1: identifiers
      conn("even stream", headers(2, kGet, true), kProto, 0),
      conn("HEADERS on stream 0", headers(0, kGet, true), kProto, 0),
      conn("lower stream", headers(5, kGet, true) + headers(3, kGet, true), kProto, 5,
           {"headers 5 GET / end", "reset 5 PROTOCOL_ERROR", "close 5"}),
      // 5.3: priority
      rst1("HEADERS that depends on itself", headers_with(0x25, 1, self + kGetBlock), kProto, false),
      {"HEADERS with priority", headers_with(0x25, 1, other + kGetBlock), {}, kRequested},
      conn("PRIORITY that depends on itself, idle", frame(FrameType::kPriority, 0, 1, self), kProto, 0),
      rst1("PRIORITY that depends on itself", kOpen1 + frame(FrameType::kPriority, 0, 1, self), kProto, true),
      rst1("PRIORITY of 4 bytes", kOpen1 + frame(FrameType::kPriority, 0, 1, "1234"), kSize, true),
      conn("PRIORITY on stream 0", frame(FrameType::kPriority, 0, 0, other), kProto, 0),
      conn("HEADERS too short for priority", headers_with(0x24, 1, "1234"), kSize, 0),
      // 6.1, 6.2: padding
      conn("DATA on stream 0", data(0, "x", true), kProto, 0),
      conn("DATA with too much padding", kOpen1 + frame(FrameType::kData, 8, 1, "\x05pad"), kProto, 1, kFailedOpen),
      conn("padded DATA without length", kOpen1 + frame(FrameType::kData, 8, 1, ""), kSize, 1, kFailedOpen),
      conn("HEADERS with too much padding", headers_with(0x0d, 1, "\xff" + kGetBlock), kProto, 0),
      conn("padded HEADERS without length", headers_with(0x0d, 1, ""), kSize, 0),
      {"padded HEADERS", headers_with(0x0d, 1, "\x03" + kGetBlock + "pad"), {}, kRequested},
      {"padded DATA",
       kOpen1 + frame(FrameType::kData, 9, 1,
                      "\x03"
                      "abcpad"),
       {},
       opened_and({"end 1 3"})},
      {"DATA of padding only", kOpen1 + frame(FrameType::kData, 9, 1, "\x03pad"), {}, opened_and({"end 1 0"})},
      // 6.4 to 6.9: control frames
      conn("RST_STREAM on stream 0", rst(0, ErrorCode::kCancel), kProto, 0),
      conn("RST_STREAM of 3 bytes", kOpen1 + frame(FrameType::kRstStream, 0, 1, "123"), kSize, 1, kFailedOpen),
      conn("SETTINGS acknowledgement with payload", frame(FrameType::kSettings, 1, 0, "123456"), kSize, 0),
      conn("SETTINGS on a stream", frame(FrameType::kSettings, 0, 1), kProto, 0),
      conn("SETTINGS of 5 bytes", frame(FrameType::kSettings, 0, 0, "12345"), kSize, 0),
      conn("ENABLE_PUSH of 2", settings({{2, 2}}), kProto, 0),
      conn("INITIAL_WINDOW_SIZE of 2^31", settings({{4, 0x80000000U}}), kFlow, 0),
      conn("MAX_FRAME_SIZE of 16383", settings({{5, 16383}}), kProto, 0),
      conn("MAX_FRAME_SIZE of 2^24", settings({{5, 1U << 24}}), kProto, 0),
      {"unknown setting", settings({{0x99, 7}, {6, 100}, {8, 1}}), {"SETTINGS ack"}},
      conn("PUSH_PROMISE", frame(FrameType::kPushPromise, 4, 1, be32(2) + kGetBlock), kProto, 0),
      conn("PING of 7 bytes", frame(FrameType::kPing, 0, 0, "1234567"), kSize, 0),
      conn("PING on a stream", frame(FrameType::kPing, 0, 1, "12345678"), kProto, 0),
      {"PING", ping("12345678"), {"PING ack"}},
      {"PING nobody waits for", ping(raw("\0\0\0\0\0\0\0\x09"sv), true), {}, {"pong 9"}},
      conn("GOAWAY on a stream", frame(FrameType::kGoaway, 0, 1, be32(0) + be32(0)), kProto, 0),
      conn("GOAWAY of 7 bytes", frame(FrameType::kGoaway, 0, 0, "1234567"), kSize, 0),
      {"GOAWAY", goaway(0, ErrorCode::kNoError, "bye") + kGet1, {}, {"goaway 0 NO_ERROR bye", "headers 1 GET / end"}},
      conn("WINDOW_UPDATE of 3 bytes", frame(FrameType::kWindowUpdate, 0, 0, "123"), kSize, 0),
      conn("WINDOW_UPDATE of 0 on the connection", window_update(0, 0), kProto, 0),
      rst1("WINDOW_UPDATE of 0 on a stream", kOpen1 + window_update(1, 0), kProto, true),
      conn("connection window above 2^31-1", window_update(0, 0x7fffffff) + ping("12345678"), kFlow, 0),
      rst1("stream window above 2^31-1", kOpen1 + window_update(1, 0x7fffffff), kFlow, true),
      conn("SETTINGS lift a window above 2^31-1", kOpen1 + window_update(1, 100) + settings({{4, 0x7fffffff}}), kFlow, 1,
           kFailedOpen),
      // 8.1: messages
      rst1("trailers without END_STREAM", kOpen1 + headers(1, kTrailer, false), kProto, true),
      rst1("trailers with a pseudo-header field", kOpen1 + headers(1, {{":path", "/"}}, true), kProto, true),
      {"trailers", kOpen1 + data(1, "abc", false) + headers(1, kTrailer, true), {}, opened_and({"trailers 1 grpc-status=0"})},
      {"empty DATA ends", kOpen1 + data(1, "", false) + data(1, "", true), {}, opened_and({"end 1 0"})},
      {"cookies stay apart",
       headers(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"cookie", "a"}, {"cookie", "b"}}, true),
       {},
       {"headers 1 GET / cookie=a cookie=b end"}},
  };
}

class ServerRules : public ::testing::TestWithParam<bool> {};

TEST_P(ServerRules, Hold) {
  for (const Rule& rule : rules()) {
    SCOPED_TRACE(rule.name);
    ServerPeer peer;
    peer.handshake();
    Result<void> result;
    if (GetParam()) {
      for (std::size_t i = 0; i < rule.input.size() && result; ++i) result = peer.feed(std::string_view(rule.input).substr(i, 1));
    } else {
      result = peer.feed(rule.input);
    }
    EXPECT_THAT(peer.frames(), ElementsAreArray(rule.output));
    EXPECT_THAT(peer.events.lines, ElementsAreArray(rule.events));
    const bool fails = !rule.output.empty() && rule.output.back().starts_with("GOAWAY");
    EXPECT_EQ(result.has_value(), !fails);
    if (fails) {
      EXPECT_EQ(peer.session.active_streams(), 0U);
      EXPECT_FALSE(peer.feed(ping("12345678")).has_value());
      EXPECT_TRUE(peer.frames().empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Split, ServerRules, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "ByteByByte" : "Whole"; });

struct MessageCase {
  const char* name;
  Fields fields;
  bool good = false;
};

TEST(ServerMessages, MalformedRequestsAreResetAndGoodOnesArePassedOn) {
  const auto with = [](std::initializer_list<Field> more) {
    Fields fields = kGet;
    fields.insert(fields.end(), more);
    return fields;
  };
  const MessageCase cases[] = {
      {"plain", kGet, true},
      {"upper-case name", with({{"X-A", "1"}})},
      {"name with a blank", with({{"x a", "1"}})},
      {"empty name", with({{"", "1"}})},
      {"name with a colon", with({{"x:a", "1"}})},
      {"value with NUL", with({{"x", std::string_view("a\0b", 3)}})},
      {"value with CR", with({{"x", "a long enough value\rwith CR"}})},
      {"value with LF", with({{"x", "a\n"}})},
      {"value with DEL", with({{"x", "abcdefg\x7f"}})},
      {"value with leading blank", with({{"x", " a"}})},
      {"value with trailing tab", with({{"x", "a\t"}})},
      {"value with tab inside", with({{"x", "a\tb and more text"}}), true},
      {"empty value", with({{"x", ""}}), true},
      {"value beyond ASCII", with({{"x", "\xc3\xa4"}}), true},
      {"connection", with({{"connection", "close"}})},
      {"keep-alive", with({{"keep-alive", "1"}})},
      {"proxy-connection", with({{"proxy-connection", "x"}})},
      {"transfer-encoding", with({{"transfer-encoding", "chunked"}})},
      {"upgrade", with({{"upgrade", "x"}})},
      {"te trailers", with({{"te", "trailers"}}), true},
      {"te gzip", with({{"te", "trailers, deflate;q=0.5"}})},
      {"unknown pseudo-header field", with({{":x", "1"}})},
      {"response pseudo-header field", with({{":status", "200"}})},
      {":protocol not announced", with({{":protocol", "websocket"}})},
      {"pseudo after regular", {{":method", "GET"}, {":scheme", "http"}, {"x", "1"}, {":path", "/"}}},
      {"repeated :method", with({{":method", "GET"}})},
      {"repeated :path", with({{":path", "/"}})},
      {"no :method", {{":scheme", "http"}, {":path", "/"}}},
      {"no :scheme", {{":method", "GET"}, {":path", "/"}}},
      {"no :path", {{":method", "GET"}, {":scheme", "http"}}},
      {"empty :path", {{":method", "GET"}, {":scheme", "http"}, {":path", ""}}},
      {"relative :path", {{":method", "GET"}, {":scheme", "http"}, {":path", "a"}}},
      {":path with a blank", {{":method", "GET"}, {":scheme", "http"}, {":path", "/a b"}}},
      {"OPTIONS *", {{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}}, true},
      {"GET *", {{":method", "GET"}, {":scheme", "http"}, {":path", "*"}}},
      {"host like :authority", with({{"host", "a"}}), true},
      {"host like :authority but for case and default port", with({{"host", "A:80"}}), true},
      {"host other than :authority", with({{"host", "b"}})},
      {"host with another port than :authority", with({{"host", "a:8080"}})},
      {"hosts that differ", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a"}, {"host", "b"}}},
      {"host repeated", with({{"host", "a"}, {"host", "a"}})},
      {"host alone", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a"}}, true},
      {"bad host", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a b"}}},
      {"bad method", {{":method", "G T"}, {":scheme", "http"}, {":path", "/"}}},
      {"nothing at all", {}},
      {"CONNECT", {{":method", "CONNECT"}, {":authority", "a:1"}}, true},
      {"CONNECT with its host", {{":method", "CONNECT"}, {":authority", "a:80"}, {"host", "A:80"}}, true},
      {"CONNECT with another host", {{":method", "CONNECT"}, {":authority", "a:80"}, {"host", "b:80"}}},
      {"CONNECT with a host without the port", {{":method", "CONNECT"}, {":authority", "a:80"}, {"host", "a"}}},
      {"CONNECT with :path", {{":method", "CONNECT"}, {":authority", "a:1"}, {":path", "/"}}},
      {"CONNECT without :authority", {{":method", "CONNECT"}}},
      {":authority with a path", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a/b"}}},
      {":authority with userinfo", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u@a"}}},
      {":authority beyond ASCII", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "\xc3\xa4"}}},
      {":authority IPv6", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "[::1]:80"}}, true},
      {"host in place of :authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a:80"}}, true},
      {"host with a path", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a/b"}}},
      {"content-length 0", with({{"content-length", "0"}}), true},
      {"content-length without a body", with({{"content-length", "1"}})},
      {"content-length no number", with({{"content-length", "x"}})},
      {"content-length negative", with({{"content-length", "-1"}})},
      {"content-length too long", with({{"content-length", "9999999999999999999"}})},
      {"content-lengths that differ", with({{"content-length", "0"}, {"content-length", "1"}})},
      {"content-length repeated", with({{"content-length", "0"}, {"content-length", "0"}}), true},
  };
  for (const MessageCase& each : cases) {
    SCOPED_TRACE(each.name);
    ServerPeer peer;
    peer.handshake();
    ASSERT_TRUE(peer.feed(headers(1, each.fields, true)));
    if (each.good) {
      EXPECT_EQ(peer.events.lines.size(), 1U);
      EXPECT_TRUE(peer.frames().empty());
    } else {
      EXPECT_TRUE(peer.events.lines.empty());
      EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 1 PROTOCOL_ERROR"));
    }
    // Whatever it was, the connection lives on.
    ASSERT_TRUE(peer.feed(headers(3, kGet, true)));
    EXPECT_EQ(peer.events.lines.back(), "headers 3 GET / end");
  }
}

TEST(ServerMessages, ContentLengthMustMatchTheBody) {
  struct Case {
    const char* length;
    std::vector<std::string> pieces;
    bool trailers;
    bool good;
  };
  const Case cases[] = {
      {"3", {"abc"}, false, true},  {"3", {"a", "bc"}, false, true},     {"4", {"abc"}, false, false},
      {"2", {"abc"}, false, false}, {"3", {"ab", "cd"}, false, false},   {"3", {"abc"}, true, true},
      {"4", {"abc"}, true, false},  {"2", {"ab", "", "c"}, true, false},
  };
  for (const Case& each : cases) {
    ServerPeer peer;
    peer.handshake();
    Fields fields = kPost;
    fields.push_back({"content-length", each.length});
    std::string input = headers(1, fields, false);
    for (std::size_t i = 0; i < each.pieces.size(); ++i) {
      input += data(1, each.pieces[i], !each.trailers && i + 1 == each.pieces.size());
    }
    if (each.trailers) input += headers(1, kTrailer, true);
    ASSERT_TRUE(peer.feed(input));
    SCOPED_TRACE(::testing::PrintToString(peer.events.lines));
    if (each.good) {
      EXPECT_TRUE(peer.frames().empty());
      EXPECT_EQ(peer.events.bodies[1], "abc");
    } else {
      EXPECT_THAT(peer.frames(), ElementsAre("RST_STREAM 1 PROTOCOL_ERROR"));
      EXPECT_EQ(peer.events.lines.back(), "close 1");
    }
  }
}

}  // namespace
}  // namespace micro::http2::testing
