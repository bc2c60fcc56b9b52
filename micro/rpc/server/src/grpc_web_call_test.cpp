#include <micro/grpc/base64.hpp>
#include <micro/grpc/compression.hpp>
#include <micro/grpc/web.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string framed(std::string_view text) {
  Text value;
  value.set_value(std::string(text));
  Buffer frame;
  grpc::append_frame(frame, value.SerializeAsString(), false);
  return std::string(frame.view());
}

std::string as_text(std::string_view bytes) {
  Buffer out;
  grpc::append_web_text(out, bytes);
  return std::string(out.view());
}

// A response in parts; what is chunked is put together.
struct WebAnswer {
  std::string head;
  std::vector<std::string> messages;
  std::string trailers;
};

std::string unchunked(std::string_view body) {
  std::string all;
  while (!body.empty()) {
    const std::size_t size = std::stoul(std::string(body.substr(0, body.find("\r\n"))), nullptr, 16);
    body.remove_prefix(body.find("\r\n") + 2);
    all += body.substr(0, size);
    body.remove_prefix(size + 2);
    if (size == 0) break;
  }
  return all;
}

void read_body(WebAnswer& answer, std::string_view body) {
  while (body.size() >= 5) {
    const std::size_t size = load_be32(body.data() + 1);
    if (size > body.size() - 5) break;
    const std::string_view payload = body.substr(5, size);
    if (static_cast<unsigned char>(body[0]) == grpc::kWebTrailerFlag) {
      answer.trailers = payload;
    } else {
      Text value;
      value.ParseFromString(std::string(payload));
      answer.messages.push_back(value.value());
    }
    body.remove_prefix(5 + size);
  }
}

WebAnswer parse(std::string_view response, bool text = false) {
  WebAnswer answer;
  const std::size_t end = response.find("\r\n\r\n");
  answer.head = response.substr(0, end);
  std::string body(response.substr(end + 4));
  if (answer.head.find("chunked") != std::string::npos) body = unchunked(body);
  Buffer decoded;
  if (text) {
    grpc::WebTextDecoder decoder;
    EXPECT_TRUE(decoder.decode(body, decoded));
    EXPECT_TRUE(decoder.finish());
    body = decoded.view();
  }
  read_body(answer, body);
  return answer;
}

WebAnswer read(const Answer& answer) {
  WebAnswer result;
  read_body(result, answer.data);
  return result;
}

