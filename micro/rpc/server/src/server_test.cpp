#include <micro/server/server.hpp>

#include <micro/grpc/compression.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ServerGrpc, AnswersAUnaryCall) {
  TestServer server;
  server.start();
  Http2Client client(server);
  const Answer& answer = client.call("/test.Echo/Say", "hi", {{"x-echo", "metadata"}});
  EXPECT_EQ(answer.status, "200");
  EXPECT_EQ(answer.field("content-type"), "application/grpc");
  EXPECT_EQ(answer.field("grpc-status"), "0");
  EXPECT_EQ(answer.field("x-echo"), "metadata");
  EXPECT_EQ(answer.field("x-trailer"), "end");
  EXPECT_THAT(answer.messages, ElementsAre("you said hi"));
}

// It has one listener, whose connections the first loop serves.
TEST(ServerUnixSocket, WithSeveralLoops) {
  ServerOptions options;
  options.address = Address::parse("unix:" + testing::TempDir() + "server-" + std::to_string(::getpid()) + ".sock").value();
  TestServer server(3, options);
  server.start();
  for (int i = 0; i < 3; ++i) {
    Http2Client client(server);
    EXPECT_THAT(client.call("/test.Echo/Say", "hi").messages, ElementsAre("you said hi"));
  }
  EXPECT_EQ(server.stop(), 0U);
}

TEST(ServerGrpc, ManyCallsOnOneConnection) {
  TestServer server;
  server.start();
  Http2Client client(server);
  std::vector<Answer*> answers;
  for (int i = 0; i < 100; ++i) {
    http2::Stream& stream = client.open(i % 2 == 0 ? "/test.Echo/Say" : "/test.Echo/Later");
    answers.push_back(&client.answer());
    client.message(stream, std::to_string(i), true);
  }
  client.run_until([&] { return std::ranges::all_of(answers, [](Answer* a) { return a->closed; }); });
  for (int i = 0; i < 100; ++i) {
    const std::string said = i % 2 == 0 ? "you said " + std::to_string(i) : std::to_string(i);
    EXPECT_THAT(answers[static_cast<std::size_t>(i)]->messages, ElementsAre(said));
    EXPECT_EQ(answers[static_cast<std::size_t>(i)]->field("grpc-status"), "0");
  }
  EXPECT_EQ(server.server.counters().calls, 100U);
}

TEST(ServerGrpc, StreamsOfEachKind) {
  TestServer server;
  server.start();
  Http2Client client(server);
  EXPECT_THAT(client.call("/test.Echo/Repeat", "m").messages, ElementsAre("m0", "m1", "m2"));

  http2::Stream& join = client.open("/test.Echo/Join");
  Answer& joined = client.answer();
  for (const char* part : {"a", "b", "c"}) {
    client.message(join, part, false);
    client.flush();
  }
  client.session().submit_data(join, std::string_view{}, true);
  client.run_until([&] { return joined.closed; });
  EXPECT_THAT(joined.messages, ElementsAre("abc"));
  EXPECT_EQ(joined.field("grpc-status"), "0");

  http2::Stream& chat = client.open("/test.Echo/Chat");
  Answer& chatted = client.answer();
  for (std::size_t i = 1; i <= 3; ++i) {
    client.message(chat, "m" + std::to_string(i), false);
    client.run_until([&] { return chatted.messages.size() == i; });
  }
  // The handler ends although the caller has not: the status comes, and the stream is closed without an error.
  client.message(chat, "bye", false);
  client.run_until([&] { return chatted.closed; });
  EXPECT_THAT(chatted.messages, ElementsAre("m1", "m2", "m3"));
  EXPECT_EQ(chatted.field("grpc-status"), "0");
}

TEST(ServerGrpc, FailuresHaveTheirStatus) {
  const struct {
    const char* path;
    const char* text;
    const char* status;
    const char* message;
  } cases[] = {
      {"/test.Echo/Say", "fail", "5", "no such text"},
      {"/test.Echo/Say", "throw", "13", "the handler of /test.Echo/Say failed with an exception"},
      {"/test.Echo/Sing", "x", "12",
       "unknown method Sing of service test.Echo; it has Say, Hang, Later, Any, List, Repeat, Join, Chat"},
      {"/test.Nobody/Say", "x", "12", "unknown service test.Nobody on this server"},
  };
  TestServer server;
  server.start();
  Http2Client client(server);
  for (const auto& c : cases) {
    const Answer& answer = client.call(c.path, c.text);
    EXPECT_EQ(answer.field("grpc-status"), c.status) << c.path;
    EXPECT_EQ(answer.field("grpc-message"), c.message) << c.path;
    EXPECT_THAT(answer.messages, testing::IsEmpty());
  }
  // The connection lives on.
  EXPECT_EQ(client.call("/test.Echo/Say", "still there").field("grpc-status"), "0");
}

