// Requests that browsers send for pages of other sites: who decides, and over sockets what becomes of each carrier.
#include "cross_origin.hpp"

#include <algorithm>

#include <micro/server/websocket.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(CrossOrigin, OriginsAndTheirHosts) {
  const struct {
    const char* origin;
    const char* host;
    bool same;
  } cases[] = {
      {"https://a.example", "a.example", true},
      {"http://a.example", "a.example", true},
      {"http://a.example:8080", "a.example:8080", true},
      {"http://127.0.0.1:8080", "127.0.0.1:8080", true},
      {"https://A.Example", "a.eXAMPLE", true},
      {"HTTPS://a.example", "a.example:443", true},
      {"https://a.example", "a.example:443", true},
      {"https://a.example:443", "a.example", true},
      {"http://a.example", "a.example:80", true},
      {"http://a.example", "a.example:", true},
      {"http://[::1]", "[::1]", true},
      {"http://[::1]:8080", "[::1]:8080", true},
      {"http://[FE80::a]", "[fe80::A]:80", true},
      {"http://[::1]", "[::1]:8080", false},
      {"http://[::1]:8080", "[::2]:8080", false},
      {"http://[::1:8080]", "[::1]:8080", false},
      {"http://a.example", "a.example:443", false},
      {"https://a.example", "a.example:80", false},
      {"https://a.example:8443", "a.example", false},
      {"https://a.example", "b.a.example", false},
      {"https://b.a.example", "a.example", false},
      {"https://a.example.evil", "a.example", false},
      {"https://a.example", "a.example.", false},
      {"https://a.example/", "a.example", false},
      {"https://user@a.example", "a.example", false},
      {"https://", "", false},
      {"https://a.example", "", false},
      {"https://:443", ":443", false},
      {"app://a.example", "a.example", false},
      {"a.example", "a.example", false},
      {"null", "null", false},
      {"", "", false},
  };
  for (const auto& c : cases) EXPECT_EQ(is_origin_of(c.origin, c.host), c.same) << c.origin << " at " << c.host;
}

TEST(CrossOrigin, WhatHeadersSay) {
  const struct {
    Metadata headers;
    bool cross;
  } cases[] = {
      {{}, false},
      {{{"Host", "a"}}, false},
      {{{"Host", "a"}, {"Sec-Fetch-Site", "same-origin"}}, false},
      {{{"Host", "a"}, {"sec-fetch-site", "none"}}, false},
      {{{"Host", "a"}, {"SEC-FETCH-SITE", "cross-site"}}, true},
      {{{"Host", "a"}, {"Sec-Fetch-Site", "same-site"}}, true},
      {{{"Host", "a"}, {"Sec-Fetch-Site", "Same-Origin"}}, true},
      {{{"Host", "a"}, {"Sec-Fetch-Site", "something-new"}}, true},
      {{{"Host", "a"}, {"Sec-Fetch-Site", "same-origin"}, {"Origin", "https://b"}}, false},
      {{{"Host", "a"}, {"Sec-Fetch-Site", "same-origin"}, {"Origin", "null"}}, false},
      {{{"Host", "a"}, {"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://a"}}, true},
      {{{"Host", "a"}, {"Sec-Fetch-Site", ""}, {"Origin", "https://a"}}, false},
      {{{"Host", "a"}, {"Origin", "https://a"}}, false},
      {{{"Origin", "https://a"}, {"Host", "a"}}, false},
      {{{"Host", "a"}, {"Origin", "https://b"}}, true},
      {{{"Host", "a"}, {"Origin", "null"}}, true},
      {{{"Host", "a"}, {"Origin", ""}}, false},
      {{{"Origin", "https://a"}}, true},
      {{{"Host", "a"}, {"Origin", "https://b"}, {"Origin", "https://a"}}, true},
      {{{"Date", "b"}, {"Accept", "https://b"}, {"Content-Type", "x"}, {"Accept-Charset", "x"}, {"Host", "a"}}, false},
  };
  for (const auto& c : cases) {
    std::string all;
    for (const Metadata::Entry entry : c.headers) all.append(entry.key).append(": ").append(entry.value).append("; ");
    EXPECT_EQ(is_cross_origin(DispatchFields(c.headers)), c.cross) << all;
  }
}

