#include <micro/websocket/handshake.hpp>

#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

#include <micro/http/error.hpp>

namespace micro::websocket {
namespace {

// The example of RFC 6455, section 1.3.
Metadata request() {
  return {{"Host", "server.example.com"},   {"Upgrade", "websocket"},
          {"Connection", "Upgrade"},        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
          {"Origin", "http://example.com"}, {"Sec-WebSocket-Protocol", "chat, superchat"},
          {"Sec-WebSocket-Version", "13"}};
}

Metadata with(std::string_view name, std::string_view value) {
  Metadata headers = request();
  headers.set(name, value);
  return headers;
}

Metadata without(std::string_view name) {
  Metadata headers = request();
  headers.remove(name);
  return headers;
}

Metadata plus(std::string_view name, std::string_view value) {
  Metadata headers = request();
  headers.add(name, value);
  return headers;
}

TEST(Server, AcceptsTheExampleOfTheRfc) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const auto accepted = accept_request(http::Method::kGet, 1, request(), {.subprotocols = {"superchat", "chat"}});
  ASSERT_TRUE(accepted.has_value()) << accepted.error().to_string();
  EXPECT_EQ(accepted->subprotocol, "superchat") << "the server's order decides";
  EXPECT_FALSE(accepted->deflate);
  EXPECT_EQ(accepted->headers,
            (Metadata{{"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, {"Sec-WebSocket-Protocol", "superchat"}}));
}

TEST(Server, AcceptsWhatTheGrammarAllows) {
  const Metadata good[] = {
      with("Upgrade", "h2c, WebSocket"),
      with("Connection", "keep-alive, upgrade"),
      plus("Connection", "keep-alive"),
      without("Sec-WebSocket-Protocol"),
      without("Origin"),
      with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
      with("Sec-WebSocket-Protocol", "none"),
      with("Sec-WebSocket-Extensions", "foo; bar=1"),
  };
  for (const Metadata& headers : good) {
    const auto accepted = accept_request(http::Method::kGet, 1, headers, {.subprotocols = {"chat"}});
    EXPECT_TRUE(accepted.has_value()) << accepted.error().to_string();
  }
}

TEST(Server, RefusesTheRest) {
  const struct {
    std::string_view name;
    Metadata headers;
    std::string_view refusal;
  } rows[] = {
      {"no upgrade", without("Upgrade"), "426 WEBSOCKET_UPGRADE_REQUIRED"},
      {"another upgrade", with("Upgrade", "h2c"), "426 WEBSOCKET_UPGRADE_REQUIRED"},
      {"no connection", without("Connection"), "426 WEBSOCKET_UPGRADE_REQUIRED"},
      {"connection without it", with("Connection", "keep-alive"), "426 WEBSOCKET_UPGRADE_REQUIRED"},
      {"no version", without("Sec-WebSocket-Version"), "426 WEBSOCKET_VERSION"},
      {"an old version", with("Sec-WebSocket-Version", "8"), "426 WEBSOCKET_VERSION"},
      {"two versions", plus("Sec-WebSocket-Version", "13"), "426 WEBSOCKET_VERSION"},
      {"no key", without("Sec-WebSocket-Key"), "400 WEBSOCKET_KEY"},
      {"two keys", plus("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), "400 WEBSOCKET_KEY"},
      {"an empty key", with("Sec-WebSocket-Key", ""), "400 WEBSOCKET_KEY"},
      {"15 bytes", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j"), "400 WEBSOCKET_KEY"},
      {"17 bytes", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZWE="), "400 WEBSOCKET_KEY"},
      {"stray bits", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR=="), "400 WEBSOCKET_KEY"},
      {"no base64", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25*ZQ=="), "400 WEBSOCKET_KEY"},
      {"no padding", with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQAA"), "400 WEBSOCKET_KEY"},
      {"a subprotocol that is no token", with("Sec-WebSocket-Protocol", "chat, a b"), "400 WEBSOCKET_SUBPROTOCOL"},
      {"malformed extensions", with("Sec-WebSocket-Extensions", "foo;"), "400 WEBSOCKET_EXTENSIONS"},
      {"a foreign page", with("Origin", "http://evil.example"), "403 WEBSOCKET_ORIGIN"},
      {"two origins", plus("Origin", "http://evil.example"), "403 WEBSOCKET_ORIGIN"},
  };
  const AcceptOptions options{.subprotocols = {"chat"}, .origins = {"https://other.example", "http://EXAMPLE.com"}};
  ASSERT_TRUE(accept_request(http::Method::kGet, 1, request(), options).has_value());
  ASSERT_TRUE(accept_request(http::Method::kGet, 1, without("Origin"), options).has_value()) << "programs send none";
  for (const auto& row : rows) {
    const auto accepted = accept_request(http::Method::kGet, 1, row.headers, options);
    ASSERT_FALSE(accepted.has_value()) << row.name;
    EXPECT_EQ(std::to_string(http::status_from(accepted.error())) + " " + accepted.error().reason(), row.refusal) << row.name;
    EXPECT_TRUE(accepted.error().message().starts_with("cannot open a WebSocket: ")) << accepted.error().message();
  }
  EXPECT_EQ(http::status_from(accept_request(http::Method::kPost, 1, request(), options).error()), 400);
  EXPECT_EQ(http::status_from(accept_request(http::Method::kGet, 0, request(), options).error()), 426) << "HTTP/1.0";
}

TEST(Server, NegotiatesCompression) {
  Metadata headers = with("Sec-WebSocket-Extensions", "foo");
  headers.add("Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover");
  const auto accepted = accept_request(http::Method::kGet, 1, headers, {});
  ASSERT_TRUE(accepted.has_value());
  ASSERT_TRUE(accepted->deflate);
  EXPECT_TRUE(accepted->deflate->server_no_context_takeover);
  EXPECT_EQ(accepted->headers.get("Sec-WebSocket-Extensions"), "permessage-deflate; server_no_context_takeover");
}

TEST(Client, MakesAnOffer) {
  const Offer offer = make_offer({.subprotocols = {"micro.json", "micro.proto"}});
  EXPECT_EQ(offer.headers, (Metadata{{"Sec-WebSocket-Key", offer.key},
                                     {"Sec-WebSocket-Version", "13"},
                                     {"Sec-WebSocket-Protocol", "micro.json, micro.proto"},
                                     {"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"}}));
  EXPECT_EQ(make_offer({.deflate = {.enabled = false}}).headers.size(), 2U);
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.insert(make_offer({}).key);
  EXPECT_EQ(keys.size(), 100U);
  EXPECT_THROW(make_offer({.subprotocols = {"a, b"}}), std::logic_error);
  EXPECT_THROW(make_offer({.subprotocols = {""}}), std::logic_error);
}

TEST(Client, ChecksTheAnswer) {
  const Offer offer = make_offer({.subprotocols = {"chat"}});
  const auto answer = [&](std::string_view name, std::string_view value) {
    Metadata headers{{"Upgrade", "WebSocket"}, {"Connection", "upgrade"}, {"Sec-WebSocket-Accept", accept_key(offer.key)}};
    if (!name.empty()) headers.set(name, value);
    return headers;
  };
  const auto opened = check_answer(101, answer("Sec-WebSocket-Protocol", "chat"), offer);
  ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
  EXPECT_EQ(opened->subprotocol, "chat");
  EXPECT_FALSE(opened->deflate);
  EXPECT_EQ(check_answer(101, answer("Sec-WebSocket-Extensions", "permessage-deflate"), offer)->deflate, Deflate{});
  ASSERT_TRUE(check_answer(101, answer("", ""), offer).has_value());

  const std::pair<int, Metadata> bad[] = {
      {200, answer("", "")},
      {101, answer("Upgrade", "h2c")},
      {101, answer("Connection", "close")},
      {101, answer("Sec-WebSocket-Accept", accept_key("dGhlIHNhbXBsZSBub25jZQ=="))},
      {101, answer("Sec-WebSocket-Accept", "")},
      {101, answer("Sec-WebSocket-Protocol", "other")},
      {101, answer("Sec-WebSocket-Protocol", "chat, chat")},
      {101, answer("Sec-WebSocket-Extensions", "foo")},
  };
  for (const auto& [status, headers] : bad) {
    const auto result = check_answer(status, headers, offer);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code(), Code::kInternal) << result.error().message();
  }
}

TEST(Handshake, OfferAndAnswerFit) {
  const Offer offer = make_offer({.subprotocols = {"b", "a"}, .deflate = {.server_max_window_bits = 11}});
  Metadata headers = offer.headers;
  headers.add("Upgrade", "websocket");
  headers.add("Connection", "Upgrade");
  const auto accepted = accept_request(http::Method::kGet, 1, headers, {.subprotocols = {"a", "b"}});
  ASSERT_TRUE(accepted.has_value()) << accepted.error().to_string();
  Metadata answer = accepted->headers;
  answer.add("Upgrade", "websocket");
  answer.add("Connection", "Upgrade");
  const auto opened = check_answer(101, answer, offer);
  ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
  EXPECT_EQ(opened->subprotocol, "a");
  EXPECT_EQ(opened->deflate, accepted->deflate);
  EXPECT_EQ(opened->deflate->server_max_window_bits, 11);
}

}  // namespace
}  // namespace micro::websocket