TEST(ServerGrpc, MessagesMayBeLargerThanTheWindow) {
  TestServer server;
  server.start();
  Http2Client client(server);
  const std::string large(3 << 20, 'x');
  EXPECT_THAT(client.call("/test.Echo/Later", large).messages, ElementsAre(large));
  http2::Stream& chat = client.open("/test.Echo/Chat");
  Answer& answer = client.answer();
  client.message(chat, large, true);
  client.run_until([&] { return answer.closed; });
  EXPECT_THAT(answer.messages, ElementsAre(large));
}

TEST(ServerGrpc, ErrorDetailsTravel) {
  TestServer server;
  server.start();
  Http2Client client(server);
  EXPECT_FALSE(client.call("/test.Echo/Say", "fail").field("grpc-status-details-bin").empty());
}

TEST(ServerGrpc, BrokenRequestsAreRefused) {
  TestServer server;
  server.start();
  Http2Client client(server);
  const auto send = [&](std::string_view body, std::vector<http2::Field> extra = {}) -> Answer& {
    http2::Stream& stream = client.open("/test.Echo/Say", std::move(extra));
    Answer& answer = client.answer();
    client.session().submit_data(stream, body, true);
    client.run_until([&] { return answer.closed; });
    return answer;
  };
  EXPECT_EQ(send("").field("grpc-status"), "13") << "no message";
  EXPECT_EQ(send(std::string_view("\0\0\0\0\5ab", 7)).field("grpc-status"), "13") << "cut off";
  EXPECT_EQ(send(std::string_view("\0\0\0\0\2\377\377", 7)).field("grpc-status"), "3") << "not protobuf";
  EXPECT_EQ(send(std::string_view("\1\0\0\0\1a", 6)).field("grpc-status"), "13") << "compressed without encoding";
  EXPECT_EQ(send(std::string_view("\0\377\377\377\377", 5)).field("grpc-status"), "8") << "too large";
  EXPECT_EQ(send(std::string_view("\0\0\0\0\0", 5), {{"grpc-timeout", "soon"}}).field("grpc-status"), "13");
  const Answer& encoded = send(std::string_view("\0\0\0\0\0", 5), {{"grpc-encoding", "zstd"}});
  EXPECT_EQ(encoded.field("grpc-status"), "12");
  EXPECT_EQ(encoded.field("grpc-accept-encoding"), "identity,deflate,gzip");
  EXPECT_EQ(client.call("/test.Echo/Say", "ok").field("grpc-status"), "0");
}

TEST(ServerGrpc, SpeaksGzip) {
  TestServer server;
  server.start();
  Http2Client client(server);
  Text text;
  text.set_value(std::string(5000, 'z'));
  Buffer packed;
  ASSERT_TRUE(grpc::compress(grpc::Compression::kGzip, text.SerializeAsString(), packed));
  Buffer frame;
  grpc::append_frame(frame, packed.view(), true);
  http2::Stream& stream = client.open("/test.Echo/Later", {{"grpc-encoding", "gzip"}, {"grpc-accept-encoding", "gzip"}});
  Answer& answer = client.answer();
  client.session().submit_data(stream, frame.view(), true);
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.field("grpc-status"), "0");
  EXPECT_EQ(answer.field("grpc-encoding"), "gzip");
}

TEST(ServerGrpc, DeadlineAnswersAndCancelsTheHandler) {
  TestServer server;
  server.start();
  {
    Http2Client client(server);
    const Answer& answer = client.call("/test.Echo/Hang", "x", {{"grpc-timeout", "20m"}});
    EXPECT_EQ(answer.field("grpc-status"), "4");
  }
  EXPECT_EQ(server.stop(), 0U);
  EXPECT_EQ(server.echo->cancelled_handlers, 1);
}

