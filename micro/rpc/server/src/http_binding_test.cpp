// Methods called through their HTTP bindings, over sockets. The messages are those protobuf brings along.
#include <mutex>

#include <google/protobuf/api.pb.h>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using google::protobuf::Api;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Apis final : public Handler {
 public:
  std::vector<Endpoint> endpoints() override {
    std::vector<Endpoint> list;
    const auto add = [&](std::string method, MethodKind kind, std::shared_ptr<CallHandler> handler,
                         std::vector<HttpBinding> http) {
      Endpoint endpoint;
      endpoint.service = "test.Apis";
      endpoint.method = std::move(method);
      endpoint.kind = kind;
      endpoint.request_type = endpoint.reply_type = &codec::message_type<Api>();
      endpoint.handler = std::move(handler);
      endpoint.http = std::move(http);
      list.push_back(std::move(endpoint));
    };
    const auto echo = std::make_shared<UnaryMethod<Apis, Api, Api>>(*this, &Apis::echo);
    add("Get", MethodKind::kUnary, echo, {{"GET", "/v1/{name=apis/*}", "", ""}, {"GET", "/v1/latest", "", ""}});
    add("Put", MethodKind::kUnary, echo, {{"PUT", "/v1/{name=apis/*}", "source_context", ""}});
    add("Copy", MethodKind::kUnary, echo, {{"POST", "/v1/{name=apis/*}:copy", "*", "source_context"}});
    add("Search", MethodKind::kUnary, echo, {{"SEARCH", "/v1/apis", "*", ""}});
    add("Watch", MethodKind::kServerStream, std::make_shared<ServerStreamMethod<Apis, Api, Api>>(*this, &Apis::watch),
        {{"GET", "/v1/{name=apis/*}:watch", "", ""}});
    return list;
  }

 private:
  Task<Result<Api>> echo(Context& context, const Api& request) {
    if (request.version() == "none") co_return fail(Error(Code::kNotFound, "NO_API", "no such version"));
    context.reply_headers().add("x-echo", context.metadata().get("x-echo"));
    co_return request;
  }
  Task<Result<void>> watch(Context&, const Api& request, Writer<Api>& writer) { co_return co_await writer.write(request); }
};

class Teapot final : public HttpHandler {
  Task<Result<http::Response>> handle(Context&, const http::Request& request, const PathParameters&) override {
    co_return http::Response::text("route " + std::string(request.method_name()));
  }
};

// Notes what the chain is told.
class Witness final : public Middleware {
 public:
  std::string_view name() const noexcept override { return "witness"; }
  Task<Reply> handle(Context& context, Call& call, Next next) override {
    {
      const std::lock_guard lock(mutex_);
      seen_ += std::string(call.method) + " " + std::string(to_string(call.protocol)) + ";";
    }
    return next(context, call);
  }
  std::string seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  std::mutex mutex_;
  std::string seen_;
};

class BoundMethod : public testing::TestWithParam<bool> {
 protected:
  BoundMethod() : server_(1, options()) {
    server_.server.use(witness_);
    EXPECT_TRUE(server_.server.handle(std::make_shared<Apis>()));
    EXPECT_TRUE(server_.server.http().add("GET", "/v1/latest", std::make_shared<Teapot>()));
    EXPECT_TRUE(server_.server.http().add("DELETE", "/v1/latest", std::make_shared<Teapot>()));
    EXPECT_TRUE(server_.server.http().add("HEAD", "/v1/latest", std::make_shared<Teapot>()));
    EXPECT_TRUE(server_.server.http().add("*", "/tea", std::make_shared<Teapot>()));
    server_.start();
  }
  static ServerOptions options() {
    ServerOptions options = TestServer::default_options();
    options.json_zero_values = false;
    return options;
  }

  struct Response {
    std::string status;
    std::string head;  // lower case
    std::string body;
  };
  Response request(const std::string& method, const std::string& target, const std::string& body = {},
                   const std::string& type = {}, const std::string& accept = {}) {
    return GetParam() ? over_http2(method, target, body, type, accept) : over_http1(method, target, body, type, accept);
  }
  // Status and body, "200 {...}".
  std::string ask(const std::string& method, const std::string& target, const std::string& body = {},
                  const std::string& type = {}) {
    const Response response = request(method, target, body, type);
    return response.status + " " + response.body;
  }

  TestServer server_;
  std::shared_ptr<Witness> witness_ = std::make_shared<Witness>();

