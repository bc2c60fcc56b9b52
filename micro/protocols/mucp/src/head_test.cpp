#include <micro/mucp/head.hpp>

#include <gtest/gtest.h>

namespace micro::mucp {
namespace {

TEST(Head, OfARequestAsGoSendsIt) {
  const Metadata headers{{"Host", "127.0.0.1:19002"},
                         {"User-Agent", "Go-http-client/1.1"},
                         {"Content-Length", "13"},
                         {"Accept", "application/json"},
                         {"Content-Type", "application/json"},
                         {"Foo-Bar", "v1"},
                         {"Micro-Endpoint", "Greeter.Hello"},
                         {"Micro-Id", "0"},
                         {"Micro-Method", "Greeter.Hello"},
                         {"Micro-Service", "greeter"},
                         {"Timeout", "5000000000"}};
  const Head head = read_head(headers);
  EXPECT_EQ(head.endpoint, "Greeter.Hello");
  EXPECT_EQ(head.service, "greeter");
  EXPECT_EQ(head.id, "0");
  EXPECT_EQ(head.content_type, "application/json");
  EXPECT_EQ(head.timeout, Duration(std::chrono::seconds(5)));
  EXPECT_EQ(head.stream, "");
  EXPECT_TRUE(head.is_message());
  EXPECT_FALSE(head.legacy);
  EXPECT_FALSE(head.ends_stream());
}

TEST(Head, NamesInAnyCase) {
  EXPECT_EQ(read_head({{"micro-endpoint", "A.B"}}).endpoint, "A.B");
  EXPECT_EQ(read_head({{"MICRO-ID", "7"}}).id, "7");
  EXPECT_EQ(read_head({{"micro-error", "EOS"}}).error, "EOS");
}

TEST(Head, EndpointThenMethodThenTheirTwins) {
  EXPECT_EQ(read_head({{"Micro-Method", "A.B"}, {"Micro-Endpoint", "C.D"}}).endpoint, "C.D");
  EXPECT_EQ(read_head({{"Micro-Method", "A.B"}}).endpoint, "A.B");
  EXPECT_EQ(read_head({{"X-Micro-Endpoint", "A.B"}}).endpoint, "A.B");
  EXPECT_EQ(read_head({{"X-Micro-Method", "A.B"}}).endpoint, "A.B");
  EXPECT_EQ(read_head({{"X-Micro-Endpoint", "A.B"}, {"Micro-Endpoint", "C.D"}}).endpoint, "C.D");
  EXPECT_EQ(read_head({{"X-Micro-Endpoint", "A.B"}, {"Micro-Endpoint", ""}}).endpoint, "A.B");
}

TEST(Head, TwinsOfTheOthers) {
  const Metadata headers{{"X-Micro-Service", "s"}, {"X-Micro-Stream", "3"}, {"X-Micro-Topic", "t"}};
  const Head head = read_head(headers);
  EXPECT_EQ(head.service, "s");
  EXPECT_EQ(head.stream, "3");
  EXPECT_EQ(head.topic, "t");
  EXPECT_EQ(read_head({{"X-Micro-Error", "EOS"}}).error, "") << "what servers repeat is not said by a client";
  EXPECT_EQ(read_head({{"X-Micro-Id", "3"}}).id, "");
}

TEST(Head, WhichCodecs) {
  EXPECT_TRUE(read_head({{"Content-Type", "application/json"}}).legacy) << "no name: the first versions";
  EXPECT_FALSE(read_head({{"Micro-Service", "s"}}).legacy);
  EXPECT_FALSE(read_head({{"Micro-Method", "A.B"}}).legacy);
  EXPECT_TRUE(read_head({{"Micro-Method", "A.B"}, {"Micro-Target", "x"}}).legacy);
  EXPECT_FALSE(read_head({{"Micro-Method", "A.B"}, {"Micro-Target", "x"}, {"Micro-Protocol", "mucp"}}).legacy);
  EXPECT_FALSE(read_head({{"X-Micro-Protocol", "mucp"}}).legacy);
  EXPECT_FALSE(read_head({{"Micro-Topic", "t"}}).legacy);
}

TEST(Head, OrdinaryRequestsAreNoMessages) {
  EXPECT_FALSE(read_head({}).is_message());
  EXPECT_FALSE(read_head({{"Micro-Service", "s"}, {"Micro-Id", "1"}}).is_message());
  EXPECT_FALSE(read_head({{"X-Micro-", "s"}, {"Micro-", "1"}, {"X-", "2"}}).is_message());
  EXPECT_TRUE(read_head({{"Micro-Topic", "t"}}).is_message());
}

TEST(Timeout, NanosecondsOrNothing) {
  EXPECT_EQ(parse_timeout("5000000000"), Duration(std::chrono::seconds(5)));
  EXPECT_EQ(parse_timeout("0"), Duration::zero());
  for (const std::string_view bad :
       {"", "5s", "-1", "+5", "1e9", " 5", "5 ", "0x5", "99999999999999999999", "18446744073709551615"}) {
    EXPECT_EQ(parse_timeout(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(format_timeout(std::chrono::seconds(5)), "5000000000");
  EXPECT_EQ(format_timeout(Duration(-3)), "0");
}

TEST(Reserved, WhatIsNoMetadata) {
  for (const std::string_view name : {"Micro-Id", "micro-endpoint", "X-Micro-Error", "Timeout", "Content-Type", "Accept", "Host",
                                      "Content-Length", "Connection", "Transfer-Encoding", "User-Agent", "Te", "Micro-Topic"}) {
    EXPECT_TRUE(is_reserved(name)) << name;
  }
  for (const std::string_view name : {"Authorization", "Micro-Namespace", "Micro-From-Service", "Micro-Trace-Id", "Foo-Bar",
                                      "X-Request-Id", "X-Micro-Namespace", "X-Timeout"}) {
    EXPECT_FALSE(is_reserved(name)) << name;
  }
}

TEST(HeaderValue, HasNoLineEnds) {
  EXPECT_EQ(header_value("a\r\nb"), "a  b");
  EXPECT_EQ(header_value(" a\tb \n"), "a\tb");
  EXPECT_EQ(header_value("\x01\x7f"), "");
}

TEST(Metadata, BytesUnderBinKeys) {
  const std::string bytes("\x00\xff", 2);
  EXPECT_EQ(decode_metadata("X-Bin", encode_metadata("X-Bin", bytes)), bytes);
  EXPECT_EQ(decode_metadata("X-Bin", "not base64!"), "not base64!");
  EXPECT_EQ(encode_metadata("X", "v\n"), "v");
  EXPECT_EQ(decode_metadata("X", "AAAA"), "AAAA");
}

TEST(Endpoint, ExactlyTwoParts) {
  const auto name = parse_endpoint("Greeter.Hello");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->service, "Greeter");
  EXPECT_EQ(name->method, "Hello");
  for (const std::string_view bad : {"", "Greeter", ".", "Greeter.", ".Hello", "a.b.c", "/greeter.Greeter/Hello."}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

}  // namespace
}  // namespace micro::mucp
