#include <micro/gateway/gateway.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/call/typed.hpp>
#include <micro/registry/memory.hpp>

#include "greeting.pb.h"
#include "greeting_messages.pb.h"

namespace micro {
namespace {

using greeting::messages::HelloReply;
using greeting::messages::HelloRequest;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class Greeting final : public rpc::Handler {
 public:
  std::vector<rpc::Endpoint> endpoints() override {
    std::vector<rpc::Endpoint> list;
    const auto add = [&](std::string method, rpc::MethodKind kind, std::shared_ptr<rpc::CallHandler> handler) {
      rpc::Endpoint endpoint;
      endpoint.service = "greeting.Greeter";
      endpoint.method = std::move(method);
      endpoint.kind = kind;
      endpoint.request_type = &codec::message_type<HelloRequest>();
      endpoint.reply_type = &codec::message_type<HelloReply>();
      endpoint.handler = std::move(handler);
      list.push_back(std::move(endpoint));
    };
    using Unary = rpc::UnaryMethod<Greeting, HelloRequest, HelloReply>;
    add("Hello", rpc::MethodKind::kUnary, std::make_shared<Unary>(*this, &Greeting::hello));
    add("Fail", rpc::MethodKind::kUnary, std::make_shared<Unary>(*this, &Greeting::fail_as_told));
    add("Count", rpc::MethodKind::kServerStream,
        std::make_shared<rpc::ServerStreamMethod<Greeting, HelloRequest, HelloReply>>(*this, &Greeting::count));
    return list;
  }

 private:
  Task<Result<HelloReply>> hello(Context& context, const HelloRequest& request) {
    HelloReply reply;
    reply.set_message("Hello " + request.name() + " of " + std::string(context.metadata().get("x-tenant")));
    context.reply_headers().add("x-header", "from the node");
    context.reply_headers().add("x-id-of-the-node", context.request_id());
    context.reply_trailers().add("x-trailer", "from the node, too");
    co_return reply;
  }
  Task<Result<HelloReply>> fail_as_told(Context&, const HelloRequest& request) {
    if (request.name() == "THROW") throw std::runtime_error("secret");
    co_return fail(Error(code_from_string(request.name()).value(), "TOLD_SO", "as you wished").with("key", "value"));
  }
  Task<Result<void>> count(Context&, const HelloRequest&, Writer<HelloReply>&) { co_return Result<void>{}; }
};

struct Answer {
  int status = 0;
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

Answer parse(const std::string& text) {
  Answer answer;
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string::npos || !text.starts_with("HTTP/1.1 ")) {
    ADD_FAILURE() << "no HTTP answer: " << text;
    return answer;
  }
  answer.status = std::stoi(text.substr(9));
  answer.body = text.substr(head + 4);
  for (std::size_t at = text.find("\r\n") + 2; at < head;) {
    const std::size_t end = text.find("\r\n", at);
    const std::size_t colon = text.find(':', at);
    std::string name = text.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers.emplace(name, text.substr(colon + 2, end - colon - 2));
    at = end + 2;
  }
  return answer;
}

ServiceOptions quiet(std::string name, std::shared_ptr<registry::Registry> registry) {
  ServiceOptions options;
  options.name = std::move(name);
  options.address = "127.0.0.1:0";
  options.registry = std::move(registry);
  options.loops = 1;
  options.settle_delay = Duration{};
  options.log.level = log::Level::kOff;
  return options;
}

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() : gateway_(gateway_options(registry_)) {
    add_gateway(gateway_);
    EXPECT_TRUE(gateway_.start());
  }

  Service& add_node() {
    nodes_.push_back(std::make_unique<Service>(quiet("greeter", registry_)));
    nodes_.back()->handle(std::make_shared<Greeting>());
    EXPECT_TRUE(nodes_.back()->start());
    return *nodes_.back();
  }

