// go-micro's own RPC, byte by byte as its clients of all versions send it.
#include <gmock/gmock.h>

#include <micro/mucp/error.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// One response.
struct Message {
  std::string head;  // with the last empty line
  std::string body;

  std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

// A peer that speaks by hand.
class Peer {
 public:
  explicit Peer(const TestServer& server) : fd_(server.connect()) {}
  ~Peer() { ::close(fd_); }
  void send(std::string_view bytes) const { send_all(fd_, bytes); }
  void end() const { ::shutdown(fd_, SHUT_WR); }
  // The next response; without a head when the connection ended.
  Message next() {
    Message message;
    while (true) {
      const std::size_t end = rest_.find("\r\n\r\n");
      if (end != std::string::npos) {
        message.head = rest_.substr(0, end + 4);
        const std::size_t size = std::stoul("0" + message.header("Content-Length"));
        if (rest_.size() >= end + 4 + size) {
          message.body = rest_.substr(end + 4, size);
          rest_.erase(0, end + 4 + size);
          return message;
        }
      }
      std::array<char, 4096> buffer;
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got <= 0) return {};
      rest_.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  bool ended() { return next().head.empty(); }

 private:
  int fd_;
  std::string rest_;
};

const std::string kJsonHeaders = "Accept: application/json\r\nContent-Type: application/json\r\n";

// As go-micro's client sends it: an empty body is chunked.
std::string post(const std::string& headers, const std::string& body) {
  const std::string framing =
      body.empty() ? "Transfer-Encoding: chunked\r\n" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return "POST / HTTP/1.1\r\nHost: 127.0.0.1:19002\r\nUser-Agent: Go-http-client/1.1\r\n" + framing + headers + "\r\n" +
         (body.empty() ? "0\r\n\r\n" : body);
}

std::string call(const std::string& endpoint, const std::string& body, const std::string& more = "",
                 const std::string& id = "0") {
  return post(kJsonHeaders + "Foo-Bar: v1\r\nMicro-Endpoint: " + endpoint + "\r\nMicro-Id: " + id +
                  "\r\nMicro-Method: " + endpoint + "\r\nMicro-Service: greeter\r\nTimeout: 5000000000\r\n" + more,
              body);
}

std::string of_stream(const std::string& endpoint, const std::string& id, const std::string& body, const std::string& more = "") {
  return call(endpoint, body, "Micro-Stream: " + id + "\r\n" + more, id);
}

class Mucp : public testing::Test {
 protected:
  void SetUp() override { server.start(); }
  Message ask(const std::string& request) {
    Peer peer(server);
    peer.send(request);
    return peer.next();
  }
  TestServer server;
};

TEST_F(Mucp, ACallAsGoSendsIt) {
  const Message reply = ask(call("Echo.Say", "\"B\"\n"));
  EXPECT_THAT(reply.head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(reply.body, "\"you said B\"\n");
  EXPECT_EQ(reply.header("Content-Length"), "13");
  EXPECT_EQ(reply.header("Content-Type"), "application/json");
  EXPECT_EQ(reply.header("Micro-Endpoint"), "Echo.Say");
  EXPECT_EQ(reply.header("Micro-Method"), "Echo.Say");
  EXPECT_EQ(reply.header("Micro-Service"), "greeter");
  EXPECT_EQ(reply.header("Micro-Id"), "0");
  EXPECT_EQ(reply.header("Micro-Error"), "");
  EXPECT_EQ(reply.header("Foo-Bar"), "") << "what the caller sent is its own";
}

TEST_F(Mucp, MethodPathAndQueryMeanNothing) {
  EXPECT_EQ(ask("PUT /some/where?x=1 HTTP/1.1\r\nHost: x\r\nMicro-Method: Echo.Say\r\nContent-Type: application/json\r\n"
                "Content-Length: 3\r\n\r\n\"B\"")
                .body,
            "\"you said B\"\n");
}

TEST_F(Mucp, EnoughIsANameAndAContentType) {
  for (const std::string name : {"Micro-Endpoint", "Micro-Method", "X-Micro-Endpoint", "X-Micro-Method", "micro-endpoint"}) {
    EXPECT_EQ(ask(post(name + ": Echo.Say\r\nContent-Type: application/json\r\n", "\"B\"\n")).body, "\"you said B\"\n") << name;
  }
  Text text;
  text.set_value("B");
  const Message reply = ask(post("Micro-Endpoint: Echo.Say\r\n", text.SerializeAsString()));
  text.set_value("you said B");
  EXPECT_EQ(reply.body, text.SerializeAsString()) << "without a content type it is protobuf";
}

TEST_F(Mucp, BodiesOfEveryContentType) {
  Text text;
  text.set_value("B");
  const std::string proto = text.SerializeAsString();
  text.set_value("you said B");
  const std::string said = text.SerializeAsString();
  const auto with = [](const std::string& type) {
    return "Micro-Endpoint: Echo.Say\r\nContent-Type: " + type + "\r\nMicro-Id: 7\r\n";
  };
  const auto prefix = [](const std::string& bytes) { return "\0\0\0"s + static_cast<char>(bytes.size()) + bytes; };

  EXPECT_EQ(ask(post(with("application/protobuf"), proto)).body, said);
  EXPECT_EQ(ask(post(with("application/octet-stream"), proto)).body, said);
  EXPECT_EQ(ask(post(with("application/json-rpc"), R"({"id":"7","method":"Echo.Say","params":["B"]})")).body,
            "{\"id\":\"7\",\"result\":\"you said B\",\"error\":null}\n");
  const std::string seq = "\x11\x07\0\0\0\0\0\0\0"s;
  EXPECT_EQ(ask(post(with("application/proto-rpc"), prefix("\x0a\x08"
                                                           "Echo.Say" +
                                                           seq) +
                                                        prefix(proto)))
                .body,
            prefix(seq) + prefix(said));
  const Message framed = ask(post(with("application/grpc"), "\0"s + prefix(proto)));
  EXPECT_EQ(framed.body, "\0"s + prefix(said));
  EXPECT_EQ(framed.header("Grpc-Status"), "0");
  EXPECT_EQ(ask(post(with("application/grpc+json"), "\0"s + prefix("\"B\""))).body, "\0"s + prefix("\"you said B\""));
}

TEST_F(Mucp, AnEmptyBodyIsAMessageWithoutFields) {
  for (const std::string type : {"application/json", "application/json-rpc", "application/grpc+json"}) {
    const Message reply = ask(post("Micro-Endpoint: Echo.Say\r\nContent-Type: " + type + "\r\n", ""));
    EXPECT_THAT(reply.body, HasSubstr("\"you said \"")) << type;
  }
  Text text;
  text.set_value("you said ");
  const Message reply = ask(post("Micro-Endpoint: Echo.Say\r\nContent-Type: application/protobuf\r\n", ""));
  EXPECT_EQ(reply.body, text.SerializeAsString());
  const Message empty = ask(post("Micro-Endpoint: Echo.Later\r\nContent-Type: application/protobuf\r\n", ""));
  EXPECT_EQ(empty.header("Content-Length"), "0") << "and so is one that is answered";
}

TEST_F(Mucp, LegacyCodecsByMicroTargetUnlessMicroProtocolSaysOtherwise) {
  const std::string json_rpc = R"({"id":"3","method":"Echo.Say","params":["B"]})";
  const std::string names = "Micro-Endpoint: Echo.Say\r\nContent-Type: application/json\r\nMicro-Target: x\r\n";
  EXPECT_EQ(ask(post(names, json_rpc)).body, "{\"id\":\"3\",\"result\":\"you said B\",\"error\":null}\n");
  EXPECT_EQ(ask(post(names + "Micro-Protocol: mucp\r\n", "\"B\"")).body, "\"you said B\"\n");
}

TEST_F(Mucp, JsonRpcWithoutNamesInHeaders) {
  EXPECT_EQ(ask(post("Content-Type: application/json\r\n", R"({"id":7,"method":"Echo.Say","params":["B"]})")).body,
            "{\"id\":\"7\",\"result\":\"you said B\",\"error\":null}\n");
  const Message failed = ask(post("Content-Type: application/json\r\n", R"({"id":7,"method":"Echo.No","params":[]})"));
  EXPECT_EQ(failed.body, "{\"id\":\"\",\"result\":null,\"error\":\"rpc: can't find method No\"}\n");
  EXPECT_EQ(failed.header("Micro-Error"), "rpc: can't find method No");
  EXPECT_EQ(failed.header("X-Micro-Error"), "rpc: can't find method No");
}

TEST_F(Mucp, OrdinaryRequestsAreNotTakenForIt) {
  EXPECT_THAT(ask(post("Content-Type: application/json\r\n", R"({"hello":1})")).head, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask(post("Content-Type: application/json\r\n", "")).head, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask(post("Content-Type: text/plain\r\n", R"({"method":"Echo.Say"})")).head, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").head, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("POST /else HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n"
                  "{\"method\":\"Echo.Say\"}   ")
                  .head,
              StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nMicro-Id: 1\r\nContent-Type: application/json\r\n"
                  "Content-Length: 3\r\n\r\n\"B\"")
                  .body,
              HasSubstr("you said B"));
}

TEST_F(Mucp, UnknownContentTypesAreAnsweredInText) {
  for (const std::string type : {"text/html", "application/json; charset=utf-8", "Application/JSON"}) {
    Peer peer(server);
    peer.send(post("Micro-Endpoint: Echo.Say\r\nContent-Type: " + type + "\r\n", ""));
    const Message reply = peer.next();
    EXPECT_THAT(reply.head, StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(reply.header("Content-Type"), "text/plain");
    EXPECT_EQ(reply.header("Micro-Error"), "");
    EXPECT_EQ(reply.body, "unsupported Content-Type: " + type);
    peer.send(call("Echo.Say", "\"B\""));
    EXPECT_EQ(peer.next().body, "\"you said B\"\n") << "the connection goes on";
  }
}

TEST_F(Mucp, UnknownNamesAreAnsweredInTheWordsOfGo) {
  const std::pair<std::string, std::string> rows[] = {{"Nobody.Say", "rpc: can't find service Nobody"},
                                                      {"Echo.Nothing", "rpc: can't find method Nothing"},
                                                      {"Echo", "rpc: service/endpoint request ill-formed: Echo"},
                                                      {"a.b.c", "rpc: service/endpoint request ill-formed: a.b.c"},
                                                      {"/test.Echo/Say", "rpc: can't find service /test"}};
  for (const auto& [name, error] : rows) {
    const Message reply = ask(call(name, "{}\n"));
    EXPECT_THAT(reply.head, StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(reply.header("Micro-Error"), error);
    EXPECT_EQ(reply.header("X-Micro-Error"), error);
    EXPECT_EQ(reply.body, "");
    EXPECT_EQ(reply.header("Content-Length"), "0");
  }
}

TEST_F(Mucp, ErrorsOfHandlers) {
  const std::string json =
      R"({"id":"NO_TEXT","code":404,"detail":"no such text","status":"Not Found","metadata":{"key":"value"}})";
  const Message reply = ask(call("Echo.Say", "\"fail\""));
  EXPECT_THAT(reply.head, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(reply.header("Micro-Error"), json);
  EXPECT_EQ(reply.header("X-Micro-Error"), json);
  EXPECT_EQ(reply.body, "");
  EXPECT_THAT(ask(call("Echo.Say", "{\"bad\":")).header("Micro-Error"), StartsWith("rpc: router cannot decode request: "));
  EXPECT_THAT(ask(call("Echo.Say", "17")).header("Micro-Error"), StartsWith("rpc: router cannot decode request: "));
  const Message framed = ask(post("Micro-Endpoint: Echo.No\r\nContent-Type: application/grpc\r\n", "\0\0\0\0\0"s));
  EXPECT_EQ(framed.header("Grpc-Status"), "13");
  EXPECT_EQ(framed.header("Grpc-Message"), "rpc: can't find method No");
  const Message bytes = ask(post("Micro-Endpoint: Echo.No\r\nContent-Type: application/octet-stream\r\n", ""));
  EXPECT_EQ(bytes.header("Micro-Error"), "rpc: can't find method No") << "go-micro would not answer at all";
}

TEST_F(Mucp, MetadataBothWays) {
  const Message reply = ask(call("Echo.Say", "\"B\"", "x-echo: hello\r\n"));
  EXPECT_EQ(reply.header("x-echo"), "hello");
  EXPECT_EQ(reply.header("x-trailer"), "end");
}

TEST_F(Mucp, TheTimeoutHeaderIsTheDeadline) {
  const Message reply = ask(post("Micro-Endpoint: Echo.Hang\r\nContent-Type: application/json\r\nTimeout: 1000000\r\n", ""));
  EXPECT_THAT(reply.header("Micro-Error"), HasSubstr("\"code\":408"));
  EXPECT_EQ(mucp::decode_error(reply.header("Micro-Error")).code(), Code::kDeadlineExceeded);
  const Message none = ask(post("Micro-Endpoint: Echo.Say\r\nContent-Type: application/json\r\nTimeout: 5s\r\n", "\"B\""));
  EXPECT_EQ(none.body, "\"you said B\"\n") << "what is no number is no deadline";
}

TEST_F(Mucp, PipelinedCallsAreAnsweredInOrderEachWithItsOwnHeaders) {
  Peer peer(server);
  peer.send(call("Echo.Later", "\"a\"", "", "0") + call("Echo.Say", "\"b\"", "Micro-Stream: 7\r\n", "1") +
            call("Echo.No", "", "", "2"));
  const Message first = peer.next();
  EXPECT_EQ(first.body, "\"a\"\n");
  EXPECT_EQ(first.header("Micro-Id"), "0");
  const Message second = peer.next();
  EXPECT_EQ(second.body, "\"you said b\"\n") << "the method decides what is a stream";
  EXPECT_EQ(second.header("Micro-Id"), "1");
  const Message third = peer.next();
  EXPECT_EQ(third.header("Micro-Id"), "2");
  EXPECT_THAT(third.header("Micro-Error"), HasSubstr("No"));
}

TEST_F(Mucp, TheConnectionStaysUntilItIsAskedToClose) {
  Peer peer(server);
  for (int i = 0; i < 100; ++i) {
    peer.send(call("Echo.Say", i % 2 == 0 ? "\"B\"" : ""));
    const Message reply = peer.next();
    ASSERT_THAT(reply.head, Not(HasSubstr("Connection: close")));
  }
  peer.send(call("Echo.Say", "\"B\"", "Connection: close\r\n"));
  const Message last = peer.next();
  EXPECT_EQ(last.header("Connection"), "close");
  EXPECT_TRUE(peer.ended());
}

TEST_F(Mucp, BytesOneByOne) {
  Peer peer(server);
  for (const char c : call("Echo.Say", "\"B\"") + call("Echo.Say", "")) peer.send({&c, 1});
  EXPECT_EQ(peer.next().body, "\"you said B\"\n");
  EXPECT_EQ(peer.next().body, "\"you said \"\n");
}

TEST_F(Mucp, NothingIsSaidBeforeTheAnswer) {
  const Message reply = ask(call("Echo.Say", "\"B\""));
  EXPECT_THAT(reply.head, Not(HasSubstr("100 Continue")));
}

TEST_F(Mucp, TooLargeBodies) {
  const std::string size = std::to_string(TestServer::default_options().max_receive_message_size + 1);
  const Message reply =
      ask("POST / HTTP/1.1\r\nHost: x\r\nMicro-Endpoint: Echo.Say\r\nContent-Type: application/json\r\nContent-Length: " + size +
          "\r\n\r\n");
  EXPECT_THAT(reply.head, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(reply.header("Micro-Error"), HasSubstr("\"code\":413"));
  EXPECT_EQ(server.server.counters().oversized, 1u);
}

TEST_F(Mucp, PagesOfOtherSitesMayNotCall) {
  const Message reply = ask(call("Echo.Say", "\"B\"", "Origin: https://evil.example\r\n"));
  EXPECT_THAT(reply.head, StartsWith("HTTP/1.1 403"));
}

TEST_F(Mucp, ServerStream) {
  Peer peer(server);
  peer.send(of_stream("Echo.Repeat", "5", "\"ignored\"\n"));
  peer.send(of_stream("Echo.Repeat", "5", "\"x\"\n"));
  for (int i = 0; i < 3; ++i) {
    const Message message = peer.next();
    EXPECT_THAT(message.head, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(message.body, "\"x" + std::to_string(i) + "\"\n");
    for (const std::string name : {"Micro-Endpoint", "Micro-Method", "X-Micro-Endpoint", "X-Micro-Method"}) {
      EXPECT_EQ(message.header(name), "Echo.Repeat") << name;
    }
    EXPECT_EQ(message.header("Micro-Service"), "greeter");
    EXPECT_EQ(message.header("X-Micro-Service"), "greeter");
    EXPECT_EQ(message.header("Micro-Error"), "");
  }
  const Message end = peer.next();
  EXPECT_EQ(end.header("Micro-Error"), "EOS");
  EXPECT_EQ(end.header("X-Micro-Error"), "EOS");
  EXPECT_EQ(end.body, "");
  EXPECT_TRUE(peer.ended());
}

TEST_F(Mucp, AnOpenerWithoutABody) {
  Peer peer(server);
  peer.send(of_stream("Echo.Repeat", "5", "") + of_stream("Echo.Repeat", "5", ""));
  EXPECT_EQ(peer.next().body, "\"0\"\n") << "an empty message";
}

TEST_F(Mucp, BidiStreamAndTheCallersEnd) {
  Peer peer(server);
  peer.send(of_stream("Echo.Chat", "0", "{}\n"));
  for (const std::string text : {"\"a\"\n", "\"b\"\n", "\"c\"\n"}) {
    peer.send(of_stream("Echo.Chat", "0", text));
    EXPECT_EQ(peer.next().body, text);
  }
  peer.send(of_stream("Echo.Chat", "0", "", "Micro-Error: EOS\r\n"));
  // Whoever has said EOS hears no more of the stream, and the connection goes on.
  peer.send(call("Echo.Say", "\"B\"", "", "9"));
  const Message next = peer.next();
  EXPECT_EQ(next.body, "\"you said B\"\n");
  EXPECT_EQ(next.header("Micro-Id"), "9");
  // With the same number, too.
  peer.send(of_stream("Echo.Chat", "0", "") + of_stream("Echo.Chat", "0", "\"d\"\n"));
  EXPECT_EQ(peer.next().body, "\"d\"\n");
}

TEST_F(Mucp, TheServersEndOfABidiStream) {
  Peer peer(server);
  peer.send(of_stream("Echo.Chat", "0", "") + of_stream("Echo.Chat", "0", "\"bye\"\n"));
  EXPECT_EQ(peer.next().header("Micro-Error"), "EOS");
  // What was under way begins no second stream, nor does go-micro's farewell.
  peer.send(of_stream("Echo.Chat", "0", "\"late\"\n") + of_stream("Echo.Chat", "0", "", "Micro-Error: EOS\r\n"));
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(server.server.counters().calls, 1u);
}

TEST_F(Mucp, ClientStreamByHalfClose) {
  Peer peer(server);
  peer.send(of_stream("Echo.Join", "0", ""));
  for (const std::string text : {"\"a\"", "\"b\"", "\"c\""}) peer.send(of_stream("Echo.Join", "0", text));
  peer.send(of_stream("Echo.Join", "0", "", "Micro-Error: EOS\r\n"));
  EXPECT_EQ(peer.next().body, "\"abc\"\n");
}

TEST_F(Mucp, WhatWasSentBeforeGoClosesItsConnectionIsHandled) {
  Peer peer(server);
  std::string all = of_stream("Echo.Join", "0", "");
  for (int i = 0; i < 1000; ++i) all += of_stream("Echo.Join", "0", "\"x\"");
  peer.send(all + of_stream("Echo.Join", "0", "", "Micro-Error: EOS\r\n"));
  peer.end();
  EXPECT_EQ(peer.next().body, "\"" + std::string(1000, 'x') + "\"\n");
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(server.server.counters().failed_calls, 0u);
}

TEST_F(Mucp, ACallerThatGoesAwayWithoutEosCancels) {
  {
    Peer peer(server);
    peer.send(of_stream("Echo.Chat", "0", "") + of_stream("Echo.Chat", "0", "\"a\""));
    EXPECT_EQ(peer.next().body, "\"a\"\n");
  }
  while (server.server.counters().open_calls != 0) std::this_thread::yield();
  EXPECT_EQ(server.server.counters().failed_calls, 1u);
}

TEST_F(Mucp, ErrorsOfStreams) {
  Peer peer(server);
  peer.send(of_stream("Echo.Chat", "0", "") + of_stream("Echo.Chat", "0", "17"));
  EXPECT_THAT(peer.next().header("Micro-Error"), StartsWith("rpc: router cannot decode request: "));
  Peer other(server);
  other.send(of_stream("Echo.Repeat", "0", "") + of_stream("Echo.Repeat", "0", "", "Micro-Error: EOS\r\n"));
  EXPECT_THAT(other.next().header("Micro-Error"), HasSubstr("no request message"));
  Peer cancelling(server);
  cancelling.send(of_stream("Echo.Chat", "0", "") + of_stream("Echo.Chat", "0", "", "Micro-Error: I give up\r\n"));
  EXPECT_THAT(cancelling.next().header("Micro-Error"), HasSubstr("I give up"));
}

TEST_F(Mucp, EnvelopesOfStreamsSayTheEndToo) {
  const std::string headers =
      "Micro-Endpoint: Echo.Repeat\r\nMicro-Stream: 4\r\nMicro-Id: 4\r\nContent-Type: application/json-rpc\r\n";
  Peer peer(server);
  peer.send(post(headers, "") + post(headers, R"({"id":"4","method":"Echo.Repeat","params":["x"]})"));
  EXPECT_EQ(peer.next().body, "{\"id\":\"4\",\"result\":\"x0\",\"error\":null}\n");
  peer.next();
  peer.next();
  const Message end = peer.next();
  EXPECT_EQ(end.header("Micro-Error"), "EOS");
  EXPECT_EQ(end.body, "{\"id\":\"\",\"result\":null,\"error\":\"EOS\"}\n");
}

TEST_F(Mucp, AStreamHasItsConnectionToItself) {
  Peer peer(server);
  peer.send(of_stream("Echo.Chat", "0", "") + call("Echo.Say", "\"B\"", "", "9"));
  EXPECT_THAT(peer.next().header("Micro-Error"), HasSubstr("connection of its own"));
  EXPECT_TRUE(peer.ended());
}

TEST_F(Mucp, LargeMessagesOfStreams) {
  Peer peer(server);
  const std::string text = "\"" + std::string(1 << 20, 'x') + "\"\n";
  peer.send(of_stream("Echo.Chat", "0", ""));
  for (int i = 0; i < 3; ++i) {
    peer.send(of_stream("Echo.Chat", "0", text));
    EXPECT_EQ(peer.next().body, text);
  }
  const std::string size = std::to_string(TestServer::default_options().max_receive_message_size + 1);
  peer.send("POST / HTTP/1.1\r\nHost: x\r\nMicro-Endpoint: Echo.Chat\r\nMicro-Stream: 0\r\nContent-Length: " + size + "\r\n\r\n");
  EXPECT_THAT(peer.next().header("Micro-Error"), HasSubstr("\"code\":413"));
}

TEST_F(Mucp, EventsAreAnsweredAndCounted) {
  Peer peer(server);
  peer.send(post("Micro-Topic: news\r\nContent-Type: application/json\r\n", "{\"a\":1}\n"));
  const Message reply = peer.next();
  EXPECT_THAT(reply.head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.header("Micro-Error"), "");
  EXPECT_EQ(server.server.counters().unclaimed_events, 1u);
  peer.send(call("Echo.Say", "\"B\""));
  EXPECT_EQ(peer.next().body, "\"you said B\"\n");
}

TEST(MucpEvents, AreTold) {
  struct Observer final : EventObserver {
    void on_unclaimed_event(const std::string& peer, std::string_view topic) override { seen = std::string(topic) + " " + peer; }
    std::string seen;
  };
  ServerOptions options = TestServer::default_options();
  const auto observer = std::make_shared<Observer>();
  options.event_observer = observer;
  TestServer server(1, options);
  server.start();
  {
    Peer peer(server);
    peer.send(post("Micro-Topic: news\r\n", ""));
    EXPECT_THAT(peer.next().head, StartsWith("HTTP/1.1 200"));
  }
  server.stop();
  EXPECT_THAT(observer->seen, StartsWith("news 127.0.0.1:"));
}

}  // namespace
}  // namespace micro::rpc::test