 private:
  Response over_http1(const std::string& method, const std::string& target, const std::string& body, const std::string& type,
                      const std::string& accept) {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Echo: e\r\n";
    if (!accept.empty()) text += "Accept: " + accept + "\r\n";
    if (!type.empty()) text += "Content-Type: " + type + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    const std::string answer = http1(server_, text + "\r\n" + body);
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == answer.npos) return {};
    Response response{answer.substr(9, 3), answer.substr(0, end), answer.substr(end + 4)};
    for (char& c : response.head) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return response;
  }
  Response over_http2(const std::string& method, const std::string& target, const std::string& body, const std::string& type,
                      const std::string& accept) {
    Http2Client client(server_);
    std::vector<http2::Field> fields{
        {":method", method}, {":scheme", "http"}, {":path", target}, {":authority", "x"}, {"x-echo", "e"}};
    if (!accept.empty()) fields.push_back({"accept", accept});
    if (!type.empty()) fields.push_back({"content-type", type});
    http2::Stream& stream = client.open_plain(fields, body.empty());
    Answer& answer = client.answer();
    if (!body.empty()) client.session().submit_data(stream, body, true);
    client.run_until([&] { return answer.closed; });
    Response response{answer.status, {}, answer.data};
    for (const auto& [name, value] : answer.fields) response.head += name + ": " + value + "\r\n";
    return response;
  }
};

TEST_P(BoundMethod, FieldsComeFromPathQueryAndBody) {
  EXPECT_EQ(ask("GET", "/v1/apis/a%20b?version=2&sourceContext.fileName=f.proto"),
            R"(200 {"name":"apis/a b","version":"2","sourceContext":{"fileName":"f.proto"}})");
  EXPECT_EQ(ask("PUT", "/v1/apis/x?version=3", R"({"fileName":"f"})", "application/json"),
            R"(200 {"name":"apis/x","version":"3","sourceContext":{"fileName":"f"}})");
  EXPECT_EQ(ask("POST", "/v1/apis/x:copy", R"({"version":"4","sourceContext":{"fileName":"g"}})"), R"(200 {"fileName":"g"})");
  EXPECT_EQ(ask("SEARCH", "/v1/apis", R"({"name":"n"})"), R"(200 {"name":"n"})");
  EXPECT_EQ(witness_->seen(), "Get http;Put http;Copy http;Search http;");
}

TEST_P(BoundMethod, HeadersTravelBothWays) {
  const Response response = request("GET", "/v1/apis/x");
  EXPECT_EQ(response.status, "200");
  EXPECT_THAT(response.head, AllOf(HasSubstr("content-type: application/json"), HasSubstr("x-echo: e")));
}

TEST_P(BoundMethod, HeadIsGetWithoutABody) {
  const Response response = request("HEAD", "/v1/apis/x");
  EXPECT_EQ(response.status, "200");
  EXPECT_THAT(response.head, HasSubstr("content-length: 17"));
  EXPECT_EQ(response.body, "");
}

TEST_P(BoundMethod, ErrorsOfHandlersAndOfRequests) {
  EXPECT_EQ(ask("GET", "/v1/apis/x?version=none"), R"(404 {"code":"NOT_FOUND","reason":"NO_API","message":"no such version"})");
  EXPECT_EQ(
      ask("GET", "/v1/apis/x?version=1&version=2"),
      R"(400 {"code":"INVALID_ARGUMENT","reason":"INVALID_QUERY","message":"query parameter \"version\": given twice, and the field is not repeated","metadata":{"field":"version"}})");
  EXPECT_THAT(ask("GET", "/v1/apis/%ff"), StartsWith(R"(400 {"code":"INVALID_ARGUMENT","reason":"INVALID_PATH")"));
  EXPECT_THAT(ask("PUT", "/v1/apis/x", "{", "application/json"),
              StartsWith(R"(400 {"code":"INVALID_ARGUMENT","reason":"INVALID_JSON")"));
  EXPECT_THAT(ask("PUT", "/v1/apis/x", "x", "application/protobuf"), HasSubstr(R"("reason":"UNSUPPORTED_MEDIA_TYPE")"));
  EXPECT_THAT(ask("PUT", "/v1/apis/x", "x", "text/html"), StartsWith("415 "));
  EXPECT_THAT(ask("GET", "/v1/apis/x", "", "text/html"), StartsWith("200 ")) << "the type of nothing";
}