  Answer request(std::string_view method, std::string_view path, std::string_view body, std::string_view headers = {}) {
    const std::string address = gateway_.address();
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    std::string text = std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n" +
                       std::string(headers) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    std::string got;
    std::array<char, 4096> buffer;
    for (ssize_t n = 0; (n = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;)
      got.append(buffer.data(), static_cast<std::size_t>(n));
    ::close(fd);
    return parse(got);
  }
  Answer post(std::string_view path, std::string_view body, std::string_view headers = {}) {
    return request("POST", path, body, headers);
  }

  static ServiceOptions gateway_options(std::shared_ptr<registry::Registry> registry) {
    ServiceOptions options = quiet("gateway", std::move(registry));
    options.server.max_receive_message_size = 10'000;
    return options;
  }

  std::shared_ptr<registry::Memory> registry_ = std::make_shared<registry::Memory>();
  std::vector<std::unique_ptr<Service>> nodes_;
  Service gateway_;
};

TEST_F(GatewayTest, CallsByNameInJson) {
  Service& node = add_node();
  const Answer answer = post("/api/greeter/Greeter.Hello", R"({"name":"John"})", "X-Tenant: acme\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("message":"Hello John of acme")"));
  EXPECT_THAT(answer.header("content-type"), StartsWith("application/json"));
  EXPECT_EQ(answer.header("x-micro-node"), node.address());
  EXPECT_EQ(answer.header("x-header"), "from the node");
  EXPECT_EQ(answer.header("x-trailer"), "from the node, too");
}

TEST_F(GatewayTest, ARequestKeepsItsIdOrIsGivenOne) {
  add_node();
  const Answer named = post("/api/greeter/Greeter.Hello", "{}", "X-Request-Id: r-1\r\n");
  EXPECT_EQ(named.header("x-request-id"), "r-1");
  EXPECT_EQ(named.header("x-id-of-the-node"), "r-1");
  for (const char* header : {"", "X-Request-Id: two words\r\n"}) {
    const Answer given = post("/api/greeter/Greeter.Hello", "{}", header);
    EXPECT_THAT(given.header("x-request-id"), testing::SizeIs(32));
    EXPECT_EQ(given.header("x-id-of-the-node"), given.header("x-request-id"));
  }
}

TEST_F(GatewayTest, PagesOfOtherSitesMayNotCall) {
  add_node();
  const char* path = "/api/greeter/Greeter.Hello";
  const Answer form =
      post(path, "{}", "Content-Type: text/plain\r\nSec-Fetch-Site: cross-site\r\nOrigin: https://evil.example\r\n");
  EXPECT_EQ(form.status, 403);
  EXPECT_THAT(form.body, HasSubstr(R"("reason":"CROSS_ORIGIN")"));
  EXPECT_EQ(form.header("x-micro-node"), "");
  EXPECT_EQ(post(path, "{}", "Origin: null\r\n").status, 403) << "of an old browser";
  EXPECT_EQ(post(path, "{}", "Sec-Fetch-Site: same-origin\r\nOrigin: http://gateway\r\n").status, 200);
  EXPECT_EQ(post(path, "{}", "Origin: http://gateway\r\n").status, 200);
  EXPECT_EQ(request("GET", "/services", "", "Sec-Fetch-Site: cross-site\r\n").status, 200);
}

TEST_F(GatewayTest, TakesEveryFormOfAnEndpointsName) {
  add_node();
  for (const char* path : {"/api/greeter/Greeter.Hello", "/api/greeter/Hello", "/api/greeter/greeting.Greeter%2FHello"}) {
    EXPECT_EQ(post(path, "{}").status, 200) << path;
  }
  EXPECT_EQ(post("/api/greeter/Greeter.Hello", "").status, 200) << "no body is an empty message";
}

TEST_F(GatewayTest, AsksTheNodesInTurn) {
  for (int i = 0; i < 3; ++i) add_node();
  std::vector<std::string> seen;
  for (int i = 0; i < 9; ++i) seen.push_back(post("/api/greeter/Greeter.Hello", "{}").header("x-micro-node"));
  for (int i = 0; i < 9; i += 3) EXPECT_EQ(std::set(seen.begin() + i, seen.begin() + i + 3).size(), 3u) << "round " << i / 3;
}

TEST_F(GatewayTest, FollowsNodesThatComeAndGo) {
  Service& first = add_node();
  EXPECT_EQ(post("/api/greeter/Greeter.Hello", "{}").header("x-micro-node"), first.address());
  const std::string gone = first.address();
  Service& second = add_node();
  first.stop();
  for (int i = 0; i < 4; ++i) {
    const Answer answer = post("/api/greeter/Greeter.Hello", "{}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("x-micro-node"), second.address());
  }
}

struct StatusCase {
  const char* code;
  int status;
};

TEST_F(GatewayTest, MapsCodesToStatuses) {
  Service& node = add_node();
  for (const StatusCase& each : {StatusCase{"INVALID_ARGUMENT", 400},
                                 {"FAILED_PRECONDITION", 400},
                                 {"OUT_OF_RANGE", 400},
                                 {"UNAUTHENTICATED", 401},
                                 {"PERMISSION_DENIED", 403},
                                 {"NOT_FOUND", 404},
                                 {"ALREADY_EXISTS", 409},
                                 {"ABORTED", 409},
                                 {"RESOURCE_EXHAUSTED", 429},
                                 {"CANCELLED", 499},
                                 {"UNKNOWN", 500},
                                 {"INTERNAL", 500},
                                 {"DATA_LOSS", 500},
                                 {"UNIMPLEMENTED", 501},
                                 {"UNAVAILABLE", 503},
                                 {"DEADLINE_EXCEEDED", 504}}) {
    const Answer answer = post("/api/greeter/Greeter.Fail", R"({"name":")" + std::string(each.code) + "\"}");
    EXPECT_EQ(answer.status, each.status) << each.code;
    EXPECT_THAT(answer.body, AllOf(HasSubstr(R"("code":")" + std::string(each.code) + '"'), HasSubstr(R"("reason":"TOLD_SO")"),
                                   HasSubstr("as you wished"), HasSubstr(R"("key":"value")")));
    EXPECT_EQ(answer.header("x-micro-node"), node.address());
  }
}

struct FaultCase {
  const char* method;
  const char* path;
  const char* body;
  int status;
  const char* text;
};

TEST_F(GatewayTest, SaysWhatIsWrongWithARequest) {
  add_node();
  const FaultCase cases[] = {
      {"POST", "/api/nobody/Greeter.Hello", "{}", 404, R"(no node of service \"nobody\")"},
      {"POST", "/api/greeter/Greeter.Helo", "{}", 404, "Greeter.Hello"},
      {"POST", "/api/greeter/Greeter.Hello", "{\"name\":", 400, "JSON"},
      {"POST", "/api/greeter/Greeter.Hello", "[]", 400, ""},
      {"POST", "/api/greeter/Greeter.Hello", R"({"name":7})", 400, "name"},
      {"POST", "/api/greeter/Greeter.Hello", R"({"nmae":"x"})", 400, "nmae"},
      {"POST", "/api/greeter/Greeter.Hello", R"({"patience":"long"})", 400, "patience"},
      {"POST", "/api/greeter/Greeter.Count", "{}", 400, "streaming"},
      {"POST", "/api/greeter/Greeter.Fail", R"({"name":"THROW"})", 500, "the server's log says more"},
      {"GET", "/api/greeter/Greeter.Hello", "", 405, "POST"},
      {"POST", "/api/greeter", "{}", 404, ""},
      {"POST", "/nowhere", "{}", 404, ""},
  };
  for (const FaultCase& each : cases) {
    const Answer answer = request(each.method, each.path, each.body);
    EXPECT_EQ(answer.status, each.status) << each.path << " " << each.body << ": " << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(each.text)) << each.path;
    EXPECT_THAT(answer.body, AllOf(StartsWith("{"), HasSubstr("\"message\":"))) << each.path;
  }
  const Answer large = post("/api/greeter/Greeter.Hello", R"({"name":")" + std::string(20'000, 'x') + "\"}");
  EXPECT_EQ(large.status, 413);
  EXPECT_THAT(large.body, HasSubstr("10000"));
  EXPECT_EQ(post("/api/greeter/Greeter.Hello", "{}").status, 200) << "after all that it lives on";
}