struct GrpcWeb : testing::Test {
  GrpcWeb() : server(1, options()) { server.start(); }
  static ServerOptions options() {
    ServerOptions options = TestServer::default_options();
    options.cors.allowed_origins = {"https://page.example"};
    options.cors.exposed_headers = {"x-echo"};
    return options;
  }
  WebAnswer call(std::string_view method, std::string_view body, std::string_view headers = "",
                 std::string_view type = "application/grpc-web+proto") {
    return parse(http1(server, "POST /test.Echo/" + std::string(method) + " HTTP/1.1\r\nHost: x\r\nContent-Type: " +
                                   std::string(type) + "\r\nConnection: close\r\n" + std::string(headers) +
                                   "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body)),
                 type.find("text") != std::string_view::npos);
  }
  TestServer server;
};

TEST_F(GrpcWeb, Unary) {
  const WebAnswer answer = call("Say", framed("hi"), "X-Echo: abc\r\n");
  EXPECT_THAT(answer.head, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(answer.head, HasSubstr("content-type: application/grpc-web+proto"));
  EXPECT_THAT(answer.head, HasSubstr("x-echo: abc"));
  EXPECT_THAT(answer.head, HasSubstr("Content-Length:"));
  EXPECT_THAT(answer.messages, ElementsAre("you said hi"));
  EXPECT_EQ(answer.trailers, "grpc-status: 0\r\nx-trailer: end\r\n");
}

TEST_F(GrpcWeb, StreamsOfEachKind) {
  EXPECT_THAT(call("Repeat", framed("m")).messages, ElementsAre("m0", "m1", "m2"));
  EXPECT_THAT(call("Join", framed("a") + framed("b") + framed("c")).messages, ElementsAre("abc"));
  const WebAnswer chat = call("Chat", framed("1") + framed("2"));
  EXPECT_THAT(chat.messages, ElementsAre("1", "2"));
  EXPECT_THAT(chat.head, HasSubstr("chunked"));
  EXPECT_EQ(chat.trailers, "grpc-status: 0\r\n");
}

TEST_F(GrpcWeb, TextIsBase64BothWays) {
  const std::string_view type = "application/grpc-web-text";
  const WebAnswer say = call("Say", as_text(framed("hi")), "", type);
  EXPECT_THAT(say.head, HasSubstr("content-type: application/grpc-web-text+proto"));
  EXPECT_THAT(say.messages, ElementsAre("you said hi"));
  EXPECT_THAT(say.trailers, StartsWith("grpc-status: 0\r\n"));
  EXPECT_THAT(call("Repeat", as_text(framed("m")), "", type).messages, ElementsAre("m0", "m1", "m2"));
  EXPECT_THAT(call("Join", as_text(framed("a")) + as_text(framed("b")), "", type).messages, ElementsAre("ab"));
  const WebAnswer broken = call("Say", "!!!!", "", type);
  EXPECT_THAT(broken.head, HasSubstr("grpc-status: 3\r\n"));
  EXPECT_THAT(broken.head, HasSubstr("base64"));
}

TEST_F(GrpcWeb, FailuresHaveTheirStatusInTheHead) {
  const struct {
    const char* method;
    std::string body;
    const char* status;
    const char* text;
  } cases[] = {
      {"Say", framed("fail"), "grpc-status: 5", "no such text"},
      {"Say", framed("throw"), "grpc-status: 13", "failed with an exception"},
      {"Sing", framed("x"), "grpc-status: 12", "unknown method Sing"},
      {"Say", "", "grpc-status: 13", "no request message"},
      {"Say", framed("a") + framed("b"), "grpc-status: 13", "more than one request"},
      {"Say", framed("a").substr(0, 6), "grpc-status: 13", ""},
      {"Say", std::string("\0\377\377\377\377", 5), "grpc-status: 8", ""},
  };
  for (const auto& c : cases) {
    const WebAnswer answer = call(c.method, c.body);
    EXPECT_THAT(answer.head, StartsWith("HTTP/1.1 200 OK")) << c.text;
    EXPECT_THAT(answer.head, HasSubstr(c.status)) << c.text;
    EXPECT_THAT(answer.head, HasSubstr(c.text));
    EXPECT_THAT(answer.messages, IsEmpty());
    EXPECT_EQ(answer.trailers, "");
  }
  EXPECT_THAT(call("Say", framed("x"), "", "application/grpc-web+xml").head, HasSubstr("grpc-status: 12"));
}

TEST_F(GrpcWeb, MessagesThatAreTooLargeAreCounted) {
  std::uint64_t refused = 0;
  for (const char* method : {"Say", "Join"}) {
    const WebAnswer answer = call(method, std::string_view("\0\377\377\377\377", 5));
    EXPECT_THAT(answer.head + answer.trailers, testing::ContainsRegex("grpc-status: ?8")) << method;
    EXPECT_EQ(server.server.counters().oversized, ++refused) << method;
  }
}

TEST_F(GrpcWeb, DeadlineEndsTheCall) {
  EXPECT_THAT(call("Hang", framed("x"), "grpc-timeout: 20m\r\n").head, HasSubstr("grpc-status: 4"));
}

TEST_F(GrpcWeb, SpeaksGzipAndJson) {
  Text text;
  text.set_value(std::string(5000, 'z'));
  Buffer packed;
  ASSERT_TRUE(grpc::compress(grpc::Compression::kGzip, text.SerializeAsString(), packed));
  Buffer frame;
  grpc::append_frame(frame, packed.view(), true);
  const std::string answer = http1(server,
                                   "POST /test.Echo/Later HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc-web\r\n"
                                   "grpc-encoding: gzip\r\ngrpc-accept-encoding: gzip\r\nConnection: close\r\nContent-Length: " +
                                       std::to_string(frame.size()) + "\r\n\r\n" + std::string(frame.view()));
  EXPECT_THAT(answer, HasSubstr("grpc-encoding: gzip\r\n"));
  EXPECT_LT(answer.size(), 1000U);
  Buffer json;
  grpc::append_frame(json, "\"hi\"", false);
  const std::string said = http1(server,
                                 "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc-web+json\r\n"
                                 "Connection: close\r\nContent-Length: 9\r\n\r\n" +
                                     std::string(json.view()));
  EXPECT_THAT(said, HasSubstr("\"you said hi\""));
  EXPECT_THAT(said, HasSubstr("content-type: application/grpc-web+json"));
}

TEST_F(GrpcWeb, OverHttp2) {
  Http2Client client(server);
  for (const char* method : {"/test.Echo/Say", "/test.Echo/Repeat", "/test.Echo/Chat"}) {
    http2::Stream& stream = client.open_plain({{":method", "POST"},
                                               {":scheme", "http"},
                                               {":path", method},
                                               {":authority", "x"},
                                               {"content-type", "application/grpc-web"}},
                                              false);
    Answer& answer = client.answer();
    client.session().submit_data(stream, framed("m"), true);
    client.run_until([&] { return answer.closed; });
    EXPECT_EQ(answer.status, "200");
    EXPECT_FALSE(answer.reset);
    EXPECT_THAT(read(answer).messages, Not(IsEmpty())) << method;
    EXPECT_THAT(read(answer).trailers, StartsWith("grpc-status: 0\r\n")) << method;
  }
}

TEST_F(GrpcWeb, AStreamIsAnsweredWhileItIsSent) {
  Http2Client client(server);
  http2::Stream& stream = client.open_plain({{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", "/test.Echo/Chat"},
                                             {":authority", "x"},
                                             {"content-type", "application/grpc-web"}},
                                            false);
  Answer& answer = client.answer();
  for (std::size_t i = 1; i <= 3; ++i) {
    client.session().submit_data(stream, framed("m" + std::to_string(i)), false);
    client.run_until([&] { return read(answer).messages.size() == i; });
  }
  client.session().submit_data(stream, framed("bye"), false);
  client.run_until([&] { return answer.closed; });
  EXPECT_THAT(read(answer).messages, ElementsAre("m1", "m2", "m3"));
}

TEST_F(GrpcWeb, PagesOfAllowedOriginsMayCall) {
  const std::string preflight =
      http1(server,
            "OPTIONS /test.Echo/Say HTTP/1.1\r\nHost: x\r\nOrigin: https://page.example\r\n"
            "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type,x-grpc-web\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_THAT(preflight, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(preflight, HasSubstr("Access-Control-Allow-Origin: https://page.example\r\n"));
  EXPECT_THAT(preflight, HasSubstr("Access-Control-Allow-Headers: content-type,x-grpc-web\r\n"));
  EXPECT_THAT(preflight, HasSubstr("Access-Control-Allow-Methods: POST\r\n"));
  for (const char* type : {"application/grpc-web", "application/json"}) {
    const std::string body = *type == 'a' && std::string_view(type).ends_with("json") ? "\"hi\"" : framed("hi");
    const WebAnswer answer = call("Say", body, "Origin: https://page.example\r\n", type);
    EXPECT_THAT(answer.head, HasSubstr("Access-Control-Allow-Origin: https://page.example\r\n")) << type;
    EXPECT_THAT(answer.head, HasSubstr("grpc-status, grpc-message")) << type;
    EXPECT_THAT(answer.head, HasSubstr("x-echo")) << type;
  }
  EXPECT_THAT(call("Say", framed("hi"), "Origin: https://other.example\r\n").head, Not(HasSubstr("Access-Control")));
}

}  // namespace
}  // namespace micro::rpc::test