TEST(ServerGrpc, CallerThatGoesAwayCancelsTheHandler) {
  TestServer server;
  server.start();
  {
    Http2Client client(server);
    http2::Stream& stream = client.open("/test.Echo/Hang");
    client.message(stream, "x", true);
    Answer& hanging = client.answer();
    // An answered call behind it proves that the hanging one has begun.
    client.call("/test.Echo/Say", "marker");
    client.session().reset(stream, http2::ErrorCode::kCancel);
    client.flush();
    EXPECT_TRUE(hanging.closed);
    http2::Stream& second = client.open("/test.Echo/Hang");
    client.message(second, "x", true);
    client.call("/test.Echo/Say", "marker");
  }  // and this one goes with the connection
  EXPECT_EQ(server.stop(), 0U);
  EXPECT_EQ(server.echo->cancelled_handlers, 2);
}

TEST(ServerGrpc, StopDrainsThenCancels) {
  TestServer server;
  server.start();
  Http2Client client(server);
  http2::Stream& stream = client.open("/test.Echo/Chat");
  Answer& chat = client.answer();
  client.message(stream, "one", false);
  client.run_until([&] { return chat.messages.size() == 1; });
  std::thread stopping([&] { server.stop(); });
  client.run_until([&] { return client.session().peer_goaway(); });
  client.message(stream, "two", false);
  client.run_until([&] { return chat.messages.size() == 2; });
  client.message(stream, "bye", true);
  client.run_until([&] { return chat.closed; });
  EXPECT_EQ(chat.field("grpc-status"), "0");
  stopping.join();
}

TEST(ServerGrpc, StopCancelsWhatDoesNotEnd) {
  TestServer server;
  server.start();
  Http2Client client(server);
  http2::Stream& stream = client.open("/test.Echo/Hang");
  Answer& hanging = client.answer();
  client.message(stream, "x", true);
  client.call("/test.Echo/Say", "marker");
  EXPECT_EQ(server.stop(Duration{}), 0U);
  EXPECT_EQ(server.echo->cancelled_handlers, 1);
  client.run_until([&] { return hanging.closed; });
  EXPECT_EQ(hanging.field("grpc-status"), "14");
  EXPECT_EQ(hanging.field("grpc-message"), "the server is stopping and the call did not end in time");
}

TEST(ServerJson, AnswersOnHttp1) {
  TestServer server;
  server.start();
  const std::string answer = http1(server,
                                   "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Echo: abc\r\n"
                                   "Content-Length: 4\r\nConnection: close\r\n\r\n\"hi\"");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(answer, HasSubstr("x-echo: abc\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n\"you said hi\""));
}

TEST(ServerJson, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server;
  server.start();
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    const std::string body = "\"" + std::to_string(100 + i) + "\"";
    requests += "POST /test.Echo/Later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" +
                std::string(i == 19 ? "Connection: close\r\n" : "") + "\r\n" + body;
  }
  const std::string answers = http1(server, requests);
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    at = answers.find("\r\n\r\n\"" + std::to_string(100 + i) + "\"", at);
    ASSERT_NE(at, std::string::npos) << i << "\n" << answers;
  }
}

TEST(ServerJson, BadRequestsSayWhatIsWrong) {
  const struct {
    const char* request;
    const char* status;
    const char* text;
  } cases[] = {
      {"POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{\"a", "400",
       "JSON for google.protobuf.StringValue"},
      {"POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n7", "400", "expected a string"},
      {"POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nConnection: close\r\n\r\n\"fail\"", "404",
       "\"reason\":\"NO_TEXT\""},
      {"POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nConnection: close\r\n\r\n\"throw\"", "500",
       "failed with an exception"},
      {"GET /test.Echo/Say HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405", "use POST"},
      {"POST /test.Echo/Nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "404",
       "unknown method Nope"},
      {"POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
       "415", "text/xml"},
      {"POST /test.Echo/Chat HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "501", "streaming"},
      {"GET / HTTP/1.1\r\n\r\n", "400", "Host"},
      {"POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", "413", "limit"},
  };
  TestServer server;
  server.start();
  for (const auto& c : cases) {
    const std::string answer = http1(server, c.request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(c.status))) << c.request;
    EXPECT_THAT(answer, HasSubstr(c.text)) << c.request;
    EXPECT_THAT(answer, testing::Not(HasSubstr("secret"))) << c.request;
  }
}

