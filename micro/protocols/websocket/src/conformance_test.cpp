// A case for every group of the Autobahn test suite for WebSockets, numbered as there; both roles.
#include <array>
#include <numeric>

#include <gtest/gtest.h>

#include "testing.hpp"

namespace micro::websocket::testing {
namespace {

using namespace std::string_view_literals;

constexpr unsigned kText = 0x81;
constexpr unsigned kBinary = 0x82;
constexpr unsigned kFirstText = 0x01;
constexpr unsigned kMiddle = 0x00;
constexpr unsigned kLast = 0x80;
constexpr unsigned kClose = 0x88;
constexpr unsigned kPing = 0x89;
constexpr unsigned kPong = 0x8a;

class Conformance : public ::testing::TestWithParam<Role> {
 protected:
  // A frame of the peer.
  static std::string f(unsigned start, std::string_view payload = {}) {
    return frame(start, payload, GetParam() == Role::kServer);
  }
  // A frame of ours.
  static std::string ours(unsigned start, std::string_view payload = {}) {
    return frame(start, payload, GetParam() == Role::kClient);
  }
  static std::string receive(std::string_view bytes, const Options& options = {}) {
    return testing::receive(GetParam(), bytes, options);
  }
  static std::string answer(std::string_view bytes) {
    std::string sent;
    testing::receive(GetParam(), bytes, {}, std::nullopt, &sent);
    return sent;
  }
};

TEST_P(Conformance, Framing_1) {
  for (const std::size_t size : {0, 1, 125, 126, 127, 128, 65535, 65536}) {
    const std::string text(size, '*');
    EXPECT_EQ(receive(f(kText, text)), "text(" + shown(text) + ")");
    EXPECT_EQ(receive(f(kBinary, text)), "binary(" + shown(text) + ")");
  }
}

TEST_P(Conformance, PayloadLengthsAreShortest) {
  const bool mask = GetParam() == Role::kServer;
  for (const unsigned start : {kText, kBinary}) {
    EXPECT_EQ(receive(frame(start, "", mask, Length::kTwoBytes)), "error(1002)");
    EXPECT_EQ(receive(frame(start, std::string(125, 'x'), mask, Length::kTwoBytes)), "error(1002)");
    EXPECT_EQ(receive(frame(start, std::string(126, 'x'), mask, Length::kEightBytes)), "error(1002)");
    EXPECT_EQ(receive(frame(start, std::string(65535, 'x'), mask, Length::kEightBytes)), "error(1002)");
  }
  EXPECT_EQ(
      receive(std::string(1, '\x82').append(1, mask ? '\xff' : '\x7f').append("\x80\0\0\0\0\0\0\1"sv).append(mask ? kKey : "")),
      "error(1002)")
      << "the highest bit must be 0";
}

TEST_P(Conformance, Pings_2) {
  EXPECT_EQ(receive(f(kPing)), "ping()");
  EXPECT_EQ(answer(f(kPing)), ours(kPong));
  const std::string most(125, '\xfe');
  EXPECT_EQ(answer(f(kPing, most)), ours(kPong, most));
  EXPECT_EQ(receive(f(kPing, std::string(126, 'x'))), "error(1002)");
  EXPECT_EQ(receive(f(kPong) + f(kPong, "unsolicited") + f(kPing, "a")), "pong() pong(unsolicited) ping(a)");
  std::string pings, pongs;
  for (int i = 0; i < 10; ++i) {
    pings += f(kPing, "payload " + std::to_string(i));
    pongs += ours(kPong, "payload " + std::to_string(i));
  }
  EXPECT_EQ(answer(pings), pongs);
}

TEST_P(Conformance, ReservedBits_3) {
  for (const unsigned bits : {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70}) {
    for (const unsigned start : {kText, kBinary, kPing, kPong, kClose, kFirstText})
      EXPECT_EQ(receive(f(kText, "ok") + f(start | bits, "x")), "text(ok) error(1002)") << bits << " " << start;
  }
}

TEST_P(Conformance, ReservedOpcodes_4) {
  for (const unsigned opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    for (const unsigned fin : {0x80U, 0U}) {
      EXPECT_EQ(receive(f(kText, "ok") + f(fin | opcode)), "text(ok) error(1002)") << opcode;
      EXPECT_EQ(receive(f(fin | opcode, "payload") + f(kPing)), "error(1002)") << opcode;
    }
  }
}

TEST_P(Conformance, Fragmentation_5) {
  EXPECT_EQ(receive(f(0x09, "x") + f(kLast, "y")), "error(1002)") << "a ping in fragments";
  EXPECT_EQ(receive(f(0x0a, "x") + f(kLast, "y")), "error(1002)") << "a pong in fragments";
  EXPECT_EQ(receive(f(0x08, "x")), "error(1002)") << "a close frame in fragments";
  EXPECT_EQ(receive(f(kFirstText, "one") + f(kLast, "two")), "text(onetwo)");
  EXPECT_EQ(receive(f(kFirstText, "one") + f(kMiddle, "two") + f(kLast, "three")), "text(onetwothree)");
  EXPECT_EQ(receive(f(kFirstText, "one") + f(kPing, "p") + f(kLast, "two")), "ping(p) text(onetwo)");
  EXPECT_EQ(receive(f(kFirstText, "one") + f(kPong, "p") + f(kMiddle) + f(kPing) + f(kLast)), "pong(p) ping() text(one)");
  EXPECT_EQ(receive(f(kFirstText) + f(kMiddle) + f(kLast)), "text()");
  EXPECT_EQ(receive(f(kFirstText) + f(kMiddle, "x") + f(kLast)), "text(x)");
  EXPECT_EQ(receive(f(0x02, "\x01"sv) + f(kLast, "\x02"sv)), "binary(\\01\\02)");
  EXPECT_EQ(receive(f(kLast, "x")), "error(1002)") << "nothing to continue";
  EXPECT_EQ(receive(f(kMiddle, "x") + f(kText, "y")), "error(1002)");
  EXPECT_EQ(receive(f(kText, "done") + f(kLast, "x")), "text(done) error(1002)");
  EXPECT_EQ(receive(f(kFirstText, "one") + f(kText, "two")), "error(1002)");
  EXPECT_EQ(receive(f(kFirstText, "one") + f(0x02, "two")), "error(1002)");
  EXPECT_EQ(receive(f(kFirstText, "one") + f(kClose, close_payload(1000))), "close(1000,)");
}

TEST_P(Conformance, Utf8_6) {
  const std::string_view valid[] = {
      "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!",
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
      "\0"sv,
      "\xc2\x80",
      "\xe0\xa0\x80",
      "\xf0\x90\x80\x80",
      "\x7f",
      "\xdf\xbf",
      "\xef\xbf\xbf",
      "\xf4\x8f\xbf\xbf",
      "\xed\x9f\xbf",
      "\xee\x80\x80",
      "\xef\xbf\xbd",
      "\xef\xbf\xbe",
      "\xf0\x9f\xbf\xbf",
      "long enough for words, then \xc3\xa4, then long enough again",
  };
  const std::string_view invalid[] = {
      "\xce\xba\xe1\xbd\xb9\xed\xa0\x80"
      "edited",
      "\xf8\x88\x80\x80\x80",
      "\xfc\x84\x80\x80\x80\x80",
      "\xf7\xbf\xbf\xbf",
      "\xf4\x90\x80\x80",
      "\x80",
      "\xbf",
      "\x80\xbf\x80",
      "\xc0 \xc1 ",
      "\xe0 \xe1 ",
      "\xf0 \xf1 ",
      "\xc0",
      "\xe0\x80",
      "\xf0\x80\x80",
      "\xdf",
      "\xef\xbf",
      "\xf7\xbf\xbf",
      "\xfe",
      "\xff",
      "\xfe\xfe\xff\xff",
      "\xc0\xaf",
      "\xe0\x80\xaf",
      "\xf0\x80\x80\xaf",
      "\xc1\xbf",
      "\xe0\x9f\xbf",
      "\xf0\x8f\xbf\xbf",
      "\xc0\x80",
      "\xed\xa0\x80",
      "\xed\xad\xbf",
      "\xed\xae\x80",
      "\xed\xbf\xbf",
      "\xed\xa0\x80\xed\xb0\x80",
      "\xc3",
      "word word word \xc3",
      "word word \xffword word",
  };
  for (const std::string_view text : valid) {
    EXPECT_EQ(receive(f(kText, text)), "text(" + shown(text) + ")");
    // A frame a byte.
    std::string cut = f(kFirstText);
    for (const char c : text) cut += f(kMiddle, {&c, 1});
    EXPECT_EQ(receive(cut + f(kLast)), "text(" + shown(text) + ")");
    EXPECT_EQ(receive(f(kBinary, text)), "binary(" + shown(text) + ")");
  }
  for (const std::string_view text : invalid) {
    EXPECT_EQ(receive(f(kText, text)), "error(1007)") << shown(text);
    for (std::size_t at = 0; at <= text.size(); ++at)
      EXPECT_EQ(receive(f(kFirstText, text.substr(0, at)) + f(kLast, text.substr(at))), "error(1007)") << shown(text);
    EXPECT_EQ(receive(f(kBinary, text)), "binary(" + shown(text) + ")");
  }
}

TEST_P(Conformance, WrongUtf8IsToldBeforeTheFrameHasEnded_6_4) {
  const std::string bytes = f(kText, "\xce\xba\xf4\x90" + std::string(100, 'x'));
  Session session(GetParam(), {});
  EXPECT_EQ(transcript(session, std::string_view(bytes).substr(0, bytes.size() - 100), 1), "error(1007)");
}

TEST_P(Conformance, Closing_7) {
  EXPECT_EQ(receive(f(kText, "x") + f(kClose, close_payload(1000, "bye"))), "text(x) close(1000,bye)");
  EXPECT_EQ(answer(f(kClose, close_payload(1000, "bye"))), ours(kClose, close_payload(1000)));
  EXPECT_EQ(receive(f(kClose)), "close(1005,)");
  EXPECT_EQ(answer(f(kClose)), ours(kClose));
  EXPECT_EQ(receive(f(kClose, close_payload(1000)) + f(kClose, close_payload(1000)) + f(kText, "late") + "\xff nonsense"),
            "close(1000,)")
      << "nothing counts behind the close frame";
  EXPECT_EQ(receive(f(kClose, "\x03")), "error(1002)") << "half a code";
  EXPECT_EQ(receive(f(kClose, close_payload(1000, std::string(123, 'x')))), "close(1000,123 bytes)");
  EXPECT_EQ(receive(f(kClose, close_payload(1000, std::string(124, 'x')))), "error(1002)");
  EXPECT_EQ(receive(f(kClose, close_payload(1000, "\xce\xba\xed\xa0\x80"))), "error(1007)");
  EXPECT_EQ(receive(f(kClose, close_payload(1000, "\xce"))), "error(1007)");
  for (const unsigned code :
       {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4016, 4999})
    EXPECT_EQ(receive(f(kClose, close_payload(code))), "close(" + std::to_string(code) + ",)");
  for (const unsigned code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    EXPECT_EQ(receive(f(kClose, close_payload(code))), "error(1002)") << code;
    EXPECT_EQ(receive(f(kClose, close_payload(code, "reason"))), "error(1002)") << code;
  }
}

TEST_P(Conformance, LargeMessages_9) {
  const std::string large(4 * 1024 * 1024, '*');
  Session whole(GetParam(), {});
  EXPECT_EQ(transcript(whole, f(kText, large), 65536), "text(4194304 bytes)");
  std::string cut = f(kFirstText);
  for (std::size_t at = 0; at < large.size(); at += 64) cut += f(kMiddle, std::string_view(large).substr(at, 64));
  Session fragments(GetParam(), {});
  EXPECT_EQ(transcript(fragments, cut + f(kLast), 1000), "text(4194304 bytes)");
}

TEST_P(Conformance, Limits) {
  const Options options{.max_message = 10, .max_frame = 8, .max_empty_frames = 3};
  EXPECT_EQ(receive(f(kText, "12345678"), options), "text(12345678)");
  EXPECT_EQ(receive(f(kText, "123456789"), options), "error(1009)");
  EXPECT_EQ(receive(f(kFirstText, "12345") + f(kLast, "67890"), options), "text(1234567890)");
  EXPECT_EQ(receive(f(kFirstText, "12345") + f(kLast, "678901"), options), "error(1009)");
  EXPECT_EQ(receive(f(kText, "12345678") + f(kText, "12345678"), options), "text(12345678) text(12345678)") << "each anew";
  EXPECT_EQ(receive(f(kFirstText) + f(kMiddle) + f(kMiddle) + f(kLast, "x"), options), "text(x)");
  EXPECT_EQ(receive(f(kFirstText) + f(kMiddle) + f(kMiddle) + f(kMiddle), options), "error(1009)");
  EXPECT_EQ(receive(f(kPing, std::string(125, 'x')), options), "ping(125 bytes)") << "control frames have their own limit";

  // The length alone decides.
  const bool mask = GetParam() == Role::kServer;
  Session session(GetParam(), options);
  std::string huge = std::string(1, '\x82').append(1, mask ? '\xff' : '\x7f').append("\0\xff\xff\xff\xff\xff\xff\xff"sv);
  EXPECT_EQ(transcript(session, huge + std::string(mask ? kKey : ""), 1), "error(1009)");
}

INSTANTIATE_TEST_SUITE_P(Roles, Conformance, ::testing::Values(Role::kServer, Role::kClient),
                         [](const auto& info) { return std::string(info.param == Role::kServer ? "Server" : "Client"); });

// Groups 12 and 13: many messages of many sizes under every set of parameters, both ways.
class Compression : public ::testing::TestWithParam<Deflate> {};

TEST_P(Compression, MessagesOfAllSizes_12_13) {
  for (const std::size_t compress_from : {std::size_t{0}, std::size_t{128}}) {
    Session server(Role::kServer, {.compress_from = compress_from}, GetParam());
    Session client(Role::kClient, {.compress_from = compress_from}, GetParam());
    std::size_t plain = 0;
    std::size_t wire = 0;
    for (int round = 0; round < 3; ++round) {
      for (const std::size_t size : {0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072}) {
        std::string text;
        for (unsigned i = 0; text.size() < size; ++i)
          text += "{\"name\":\"item " + std::to_string(i % 37) + "\",\"value\":" + std::to_string(i * i % 1001) + "}";
        text.resize(size);
        for (Session* from : {&server, &client}) {
          Session& to = from == &server ? client : server;
          ASSERT_TRUE(from->send(MessageKind::kText, text).has_value());
          plain += size;
          const std::string bytes = take(*from);
          wire += bytes.size();
          std::string received;
          for (std::size_t at = 0; at < bytes.size(); at += 4096) {
            std::string_view input = std::string_view(bytes).substr(at, 4096);
            while (true) {
              const auto event = to.next(input);
              ASSERT_TRUE(event.has_value()) << event.error().to_string();
              if (*event == Event::kNeedMore) break;
              ASSERT_EQ(*event, Event::kMessage);
              received = to.payload();
            }
          }
          ASSERT_EQ(received, text);
        }
      }
    }
    const bool compresses = GetParam().server_max_window_bits > 8 && GetParam().client_max_window_bits > 8;
    EXPECT_TRUE(!compresses || wire < plain / 3) << wire << " of " << plain;
  }
}

INSTANTIATE_TEST_SUITE_P(Parameters, Compression,
                         ::testing::Values(Deflate{}, Deflate{true, true, 15, 15}, Deflate{false, false, 9, 9},
                                           Deflate{true, true, 9, 9}, Deflate{false, true, 15, 9}, Deflate{true, false, 10, 14},
                                           Deflate{false, false, 8, 15}, Deflate{false, false, 8, 8}));

}  // namespace
}  // namespace micro::websocket::testing
