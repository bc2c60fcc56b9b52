// What a session sends, its states, and two sessions against each other. What it receives is in conformance_test.cpp.
#include <micro/websocket/session.hpp>

#include <array>
#include <random>
#include <stdexcept>

#include <gtest/gtest.h>

#include "mask.hpp"
#include "testing.hpp"
#include "utf8.hpp"

namespace micro::websocket::testing {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

const Options kFixed{.mask_source = fixed_key};

TEST(Sending, TheExamplesOfTheRfc_5_7) {
  Session server(Role::kServer, kFixed);
  Session client(Role::kClient, kFixed);
  ASSERT_TRUE(server.send(MessageKind::kText, "Hello").has_value());
  EXPECT_EQ(take(server), "\x81\x05\x48\x65\x6c\x6c\x6f"sv);
  ASSERT_TRUE(client.send(MessageKind::kText, "Hello").has_value());
  EXPECT_EQ(take(client), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"sv);
  ASSERT_TRUE(server.send_piece(MessageKind::kText, "Hel", false).has_value());
  ASSERT_TRUE(server.send_piece(MessageKind::kText, "lo", true).has_value());
  EXPECT_EQ(take(server), "\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"sv);
  server.ping("Hello");
  EXPECT_EQ(take(server), "\x89\x05\x48\x65\x6c\x6c\x6f"sv);
  client.pong("Hello");
  EXPECT_EQ(take(client), "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"sv);
  ASSERT_TRUE(server.send(MessageKind::kBinary, std::string(256, 'x')).has_value());
  EXPECT_EQ(take(server), "\x82\x7e\x01\x00"s + std::string(256, 'x'));
  ASSERT_TRUE(server.send(MessageKind::kBinary, std::string(65536, 'x')).has_value());
  EXPECT_EQ(take(server), "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s + std::string(65536, 'x'));
}

TEST(Sending, LengthsAreShortest) {
  for (const Role role : {Role::kServer, Role::kClient}) {
    for (const std::size_t size : {0, 1, 125, 126, 65535, 65536}) {
      Session session(role, kFixed);
      ASSERT_TRUE(session.send(MessageKind::kBinary, std::string(size, 'x')).has_value());
      EXPECT_EQ(take(session), frame(0x82, std::string(size, 'x'), role == Role::kClient));
      Buffer moved;
      moved.append(std::string(size, 'x'));
      ASSERT_TRUE(session.send(MessageKind::kBinary, std::move(moved)).has_value());
      EXPECT_EQ(take(session), frame(0x82, std::string(size, 'x'), role == Role::kClient));
    }
  }
}

TEST(Sending, MasksDiffer) {
  Session client(Role::kClient, {});
  client.ping("same");
  const std::string first = take(client);
  client.ping("same");
  EXPECT_NE(take(client), first);
}

TEST(Sending, TextMustBeUtf8) {
  Session session(Role::kServer, {});
  const auto wrong = session.send(MessageKind::kText, "\xff");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code(), Code::kInvalidArgument);
  Buffer moved;
  moved.append(std::string(5000, '\xff'));
  EXPECT_FALSE(session.send(MessageKind::kText, std::move(moved)).has_value());
  EXPECT_FALSE(session.send(MessageKind::kText, "cut \xc3").has_value());
  EXPECT_TRUE(session.output().empty());
  EXPECT_TRUE(session.send_piece(MessageKind::kText, "\xc3", false).has_value()) << "a piece may end within a character";
  EXPECT_TRUE(session.send_piece(MessageKind::kText, "\xa4", true).has_value());
  EXPECT_FALSE(session.send_piece(MessageKind::kText, "\xc3", true).has_value()) << "the last one may not";
  EXPECT_TRUE(session.send(MessageKind::kBinary, "\xff").has_value());
}

TEST(Sending, OneMessageAtATime) {
  Session session(Role::kServer, {});
  ASSERT_TRUE(session.send_piece(MessageKind::kText, "a", false).has_value());
  const std::string begun = take(session);
  EXPECT_EQ(session.send(MessageKind::kText, "b").error().reason(), "WEBSOCKET_UNFINISHED");
  EXPECT_EQ(session.send_piece(MessageKind::kBinary, "b", false).error().reason(), "WEBSOCKET_UNFINISHED");
  Buffer moved;
  moved.append(std::string(5000, 'x'));
  EXPECT_EQ(session.send(MessageKind::kText, std::move(moved)).error().reason(), "WEBSOCKET_UNFINISHED");
  EXPECT_TRUE(session.output().empty());
  session.ping();
  EXPECT_EQ(take(session), server(0x89)) << "control frames may stand in between";
  ASSERT_TRUE(session.send_piece(MessageKind::kText, "b", true).has_value());
  ASSERT_TRUE(session.send(MessageKind::kText, "c").has_value());
  EXPECT_EQ(begun + take(session), server(0x01, "a") + server(0x80, "b") + server(0x81, "c"));
}

TEST(Sending, ControlPayloadsAreCut) {
  Session session(Role::kServer, {});
  session.ping(std::string(200, 'x'));
  EXPECT_EQ(take(session), server(0x89, std::string(125, 'x')));
}

TEST(Closing, OursThenTheirs) {
  Session session(Role::kServer, {});
  EXPECT_TRUE(session.can_send());
  EXPECT_EQ(session.close_code(), close_code::kAbnormal);
  session.close(4005, "no such name");
  EXPECT_EQ(take(session), server(0x88, close_payload(4005, "no such name")));
  EXPECT_EQ(session.sent_close_code(), 4005);
  EXPECT_FALSE(session.can_send());
  EXPECT_FALSE(session.closed());
  EXPECT_EQ(session.send(MessageKind::kText, "late").error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(session.send_piece(MessageKind::kText, "late", true).error().reason(), "WEBSOCKET_CLOSED");
  session.ping();
  session.close(1000);
  EXPECT_TRUE(session.output().empty());
  EXPECT_EQ(transcript(session, client(0x81, "under way") + client(0x89) + client(0x88, close_payload(4005)), 1),
            "text(under way) ping() close(4005,)");
  EXPECT_TRUE(session.output().empty());
  EXPECT_TRUE(session.closed());
  EXPECT_TRUE(session.finish().has_value());
}

TEST(Closing, TheirsThenOurs) {
  Session session(Role::kClient, kFixed);
  EXPECT_EQ(transcript(session, server(0x88, close_payload(1001, "restart")), 1), "close(1001,restart)");
  EXPECT_EQ(take(session), client(0x88, close_payload(1001)));
  EXPECT_TRUE(session.closed());
  EXPECT_EQ(session.sent_close_code(), 1001);
}

// The views of an empty reason may have no data; the sanitizers tell who copies from there.
TEST(Closing, AReasonWithoutDataIsEmpty) {
  Session server(Role::kServer, kFixed);
  server.close(1000, std::string_view());
  EXPECT_EQ(take(server), "\x88\x02\x03\xe8"sv);
}

TEST(Closing, WithoutACloseFrame) {
  Session session(Role::kClient, {});
  const auto end = session.finish();
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code(), Code::kUnavailable);
  EXPECT_EQ(end.error().reason(), "WEBSOCKET_ABNORMAL");
  EXPECT_FALSE(session.can_send());
  EXPECT_EQ(session.close_code(), close_code::kAbnormal);
  EXPECT_TRUE(session.output().empty());
  std::string_view input = "x";
  EXPECT_FALSE(session.next(input).has_value());
}

TEST(Closing, ReservedCodesAreABrokenContract) {
  Session session(Role::kServer, {});
  for (const std::uint16_t code : {0, 999, 1005, 1006, 1015, 2999, 5000}) EXPECT_THROW(session.close(code), std::logic_error);
  EXPECT_TRUE(session.output().empty());
}

TEST(Closing, Reasons) {
  EXPECT_EQ(close_reason(""), "");
  EXPECT_EQ(close_reason("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(close_reason(std::string(200, 'x')), std::string(123, 'x'));
  EXPECT_EQ(close_reason(std::string(122, 'x') + "\xc3\xa9"), std::string(122, 'x')) << "not within a character";
  EXPECT_EQ(close_reason(std::string(121, 'x') + "\xc3\xa9"), std::string(121, 'x') + "\xc3\xa9");
  EXPECT_EQ(close_reason("\xf0\x9f\x98\x80\xff\xc3"), "\xf0\x9f\x98\x80??");
  EXPECT_EQ(close_reason("\xf0\x9f\x98"), "???");
}

TEST(Closing, Names) {
  EXPECT_EQ(close_code_name(1000), "NORMAL");
  EXPECT_EQ(close_code_name(1009), "MESSAGE_TOO_BIG");
  EXPECT_EQ(close_code_name(4005), "APPLICATION");
  EXPECT_EQ(close_code_name(1004), "UNKNOWN");
}

TEST(Errors, SayWhatIsWrong) {
  std::string sent;
  Session session(Role::kServer, {.max_message = 4});
  const std::string bytes = client(0x81, "12345");
  std::string_view input = bytes;
  const auto event = session.next(input);
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(event.error().reason(), "WEBSOCKET_TOO_LARGE");
  EXPECT_EQ(event.error().message(), "cannot read from the WebSocket: a message is larger than the limit of 4 bytes");
  EXPECT_EQ(take(session), server(0x88, close_payload(1009, "a message is larger than the limit of 4 bytes")));
  EXPECT_EQ(session.next(input).error(), event.error()) << "an error is final";
  EXPECT_FALSE(session.finish().has_value());

  EXPECT_EQ(receive(Role::kServer, server(0x81, "x")), "error(1002)") << "clients must mask";
  EXPECT_EQ(receive(Role::kClient, client(0x81, "x")), "error(1002)") << "servers must not";
  Session blamed(Role::kClient, {});
  input = "\xff\xff";
  EXPECT_EQ(blamed.next(input).error().code(), Code::kInternal);
}

TEST(Receiving, AMessageCanBeTaken) {
  Session session(Role::kServer, {});
  const std::string bytes = client(0x82, std::string(5000, 'x')) + client(0x82, "next");
  std::string_view input = bytes;
  ASSERT_EQ(session.next(input), Event::kMessage);
  const Buffer taken = session.take_payload();
  ASSERT_EQ(session.next(input), Event::kMessage);
  EXPECT_EQ(session.payload(), "next");
  EXPECT_EQ(taken.view(), std::string(5000, 'x'));
}

TEST(Receiving, InputStaysWhereItIsNotNeeded) {
  Session session(Role::kServer, {});
  const std::string bytes = client(0x81, "a") + client(0x81, "b");
  std::string_view input = bytes;
  ASSERT_EQ(session.next(input), Event::kMessage);
  EXPECT_EQ(input.size(), bytes.size() / 2) << "an owner that stops here holds the peer back";
}

TEST(Compression, TheExamplesOfTheRfc) {
  const Deflate deflate;
  EXPECT_EQ(receive(Role::kClient, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"sv, {}, deflate), "text(Hello)");
  EXPECT_EQ(receive(Role::kClient, "\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"sv, {}, deflate), "text(Hello)");
  EXPECT_EQ(receive(Role::kClient, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00"sv, {}, deflate),
            "text(Hello) text(Hello)");
  Session session(Role::kServer, {.compress_from = 0}, deflate);
  ASSERT_TRUE(session.send(MessageKind::kText, "Hello").has_value());
  EXPECT_EQ(take(session), "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"sv);
}

TEST(Compression, Rules) {
  const Deflate deflate;
  const std::string hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;
  EXPECT_EQ(receive(Role::kServer, client(0xc1, hello), {}), "error(1002)") << "not agreed on";
  EXPECT_EQ(receive(Role::kServer, client(0x81, "plain") + client(0xc1, hello), {}, deflate), "text(plain) text(Hello)");
  EXPECT_EQ(receive(Role::kServer, client(0x41, hello.substr(0, 3)) + client(0xc0, hello.substr(3)), {}, deflate), "error(1002)")
      << "RSV1 belongs to the first frame";
  EXPECT_EQ(receive(Role::kServer, client(0xc9), {}, deflate), "error(1002)") << "control frames are not compressed";
  EXPECT_EQ(
      receive(Role::kServer, client(0x41, hello.substr(0, 3)) + client(0x89, "p") + client(0x80, hello.substr(3)), {}, deflate),
      "ping(p) text(Hello)");
  EXPECT_EQ(receive(Role::kServer, client(0x41) + client(0x00) + client(0x80, hello), {}, deflate), "text(Hello)");
  EXPECT_EQ(receive(Role::kServer, client(0xc1, "\xff"), {}, deflate), "error(1007)");
  EXPECT_EQ(receive(Role::kServer, client(0xc1, "\xf2\x48\xcd\xc9"), {}, deflate), "error(1007)") << "cut off";
  EXPECT_EQ(receive(Role::kServer, client(0xc1, "\x00\x01\x00\xfe\xff\xff\x00"sv), {}, deflate), "error(1007)") << "not UTF-8";
  EXPECT_EQ(receive(Role::kServer, client(0xc2, "\x00\x01\x00\xfe\xff\xff\x00"sv), {}, deflate), "binary(\\ff)");
  EXPECT_EQ(receive(Role::kServer, client(0xc1, hello), {.max_message = 5}, deflate), "text(Hello)");
  EXPECT_EQ(receive(Role::kServer, client(0xc1, hello), {.max_message = 4}, deflate), "error(1009)");
}

TEST(Compression, SmallMessagesAreLeftAlone) {
  Session session(Role::kServer, {.compress_from = 10}, Deflate{});
  ASSERT_TRUE(session.send(MessageKind::kText, "123456789").has_value());
  EXPECT_EQ(take(session), server(0x81, "123456789"));
  ASSERT_TRUE(session.send(MessageKind::kText, "1234567890").has_value());
  EXPECT_EQ(static_cast<unsigned char>(take(session).front()), 0xc1);
}

TEST(Compression, ABombIsRefused) {
  Session attacker(Role::kClient, kFixed, Deflate{});
  ASSERT_TRUE(attacker.send(MessageKind::kBinary, std::string(32 * 1024 * 1024, '\0')).has_value());
  const std::string bomb = take(attacker);
  EXPECT_LT(bomb.size(), 100000U);
  Session victim(Role::kServer, {.max_message = 1024 * 1024}, Deflate{});
  EXPECT_EQ(transcript(victim, bomb, 4096), "error(1009)");
}

TEST(Mask, EveryOffsetAndSize) {
  for (std::size_t offset = 0; offset < 8; ++offset) {
    for (std::size_t size = 0; size < 40; ++size) {
      std::string in(size, '\0');
      for (std::size_t i = 0; i < size; ++i) in[i] = static_cast<char>(i * 7);
      std::string out(size, '\0');
      apply_mask({'\x01', '\x20', '\x40', '\x7f'}, offset, in, out.data());
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(out[i], static_cast<char>(in[i] ^ "\x01\x20\x40\x7f"[(offset + i) % 4]));
      apply_mask({'\x01', '\x20', '\x40', '\x7f'}, offset, out, out.data());
      ASSERT_EQ(out, in) << "in place";
    }
  }
}

// Every code point and its neighbours, against the definition.
TEST(Utf8, EverySequence) {
  const auto encode = [](std::uint32_t c) {
    std::string out;
    if (c < 0x80) return out.append(1, static_cast<char>(c));
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr std::array<unsigned, 4> kLeads{0, 0xc0, 0xe0, 0xf0};
    out.push_back(static_cast<char>(kLeads[static_cast<std::size_t>(more)] | c >> (6 * more)));
    for (int i = more - 1; i >= 0; --i) out.push_back(static_cast<char>(0x80 | (c >> (6 * i) & 0x3f)));
    return out;
  };
  for (std::uint32_t c = 0; c < 0x140000; ++c) {
    const bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
    ASSERT_EQ(is_utf8(encode(c)), valid) << std::hex << c;
  }
  // All pairs of bytes: what is no prefix of anything fails at once.
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      Utf8Checker checker;
      const std::string pair{static_cast<char>(a), static_cast<char>(b)};
      const bool lead = a >= 0xc2 && a <= 0xf4;
      const bool second = b >= 0x80 && b < 0xc0 && !(a == 0xe0 && b < 0xa0) && !(a == 0xed && b > 0x9f) &&
                          !(a == 0xf0 && b < 0x90) && !(a == 0xf4 && b > 0x8f);
      const bool expected = a < 0x80 ? (b < 0x80 || (b >= 0xc2 && b <= 0xf4)) : lead && second;
      ASSERT_EQ(checker.feed(pair), expected) << a << " " << b;
    }
  }
}

// Two sessions that talk at random; every message arrives, whatever the pieces and the cuts.
TEST(Property, TwoSessions) {
  std::mt19937 random(15);
  for (int round = 0; round < 200; ++round) {
    std::optional<Deflate> deflate;
    if (random() % 3 != 0)
      deflate = Deflate{random() % 2 == 0, random() % 2 == 0, static_cast<std::uint8_t>(8 + random() % 8),
                        static_cast<std::uint8_t>(8 + random() % 8)};
    const Options options{.compress_from = random() % 200};
    std::array<Session, 2> ends{Session(Role::kServer, options, deflate), Session(Role::kClient, options, deflate)};
    std::array<std::string, 2> expected;
    std::array<std::string, 2> got;
    for (int step = 0; step < 30; ++step) {
      const std::size_t from = random() % 2;
      const auto note = [&](std::string_view name, std::string_view what) {
        expected[from].append(expected[from].empty() ? "" : " ").append(name).append("(").append(what).append(")");
      };
      std::string text(random() % 300, 'a');
      for (char& c : text) c = static_cast<char>('a' + random() % 8);
      Session& session = ends[from];
      switch (random() % 4) {
        case 0:
          ASSERT_TRUE(session.send(MessageKind::kText, text).has_value());
          note("text", shown(text));
          break;
        case 1: {
          std::string_view rest = text;
          while (true) {
            const std::size_t size = std::min<std::size_t>(random() % 100, rest.size());
            const bool last = size == rest.size();
            ASSERT_TRUE(session.send_piece(MessageKind::kBinary, rest.substr(0, size), last).has_value());
            rest.remove_prefix(size);
            if (last) break;
            if (random() % 4 != 0) continue;
            session.ping("between");
            note("ping", "between");
          }
          note("binary", shown(text));
          break;
        }
        case 2:
          session.ping(text.substr(0, 10));
          note("ping", text.substr(0, 10));
          break;
        default:
          session.pong("x");
          note("pong", "x");
          break;
      }
      // Pongs that answer pings come back among the rest; they are told apart by their payload.
      for (int pass = 0; pass < 2; ++pass) {
        for (std::size_t end = 0; end < 2; ++end) {
          const std::string heard = transcript(ends[1 - end], take(ends[end]), 1 + random() % 100);
          if (!heard.empty()) got[end] += (got[end].empty() ? "" : " ") + heard;
        }
      }
    }
    for (std::size_t end = 0; end < 2; ++end) {
      // The answers to the other end's pings are no part of what was noted.
      std::string filtered;
      std::string_view rest = got[end];
      while (!rest.empty()) {
        const std::size_t space = std::min(rest.find(' '), rest.size());
        // "300 bytes" holds a blank.
        const std::size_t close = std::min(rest.find(')') + 1, rest.size());
        const std::string_view word = rest.substr(0, std::max(space, close));
        if (!word.starts_with("pong(") || word == "pong(x)") filtered.append(filtered.empty() ? "" : " ").append(word);
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      }
      ASSERT_EQ(filtered, expected[end]);
    }
  }
}

// Real traffic with a few bytes changed: never a crash, never more than the limit, and the same result however it is cut.
TEST(Property, CorruptedTraffic) {
  std::mt19937 random(16);
  Session sender(Role::kClient, {.compress_from = 0, .mask_source = fixed_key}, Deflate{});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(sender.send(MessageKind::kText, "message " + std::to_string(i)).has_value());
    ASSERT_TRUE(sender.send_piece(MessageKind::kBinary, "piece", false).has_value());
    sender.ping("p");
    ASSERT_TRUE(sender.send_piece(MessageKind::kBinary, "piece", true).has_value());
  }
  sender.close(1000, "bye");
  const std::string wire = take(sender);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = wire;
    for (unsigned i = 0; i < 1 + random() % 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    Session whole(Role::kServer, {.max_message = 1000}, Deflate{});
    Session pieces(Role::kServer, {.max_message = 1000}, Deflate{});
    ASSERT_EQ(transcript(whole, bytes, bytes.size()), transcript(pieces, bytes, 1 + random() % 30));
    ASSERT_EQ(take(whole), take(pieces));
  }
}

}  // namespace
}  // namespace micro::websocket::testing