TEST(ServerJson, AnswersOnHttp2) {
  TestServer server;
  server.start();
  Http2Client client(server);
  http2::Stream& stream = client.open_plain({{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", "/test.Echo/Say"},
                                             {":authority", "x"},
                                             {"content-type", "application/json"}},
                                            false);
  Answer& answer = client.answer();
  client.session().submit_data(stream, std::string_view("\"hi\""), true);
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.status, "200");
  EXPECT_EQ(answer.field("content-type"), "application/json");
  EXPECT_EQ(answer.data, "\"you said hi\"");
}

TEST(ServerJson, ReadsATooLargeBodyToItsEndBeforeItAnswers) {
  ServerOptions options = TestServer::default_options();
  options.max_receive_message_size = 1000;
  TestServer server(1, options);
  server.start();
  Http2Client client(server);
  const std::vector<http2::Field> head{
      {":method", "POST"}, {":scheme", "http"}, {":path", "/test.Echo/Say"}, {":authority", "x"}};
  http2::Stream& stream = client.open_plain(head, false);
  Answer& answer = client.answer();
  client.session().submit_data(stream, std::string(2000, ' '), false);
  client.flush();
  EXPECT_EQ(client.call("/test.Echo/Say", "marker").field("grpc-status"), "0");
  EXPECT_EQ(answer.status, "");
  client.session().submit_data(stream, std::string(10, ' '), true);
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.status, "413");
  EXPECT_FALSE(answer.reset);
  // What does not end is cut off.
  http2::Stream& endless = client.open_plain(head, false);
  Answer& cut = client.answer();
  client.session().submit_data(endless, std::string(5000, ' '), false);
  client.run_until([&] { return cut.closed; });
  EXPECT_EQ(cut.status, "413");
}

TEST(ServerJson, UpgradesToHttp2) {
  TestServer server;
  server.start();
  const int fd = server.connect();
  send_all(fd,
           "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
           "HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n\"hi\""
           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  send_all(fd, std::string_view("\0\0\0\4\0\0\0\0\0", 9));  // SETTINGS
  std::string answer;
  std::array<char, 4096> buffer;
  while (answer.find("you said hi") == std::string::npos) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    ASSERT_GT(got, 0);
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
}

TEST(ServerJson, ClosingTheConnectionCancelsTheHandler) {
  TestServer server;
  server.start();
  const int fd = server.connect();
  send_all(fd, "POST /test.Echo/Hang HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\"x\"");
  while (server.server.counters().open_calls == 0) std::this_thread::yield();
  ::close(fd);
  EXPECT_EQ(server.stop(), 0U);
  EXPECT_EQ(server.echo->cancelled_handlers, 1);
}

TEST(Server, TellsThatAPortIsTaken) {
  TestServer first;
  first.start();
  ServerOptions options = TestServer::default_options();
  options.address.port = first.server.address().port;
  for (const std::size_t loops : {1U, 2U}) {
    TestServer second(loops, options);
    const Result<void> listening = second.server.listen();
    ASSERT_FALSE(listening) << loops;
    EXPECT_EQ(listening.error().code(), Code::kAlreadyExists);
    EXPECT_THAT(listening.error().message(), HasSubstr("already in use"));
  }
}

TEST(Server, ListensWithSeveralLoops) {
  TestServer server(2);
  server.start();
  for (int i = 0; i < 10; ++i) {
    Http2Client client(server);
    EXPECT_EQ(client.call("/test.Echo/Say", "x").field("grpc-status"), "0");
  }
}

TEST(Server, RefusesTheSameMethodTwice) {
  TestServer server;
  const Result<void> again = server.server.handle(std::make_shared<Echo>());
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message(), HasSubstr("/test.Echo/Say has a handler already"));
}

TEST(Server, ClosesOnGarbageAndTls) {
  TestServer server;
  server.start();
  EXPECT_THAT(http1(server, "\x01\x02\x03 garbage\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(http1(server, "\x16\x03\x01\x02"), "");
  EXPECT_EQ(http1(server, "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n\"ok\"")
                .substr(0, 12),
            "HTTP/1.1 200");
}

}  // namespace
}  // namespace micro::rpc::test