TEST_F(GatewayTest, HeadersOfTheConnectionDoNotDisturbTheCall) {
  add_node();
  for (const char* header :
       {"TE: trailers", "Grpc-Encoding: gzip", "Grpc-Status: 5", "X-Data-Bin: AAEC", "Keep-Alive: 5", "Proxy-Connection: close",
        "Cookie: a=b; c=d", "User-Agent: curl/7", "Accept: text/html", "Content-Type: application/x-www-form-urlencoded",
        "Accept-Encoding: gzip, br", "X-Text: caf\xc3\xa9", "Expect: 100-continue"}) {
    const Answer answer = post("/api/greeter/Greeter.Hello", R"({"name":"x"})", std::string(header) + "\r\n");
    // 100-continue puts an interim answer in front.
    if (std::string_view(header).starts_with("Expect")) {
      EXPECT_THAT(answer.body, AllOf(HasSubstr("HTTP/1.1 200"), HasSubstr("Hello x"))) << header;
      continue;
    }
    EXPECT_EQ(answer.status, 200) << header << ": " << answer.body;
  }
}

TEST_F(GatewayTest, DeadlineOfTheCallerHolds) {
  add_node();
  EXPECT_EQ(post("/api/greeter/Greeter.Hello", "{}", "Grpc-Timeout: 1n\r\n").status, 504);
  EXPECT_EQ(post("/api/greeter/Greeter.Hello", "{}", "Grpc-Timeout: soon\r\n").status, 400);
  EXPECT_EQ(post("/api/greeter/Greeter.Hello", "{}", "X-Data-Bin: %%%\r\n").status, 400);
}

TEST_F(GatewayTest, ListsServices) {
  Service& node = add_node();
  const Answer answer = request("GET", "/services", "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, AllOf(StartsWith("["), HasSubstr(R"("greeter")"), HasSubstr(node.address()),
                                 HasSubstr("Greeter.Hello"), HasSubstr(R"("gateway")")));
}

TEST_F(GatewayTest, StartsAgain) {
  add_node();
  EXPECT_EQ(post("/api/greeter/Greeter.Hello", "{}").status, 200);
  gateway_.stop();
  ASSERT_TRUE(gateway_.start());
  EXPECT_EQ(post("/api/greeter/Greeter.Hello", "{}").status, 200);
}

}  // namespace
}  // namespace micro