TEST_P(BoundMethod, RepliesOfAStreamComeAsLinesOrEvents) {
  const Response lines = request("GET", "/v1/apis/x:watch?version=1");
  EXPECT_EQ(lines.status, "200");
  EXPECT_THAT(lines.head, HasSubstr("content-type: application/x-ndjson"));
  EXPECT_THAT(lines.body, HasSubstr("{\"name\":\"apis/x\",\"version\":\"1\"}\n"));
  const Response events = request("GET", "/v1/apis/x:watch", {}, {}, "text/event-stream");
  EXPECT_THAT(events.head, HasSubstr("content-type: text/event-stream"));
  EXPECT_THAT(events.body, HasSubstr("data: {\"name\":\"apis/x\"}\n"));
  EXPECT_THAT(ask("GET", "/v1/apis/x:watch?nothing=1"), StartsWith(R"(400 {"code":"INVALID_ARGUMENT","reason":"INVALID_QUERY")"));
}

TEST_P(BoundMethod, ProtobufGoesWhereAWholeMessageDoes) {
  Api api;
  api.set_version("5");
  const Response response = request("SEARCH", "/v1/apis", api.SerializeAsString(), "application/protobuf");
  EXPECT_THAT(response.head, HasSubstr("content-type: application/protobuf"));
  EXPECT_EQ(response.body, api.SerializeAsString());
}

TEST_P(BoundMethod, OtherMethodsAreToldWhatIsPossible) {
  const auto allowed = [&](const std::string& method, const std::string& target) {
    const Response response = request(method, target);
    const std::size_t at = response.head.find("allow: ");
    return response.status + " " +
           (at == response.head.npos ? "" : response.head.substr(at + 7, response.head.find("\r\n", at) - at - 7));
  };
  const bool lower = !GetParam();  // the head of HTTP/1.1 is compared in lower case
  EXPECT_EQ(allowed("DELETE", "/v1/apis/x"), lower ? "405 get, head, put" : "405 GET, HEAD, PUT");
  EXPECT_EQ(allowed("GET", "/v1/apis/x:copy"), "200 ")
      << "another template has the path, and takes the verb for a part of the name";
  EXPECT_EQ(allowed("PATCH", "/v1/latest"), lower ? "405 get, head, delete" : "405 GET, HEAD, DELETE");
  EXPECT_EQ(allowed("GET", "/test.Apis/Get"), lower ? "405 post" : "405 POST");
  EXPECT_EQ(allowed("GET", "/v1/nothing"), "404 ");
  EXPECT_EQ(allowed("GET", "/v1/apis/"), "404 ");
}

TEST_P(BoundMethod, MethodsBindingsAndRoutesLiveSideBySide) {
  EXPECT_EQ(ask("POST", "/test.Apis/Get", R"({"name":"n"})", "application/json"), R"(200 {"name":"n"})");
  EXPECT_EQ(ask("GET", "/v1/latest?name=n"), R"(200 {"name":"n"})") << "a binding goes before a route";
  EXPECT_EQ(ask("DELETE", "/v1/latest"), "200 route DELETE");
  EXPECT_EQ(ask("BREW", "/tea"), "200 route BREW");
}

INSTANTIATE_TEST_SUITE_P(Over, BoundMethod, testing::Bool(),
                         [](const auto& info) { return info.param ? std::string("Http2") : std::string("Http1"); });

TEST(HttpBindings, ThatMatchTheSameRequestsAreRefused) {
  class Other final : public Handler {
   public:
    std::vector<Endpoint> endpoints() override {
      Endpoint endpoint;
      endpoint.service = "test.Other";
      endpoint.method = "Get";
      endpoint.request_type = endpoint.reply_type = &codec::message_type<Text>();
      endpoint.http = {{"GET", "/v1/{value=apis/*}", "", ""}};
      return {endpoint};
    }
  };
  TestServer server;
  ASSERT_TRUE(server.server.handle(std::make_shared<Apis>()));
  const Result<void> handled = server.server.handle(std::make_shared<Other>());
  ASSERT_FALSE(handled);
  EXPECT_EQ(handled.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(handled.error().message(),
            "HTTP binding GET /v1/{value=apis/*} of test.Other/Get matches the same requests as GET /v1/{name=apis/*} of "
            "test.Apis/Get; "
            "change one of the paths");
}

}  // namespace
}  // namespace micro::rpc::test