TEST(CrossOrigin, ErrorsSayWhatAndWhatToDo) {
  const auto text = [](const Metadata& headers) {
    const Error error = cross_origin_error(DispatchFields(headers), "the list");
    EXPECT_EQ(error.code(), Code::kPermissionDenied);
    EXPECT_EQ(error.reason(), "CROSS_ORIGIN");
    return error.message();
  };
  EXPECT_EQ(
      text({{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://b"}}),
      "the request is refused because a page of another site sent it: Sec-Fetch-Site is cross-site, and Origin https://b; to "
      "let pages of an origin call, add it to the list");
  EXPECT_THAT(text({{"Sec-Fetch-Site", "cross-site"}}), HasSubstr("Sec-Fetch-Site is cross-site, and there is no Origin;"));
  EXPECT_THAT(text({{"Host", "a"}, {"Origin", "https://b"}}),
              HasSubstr("Origin is https://b, but Host a; a proxy in between has to pass Host on as it came;"));
  EXPECT_LT(text({{"Host", "a"}, {"Origin", std::string(20'000, 'x')}}).size(), 500U);
}

using Headers = std::vector<std::pair<std::string, std::string>>;

// A method to read and one to write by HTTP bindings, and a stream.
class Notes final : public Handler {
 public:
  std::vector<Endpoint> endpoints() override {
    std::vector<Endpoint> list(2);
    for (Endpoint& endpoint : list) {
      endpoint.service = "test.Notes";
      endpoint.request_type = endpoint.reply_type = &codec::message_type<Text>();
    }
    list[0].method = "Get";
    list[0].handler = std::make_shared<UnaryMethod<Notes, Text, Text>>(*this, &Notes::get);
    list[0].http = {{"GET", "/v1/{value=notes/*}", "", ""}, {"POST", "/v1/{value=notes/*}:copy", "", ""}};
    list[1].method = "Watch";
    list[1].kind = MethodKind::kServerStream;
    list[1].handler = std::make_shared<ServerStreamMethod<Notes, Text, Text>>(*this, &Notes::watch);
    list[1].http = {{"GET", "/v1/{value=notes/*}:watch", "", ""}};
    return list;
  }

 private:
  Task<Result<Text>> get(Context&, const Text& request) { co_return request; }
  Task<Result<void>> watch(Context&, const Text& request, Writer<Text>& writer) { co_return co_await writer.write(request); }
};

class Page final : public HttpHandler {
  Task<Result<http::Response>> handle(Context&, const http::Request&, const PathParameters&) override {
    co_return http::Response::text("page");
  }
};

class Socket final : public WebSocketHandler {
  Task<Result<void>> handle(Context&, const http::Request&, const PathParameters&, WebSocket&) override {
    co_return Result<void>{};
  }
};

struct Reply {
  std::string status;
  std::string fields;  // lower case
  std::string body;
};

// A server that both versions of HTTP ask as "x".
class Site {
 public:
  explicit Site(bool http2, ServerOptions options = friendly()) : server(1, std::move(options)), http2_(http2) {
    EXPECT_TRUE(server.server.handle(std::make_shared<Notes>()));
    EXPECT_TRUE(server.server.http().add("*", "/page", std::make_shared<Page>()));
    EXPECT_TRUE(server.server.http().websocket("/socket", std::make_shared<Socket>()));
    server.start();
  }
  static ServerOptions friendly() {
    ServerOptions options = TestServer::default_options();
    options.cors.allowed_origins = {"https://friend.example"};
    return options;
  }

  Reply ask(const std::string& method, const std::string& target, const Headers& headers, const std::string& body = {}) {
    return http2_ ? over_http2(method, target, headers, body) : over_http1(method, target, headers, body);
  }
  // The status of the answer to a handshake; 101 stands for success on either version.
  std::string open(const std::string& target, const Headers& headers) {
    if (http2_) return open_http2(target, headers);
    const int fd = server.connect();
    send_all(fd, "GET " + target +
                     " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + lines(headers) + "\r\n");
    std::string head;
    std::array<char, 4096> buffer;
    while (head.find("\r\n\r\n") == head.npos) {
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      head.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ::close(fd);
    return head.substr(std::min<std::size_t>(9, head.size()), 3);
  }
  std::uint64_t refusals() const { return server.server.counters().cross_origin_refusals; }
  std::uint64_t calls() const { return server.server.counters().calls; }

  TestServer server;

 private:
  static std::string lines(const Headers& headers) {
    std::string text;
    for (const auto& [name, value] : headers) text.append(name).append(": ").append(value).append("\r\n");
    return text;
  }
  Reply over_http1(const std::string& method, const std::string& target, const Headers& headers, const std::string& body) {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + lines(headers);
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    const std::string answer = http1(server, text + "\r\n" + body);
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == answer.npos) return {};
    Reply reply{answer.substr(9, 3), answer.substr(0, end), answer.substr(end + 4)};
    for (char& c : reply.fields) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return reply;
  }
  Reply over_http2(const std::string& method, const std::string& target, const Headers& headers, const std::string& body) {
    Http2Client client(server);
    std::vector<http2::Field> fields{{":method", method}, {":scheme", "http"}, {":path", target}, {":authority", "x"}};
    for (const auto& [name, value] : headers) fields.push_back({name, value});
    http2::Stream& stream = client.open_plain(fields, body.empty());
    Answer& answer = client.answer();
    if (!body.empty()) client.session().submit_data(stream, body, true);
    client.run_until([&] { return answer.closed; });
    Reply reply{answer.status, {}, answer.data};
    for (const auto& [name, value] : answer.fields) reply.fields.append(name).append(": ").append(value).append("\r\n");
    return reply;
  }
  std::string open_http2(const std::string& target, const Headers& headers) {
    Http2Client client(server);
    client.call("/test.Echo/Say", "settings have come");
    std::vector<http2::Field> fields{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"},
                                     {":path", target},      {":authority", "x"},        {"sec-websocket-version", "13"}};
    for (const auto& [name, value] : headers) fields.push_back({name, value});
    client.open_plain(fields, false);
    Answer& answer = client.answer();
    client.run_until([&] { return !answer.status.empty(); });
    return answer.status == "200" ? "101" : answer.status;
  }

  const bool http2_;
};

const std::pair<std::string, std::string> kCross{"sec-fetch-site", "cross-site"};
const std::pair<std::string, std::string> kEvil{"origin", "https://evil.example"};
const std::pair<std::string, std::string> kFriend{"origin", "https://friend.example"};
const std::pair<std::string, std::string> kForm{"content-type", "application/x-www-form-urlencoded"};
const std::pair<std::string, std::string> kEvents{"accept", "text/event-stream"};
const std::pair<std::string, std::string> kLines{"accept", "application/x-ndjson"};
const std::string kSay = "/test.Echo/Say";
const std::string kRepeat = "/test.Echo/Repeat?message=%22m%22";

class CrossOriginRequest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Over, CrossOriginRequest, testing::Bool(),
                         [](const auto& info) { return info.param ? std::string("Http2") : std::string("Http1"); });

struct RequestCase {
  const char* what;
  std::string method;
  std::string target;
  Headers headers;
  std::string status;
};

std::vector<RequestCase> request_cases() {
  return {
      {"a form of another site", "POST", kSay, {kCross, kEvil, kForm}, "403"},
      {"a form without an origin", "POST", kSay, {kCross, kForm}, "403"},
      {"a form in a sandbox", "POST", kSay, {kCross, {"origin", "null"}, kForm}, "403"},
      {"a form of the same site", "POST", kSay, {{"sec-fetch-site", "same-site"}, {"origin", "https://y.x"}, kForm}, "403"},
      {"a form of an old browser", "POST", kSay, {kEvil, kForm}, "403"},
      {"one in a sandbox", "POST", kSay, {{"origin", "null"}, kForm}, "403"},
      {"text", "POST", kSay, {kCross, kEvil, {"content-type", "text/plain"}}, "403"},
      {"no type", "POST", kSay, {kCross, kEvil}, "403"},
      {"JSON", "POST", kSay, {kCross, kEvil, {"content-type", "application/json"}}, "403"},
      {"a page of ours", "POST", kSay, {{"sec-fetch-site", "same-origin"}, {"origin", "http://x"}}, "200"},
      {"a page of ours behind a proxy", "POST", kSay, {{"sec-fetch-site", "same-origin"}, {"origin", "https://front"}}, "200"},
      {"a page of ours in an old browser", "POST", kSay, {{"origin", "http://x"}}, "200"},
      {"its default port, in capitals", "POST", kSay, {{"origin", "https://X:443"}}, "200"},
      {"another port", "POST", kSay, {{"origin", "http://x:8080"}}, "403"},
      {"typed in", "POST", kSay, {{"sec-fetch-site", "none"}}, "200"},
      {"curl", "POST", kSay, {kForm}, "200"},
      {"a friend", "POST", kSay, {kCross, kFriend}, "200"},
      {"a friend's old browser", "POST", kSay, {kFriend}, "200"},
      {"an unknown path", "POST", "/test.Echo/Nope", {kCross, kEvil}, "403"},
      {"events by GET", "GET", kRepeat, {kCross, kEvil, kEvents}, "403"},
      {"events by GET without an origin", "GET", kRepeat, {kCross, kEvents}, "403"},
      {"events by POST", "POST", "/test.Echo/Repeat", {kCross, kEvil, kEvents}, "403"},
      {"lines by GET", "GET", kRepeat, {kCross, kEvil, kLines}, "403"},
      {"events for an old browser", "GET", kRepeat, {kEvil, kEvents}, "403"},
      {"events for a friend", "GET", kRepeat, {kCross, kFriend, kEvents}, "200"},
      {"events for a page of ours", "GET", kRepeat, {{"sec-fetch-site", "same-origin"}, kEvents}, "200"},
      {"events for curl", "GET", kRepeat, {kEvents}, "200"},
      {"GET of a unary method", "GET", kSay, {kCross, kEvil}, "405"},
      {"a binding that reads", "GET", "/v1/notes/1", {kCross, kEvil}, "200"},
      {"its HEAD", "HEAD", "/v1/notes/1", {kCross}, "200"},
      {"a binding that writes", "POST", "/v1/notes/1:copy", {kCross, kEvil}, "403"},
      {"a binding that writes, from us", "POST", "/v1/notes/1:copy", {{"origin", "http://x"}}, "200"},
      {"a binding that streams, linked to", "GET", "/v1/notes/1:watch", {kCross}, "200"},
      {"a binding that streams, as events", "GET", "/v1/notes/1:watch", {kCross, kEvil, kEvents}, "403"},
      {"a route that is read", "GET", "/page", {kCross}, "200"},
      {"a route asked for events", "GET", "/page", {kCross, kEvents}, "200"},
      {"a route that is asked", "OPTIONS", "/page", {kCross, kEvil, {"access-control-request-method", "POST"}}, "200"},
      {"a route that is written", "POST", "/page", {kCross, kEvil, kForm}, "403"},
      {"a route with a method of its own", "BREW", "/page", {kCross, kEvil}, "403"},
      {"a route that is written, from us", "POST", "/page", {{"sec-fetch-site", "same-origin"}}, "200"},
      {"a preflight of a friend", "OPTIONS", kSay, {kCross, kFriend, {"access-control-request-method", "POST"}}, "204"},
      {"a preflight of a stranger", "OPTIONS", kSay, {kCross, kEvil, {"access-control-request-method", "POST"}}, "405"},
  };
}

TEST_P(CrossOriginRequest, IsRefusedUnlessItOnlyReadsOrMayCall) {
  Site site(GetParam());
  for (const RequestCase& c : request_cases()) {
    const std::uint64_t calls = site.calls();
    const std::uint64_t refusals = site.refusals();
    const Reply reply =
        site.ask(c.method, c.target, c.headers, c.method == "POST" && !c.target.starts_with("/v1/") ? "\"hi\"" : "");
    EXPECT_EQ(reply.status, c.status) << c.what << ": " << reply.body;
    const bool refused = c.status == "403";
    EXPECT_EQ(site.refusals() - refusals, refused ? 1U : 0U) << c.what;
    EXPECT_EQ(site.calls() - calls, refused || c.status == "204" ? 0U : 1U) << c.what;
    if (refused) EXPECT_THAT(reply.fields, Not(HasSubstr("access-control"))) << c.what;
  }
}

TEST_P(CrossOriginRequest, SaysWhyItIsRefused) {
  Site site(GetParam());
  const Reply reply = site.ask("POST", kSay, {kCross, kEvil, kForm}, "\"hi\"");
  EXPECT_THAT(reply.fields, HasSubstr("content-type: application/json"));
  EXPECT_THAT(reply.body, StartsWith(R"({"code":"PERMISSION_DENIED","reason":"CROSS_ORIGIN","message":)"));
  EXPECT_THAT(reply.body, AllOf(HasSubstr("https://evil.example"), HasSubstr("cors.allowed_origins (--cors_origins)")));
}

TEST_P(CrossOriginRequest, GrpcWebIsRefusedInItsOwnWay) {
  Site site(GetParam());
  for (const char* type : {"application/grpc-web", "application/grpc-web-text"}) {
    const Reply reply = site.ask("POST", kSay, {kCross, kEvil, {"content-type", type}}, "x");
    EXPECT_EQ(reply.status, "200");
    EXPECT_THAT(reply.fields, HasSubstr(std::string("content-type: ") + type + "+proto"));
    EXPECT_THAT(reply.fields, HasSubstr("grpc-status: 7"));
    EXPECT_THAT(reply.fields, HasSubstr("grpc-message: the request is refused"));
    EXPECT_THAT(reply.body, IsEmpty());
  }
  EXPECT_EQ(site.refusals(), 2U);
  EXPECT_EQ(site.calls(), 0U);
}

struct SocketCase {
  const char* what;
  Headers headers;
  std::string status;
  std::string listed;  // the same when websocket_origins names https://page.example
};

TEST_P(CrossOriginRequest, WebSocketsAreOpenedByThoseWhoMayCall) {
  ServerOptions options = Site::friendly();
  Site site(GetParam(), options);
  options.websocket_origins = {"https://page.example"};
  Site listing(GetParam(), options);
  const std::pair<std::string, std::string> page{"origin", "https://page.example"};
  const SocketCase cases[] = {
      {"another site", {kCross, kEvil}, "403", "403"},
      {"another site, old browser", {kEvil}, "403", "403"},
      {"in a sandbox", {{"origin", "null"}}, "403", "403"},
      {"a page of ours", {{"sec-fetch-site", "same-origin"}, {"origin", "http://x"}}, "101", "403"},
      {"a page of ours, old browser", {{"origin", "https://X:443"}}, "101", "403"},
      {"a friend", {kCross, kFriend}, "101", "403"},
      {"who is listed", {kCross, page}, "403", "101"},
      {"no browser", {}, "101", "101"},
  };
  for (const char* target : {"/test.Echo/Chat", "/socket"}) {
    for (const SocketCase& c : cases) {
      EXPECT_EQ(site.open(target, c.headers), c.status) << c.what << " " << target;
      EXPECT_EQ(listing.open(target, c.headers), c.listed) << c.what << " " << target << ", listed";
    }
  }
  EXPECT_EQ(site.refusals(), 8U);
  EXPECT_EQ(listing.refusals(), 12U);
  EXPECT_EQ(listing.ask("POST", kSay, {kCross, page}, "\"hi\"").status, "403") << "the list is for WebSockets alone";
}

TEST_P(CrossOriginRequest, EverybodyIsLetInWhenItIsOff) {
  ServerOptions options = TestServer::default_options();
  options.cross_origin_protection = false;
  Site site(GetParam(), options);
  EXPECT_EQ(site.ask("POST", kSay, {kCross, kEvil, kForm}, "\"hi\"").status, "200");
  EXPECT_EQ(site.ask("GET", kRepeat, {kCross, kEvil, kEvents}).status, "200");
  EXPECT_EQ(site.ask("POST", "/page", {{"origin", "null"}}, "x").status, "200");
  EXPECT_EQ(site.open("/socket", {kCross, kEvil}), "101");
  EXPECT_EQ(site.refusals(), 0U);
}

TEST_P(CrossOriginRequest, TheStarLetsEveryPageIn) {
  ServerOptions options = TestServer::default_options();
  options.cors.allowed_origins = {"*"};
  Site site(GetParam(), options);
  EXPECT_EQ(site.ask("POST", kSay, {kCross, kEvil}, "\"hi\"").status, "200");
  EXPECT_EQ(site.open("/socket", {kCross, kEvil}), "101");
  options.cors.allow_credentials = true;
  Site strict(GetParam(), options);
  EXPECT_EQ(strict.ask("POST", kSay, {kCross, kEvil}, "\"hi\"").status, "403") << "with cookies the star is ignored";
}

TEST(CrossOriginConnection, GoesOnAfterARefusal) {
  Site site(false);
  const std::string answer =
      http1(site.server,
            "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nOrigin: null\r\nContent-Length: 4\r\n\r\n\"hi\""
            "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\"ho\"");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("HTTP/1.1 200 "), HasSubstr("you said ho")));
  const std::string unsent =
      http1(site.server,
            "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nOrigin: null\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_THAT(unsent, StartsWith("HTTP/1.1 403 ")) << "who is refused need not send a body";
}

TEST(CrossOriginConnection, GrpcNeedsThePermissionOfAPreflightAnyway) {
  Site site(true);
  Http2Client client(site.server);
  const Answer& answer =
      client.call("/test.Echo/Say", "hi", {{"origin", "https://evil.example"}, {"sec-fetch-site", "cross-site"}});
  EXPECT_EQ(answer.field("grpc-status"), "0");
}

}  // namespace
}  // namespace micro::rpc::test
