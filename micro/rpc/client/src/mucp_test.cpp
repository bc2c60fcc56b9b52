// Nodes that speak go-micro's own RPC alone.
#include <google/protobuf/wrappers.pb.h>

#include <micro/codecs/protobuf.hpp>
#include <micro/mucp/error.hpp>
#include <micro/registry/memory.hpp>

#include "client_fixture.hpp"
#include "fake_mucp.hpp"

namespace micro::client::testing {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class MucpClient : public ClientFixture {
 protected:
  ~MucpClient() override {
    if (client_) block_on(loop_, client_->stop(Clock::now()));
    client_.reset();
    for (const auto& peer : peers_) block_on(loop_, peer->stop());
    block_on(loop_, cache_.stop());
    while (loop_.run_once(Duration::zero())) {
    }
  }

  FakeMucp& serve_mucp(FakeMucp::Handler handler, registry::Properties metadata = {{"protocol", "mucp"}}) {
    peers_.push_back(std::make_unique<FakeMucp>(loop_, std::move(handler)));
    add(peers_.back()->address(), std::move(metadata));
    return *peers_.back();
  }
  void add(const std::string& address, registry::Properties metadata) {
    registry::Service record;
    record.name = "greeter";
    record.nodes.push_back({.id = "greeter-" + std::to_string(next_++), .address = address, .metadata = std::move(metadata)});
    Context context;
    ASSERT_TRUE(block_on(loop_, registry_->register_service(context, record, {})));
  }
  rpc::Client& named() {
    if (!client_) {
      cache_.start(loop_);
      client_ = std::make_unique<rpc::Client>(group_, &cache_, options_);
    }
    return *client_;
  }
  rpc::CallOptions json() {
    rpc::CallOptions options;
    options.mucp_content_type = "application/json";
    return options;
  }
  using Text = google::protobuf::StringValue;
  static Text text(std::string value) {
    Text message;
    message.set_value(std::move(value));
    return message;
  }
  Task<Result<std::string>> say(Context& context, rpc::CallOptions options, std::string value) {
    const Text request = text(std::move(value));
    Text reply;
    const Result<void> done =
        co_await named().call(context, "greeter", "pkg.Greeter", "Hello", codec::ref(request), codec::ref(reply), options);
    if (!done) co_return fail(done.error());
    co_return reply.value();
  }
  Result<std::string> say(const rpc::CallOptions& options, std::string value = "B") {
    Context context;
    return run(say(context, options, std::move(value)));
  }
  Task<Result<std::unique_ptr<rpc::ClientStream>>> chat(Context& context, rpc::MethodKind kind, rpc::CallOptions options,
                                                        codec::MessageRef request = {}) {
    co_return co_await named().stream(context, "greeter", "pkg.Greeter", "Chat", kind, request, options);
  }
  static Task<Result<std::string>> next(rpc::ClientStream& stream) {
    Text message;
    const Result<bool> more = co_await stream.read(codec::ref(message));
    if (!more) co_return fail(more.error());
    co_return *more ? message.value() : std::string("end");
  }
  static Task<Result<void>> write(rpc::ClientStream& stream, std::string value) {
    const Text message = text(std::move(value));
    co_return co_await stream.write(codec::ref(message));
  }

  std::shared_ptr<registry::Memory> registry_ = std::make_shared<registry::Memory>();
  registry::Cache cache_{registry_};
  std::vector<std::unique_ptr<FakeMucp>> peers_;
  int next_ = 0;
};

// What every response of Go's server repeats of the first request on its connection.
const std::string kEchoed =
    "Accept: application/json\r\nContent-Type: application/json\r\nMicro-Id: 0\r\nMicro-Endpoint: Greeter.Hello\r\n"
    "Timeout: 5000000000\r\nX-Stale: yes\r\n";

void hi(FakeMucp::Message& message) {
  message.answer = FakeMucp::response(kEchoed, "\"Hi " + message.body.substr(1, 1) + "\"\n");
}

TEST_F(MucpClient, TheBytesOfACall) {
  FakeMucp& peer = serve_mucp(hi);
  Context context;
  context.set_timeout(seconds(100));
  context.outgoing().add("Foo-Bar", "v1");
  context.outgoing().add("Micro-Topic", "never");
  rpc::CallOptions options = json();
  options.timeout = seconds(5);
  EXPECT_EQ(run(say(context, options, "B")), "Hi B");
  ASSERT_EQ(peer.messages.size(), 1u);
  const FakeMucp::Message& sent = peer.messages[0];
  EXPECT_THAT(sent.bytes, StartsWith("POST / HTTP/1.1\r\nHost: " + peer.address() + "\r\n"));
  EXPECT_EQ(sent.body, "\"B\"\n");
  EXPECT_EQ(sent.header("Content-Length"), "4");
  EXPECT_EQ(sent.header("Content-Type"), "application/json");
  EXPECT_EQ(sent.header("Accept"), "application/json");
  EXPECT_EQ(sent.header("Micro-Endpoint"), "Greeter.Hello") << "without the package";
  EXPECT_EQ(sent.header("Micro-Method"), "Greeter.Hello");
  EXPECT_EQ(sent.header("Micro-Service"), "greeter");
  EXPECT_EQ(sent.header("Micro-Id"), "0");
  EXPECT_EQ(sent.header("Foo-Bar"), "v1");
  EXPECT_FALSE(sent.headers.contains("Micro-Topic")) << "it would make an event of the call";
  EXPECT_FALSE(sent.headers.contains("Micro-Stream"));
  EXPECT_FALSE(sent.headers.contains("Expect"));
  const std::uint64_t timeout = std::stoull(sent.header("Timeout"));
  EXPECT_LE(timeout, 5'000'000'000u);
  EXPECT_GT(timeout, 0u);
  EXPECT_EQ(context.reply_headers().size(), 0u) << "what Go repeats says nothing";
  EXPECT_EQ(context.peer(), peer.address());
}

TEST_F(MucpClient, EveryContentType) {
  const std::string said = text("Hi").SerializeAsString();
  const auto prefix = [](const std::string& bytes) { return "\0\0\0"s + static_cast<char>(bytes.size()) + bytes; };
  std::string answer;
  FakeMucp& peer = serve_mucp([&](FakeMucp::Message& message) { message.answer = FakeMucp::response("", answer); });
  const std::pair<std::string, std::string> rows[] = {
      {"application/protobuf", said},
      {"application/octet-stream", said},
      {"application/json", "\"Hi\"\n"},
      {"application/json-rpc", "{\"id\":\"3\",\"result\":\"Hi\",\"error\":null}\n"},
      {"application/proto-rpc", prefix("\x11\x04\0\0\0\0\0\0\0"s) + prefix(said)},
      {"application/grpc", "\0"s + prefix(said)},
      {"application/grpc+json", "\0"s + prefix("\"Hi\"")}};
  for (const auto& [type, body] : rows) {
    answer = body;
    rpc::CallOptions options;
    options.mucp_content_type = type;
    EXPECT_EQ(say(options), "Hi") << type;
    EXPECT_EQ(peer.messages.back().header("Content-Type"), type);
  }
  answer = said;
  EXPECT_EQ(say({}), "Hi");
  EXPECT_EQ(peer.messages.back().header("Content-Type"), "application/protobuf") << "unless somebody says otherwise";
  EXPECT_EQ(peer.messages.back().body, text("B").SerializeAsString());
  rpc::CallOptions wrong;
  wrong.mucp_content_type = "text/plain";
  EXPECT_EQ(say(wrong).error().code(), Code::kInvalidArgument);
}

TEST_F(MucpClient, NodesWithoutAProtocolKnowTheLegacyCodecs) {
  FakeMucp& peer = serve_mucp(
      [](FakeMucp::Message& message) {
        message.answer = FakeMucp::response("", "{\"id\":\"\",\"result\":\"Hi\",\"error\":null}\n");
      },
      {{"server", "mucp"}, {"transport", "http"}});
  EXPECT_EQ(say(json()), "Hi");
  EXPECT_EQ(peer.messages[0].header("Content-Type"), "application/json-rpc");
  EXPECT_EQ(peer.messages[0].body, "{\"params\":[\"B\"],\"id\":\"0\",\"method\":\"Greeter.Hello\"}\n");
}

TEST_F(MucpClient, EmptyMessagesAreChunkedAsGoHasThem) {
  FakeMucp& peer = serve_mucp([](FakeMucp::Message& message) { message.answer = FakeMucp::response("", ""); });
  EXPECT_EQ(say({}, ""), "");
  EXPECT_TRUE(peer.messages[0].chunked);
  EXPECT_THAT(peer.messages[0].bytes, ::testing::EndsWith("\r\n\r\n0\r\n\r\n"));
}

TEST_F(MucpClient, NodesOfOursAreCalledByGrpc) {
  FakeServer& ours = serve(hello);
  add(ours.address(), {{"protocol", "mucp"}, {"protocols", "grpc,http,mucp"}});
  std::string request = "John";
  std::string reply;
  Context context;
  const auto done = run(named().call(context, "greeter", "greeter.Greeter", "Hello", codec::ref(request), codec::ref(reply), {}));
  EXPECT_TRUE(done) << done.error().message();
  EXPECT_EQ(reply, "Hello John");
}

TEST_F(MucpClient, ErrorsOfItsGrpcServers) {
  const Error error = Error(Code::kNotFound, "no such name").with("micro_id", "greeter.fail");
  FakeServer& go = serve([&](const FakeCallPtr& asked) {
    Error told(Code::kNotFound, mucp::encode_error(error));
    told.add_detail(mucp::encode_detail(error));
    asked->error(told);
  });
  const Result<std::string> reply = call(at(go));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().message(), "no such name");
  ASSERT_NE(reply.error().find("micro_id"), nullptr);
  EXPECT_EQ(*reply.error().find("micro_id"), "greeter.fail");
}

TEST_F(MucpClient, OneCallAtATimeOnAConnection) {
  std::vector<int> connections;
  FakeMucp& peer = serve_mucp(hi);
  std::vector<Task<Result<std::string>>> calls;
  Context context;
  for (int i = 0; i < 5; ++i) calls.push_back(say(context, json(), "B"));
  for (const Result<std::string>& reply : run(when_all(std::move(calls)))) EXPECT_EQ(reply, "Hi B");
  EXPECT_EQ(peer.accepted(), 5);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(say(json()), "Hi B");
  EXPECT_EQ(peer.accepted(), 5) << "one after the other they use what is there";
}

TEST_F(MucpClient, AConnectionThatWasClosedWhileIdleFailsNoCall) {
  FakeMucp& peer = serve_mucp(hi);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(say(json()), "Hi B");
    peer.close_connections();
    if (i == 1) run_until([&] { return peer.open() == 0; });
  }
  EXPECT_EQ(peer.accepted(), 3);
}

TEST_F(MucpClient, AConnectionThatTheServerClosesIsNotUsedAgain) {
  FakeMucp& peer = serve_mucp([](FakeMucp::Message& message) {
    message.answer = FakeMucp::response("Connection: close\r\n", "\"Hi\"\n");
    message.close = true;
  });
  EXPECT_EQ(say(json()), "Hi");
  EXPECT_EQ(say(json()), "Hi");
  EXPECT_EQ(peer.accepted(), 2);
}

TEST_F(MucpClient, StaleHeadersMeanNothing) {
  serve_mucp([](FakeMucp::Message& message) {
    message.answer = FakeMucp::response(
        "Micro-Id: 4711\r\nContent-Type: application/grpc\r\nX-Micro-Error: old\r\nMicro-Endpoint: Other.Method\r\n", "\"Hi\"\n");
  });
  EXPECT_EQ(say(json()), "Hi");
}

TEST_F(MucpClient, ErrorsOfTheService) {
  std::string error = R"({"id":"greeter.fail","code":404,"detail":"a \u003cb\u003e","status":"Not Found"})";
  FakeMucp& peer = serve_mucp([&](FakeMucp::Message& message) {
    message.answer = FakeMucp::response(kEchoed + "Micro-Error: " + error + "\r\nX-Micro-Error: " + error + "\r\n", "");
  });
  EXPECT_EQ(say(json()).error(), not_found("a <b>").with("micro_id", "greeter.fail"));
  error = "plain text";
  EXPECT_EQ(say(json()).error(), unknown("plain text"));
  error = "rpc: can't find method Hello";
  EXPECT_EQ(say(json()).error(), unimplemented("rpc: can't find method Hello"));
  EXPECT_EQ(peer.messages.size(), 3u) << "not repeated";
  EXPECT_EQ(peer.accepted(), 3) << "and not on a connection that had one";
}

TEST_F(MucpClient, AnswersThatAreNone) {
  std::string answer;
  bool close = false;
  serve_mucp([&](FakeMucp::Message& message) {
    message.answer = answer;
    message.close = close;
  });
  answer = FakeMucp::response("Content-Type: text/plain\r\n", "unsupported Content-Type: application/json");
  EXPECT_EQ(say(json()).error().code(), Code::kUnimplemented);
  EXPECT_THAT(say(json()).error().message(), HasSubstr("unsupported Content-Type: application/json"));
  answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops";
  EXPECT_EQ(say(json()).error().code(), Code::kInternal);
  EXPECT_THAT(say(json()).error().message(), HasSubstr("oops"));
  answer = FakeMucp::response("", "{\"bad\"");
  EXPECT_EQ(say(json()).error().code(), Code::kInternal);
  answer = FakeMucp::response("Micro-Error: EOS\r\n", "");
  EXPECT_EQ(say(json()).error().code(), Code::kInternal);
  answer = "SSH-2.0-x\r\n\r\n";
  EXPECT_EQ(say(json()).error().code(), Code::kInternal);
  answer = "";
  close = true;
  EXPECT_EQ(say(json()).error().code(), Code::kUnavailable) << "it may have been done";
}

TEST_F(MucpClient, NoAnswerIsATimeout) {
  FakeMucp& peer = serve_mucp([](FakeMucp::Message&) {});
  rpc::CallOptions options = json();
  options.timeout = milliseconds(20);
  const Result<std::string> reply = say(options);
  EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(reply.error().message(), HasSubstr("pkg.Greeter/Hello at " + peer.address() + ": no answer within 20ms"));
  run_until([&] { return peer.open() == 0; });
}

TEST_F(MucpClient, CancellingEndsACall) {
  FakeMucp* peer = nullptr;
  Context context;
  peer = &serve_mucp([&](FakeMucp::Message&) { context.cancel(cancelled("changed my mind")); });
  const Result<std::string> reply = run(say(context, json(), "B"));
  EXPECT_EQ(reply.error().code(), Code::kCancelled);
  EXPECT_THAT(reply.error().message(), HasSubstr("changed my mind"));
  run_until([&] { return peer->open() == 0; });
}

TEST_F(MucpClient, NodesThatAreGoneAreLeftForOthers) {
  FakeMucp& gone = serve_mucp(hi);
  serve_mucp(hi);
  block_on(loop_, gone.stop());
  for (int i = 0; i < 40; ++i) EXPECT_EQ(say(json()), "Hi B");
  EXPECT_LT(client_->counters().retries, 20u) << "and not tried by every other call";
}

TEST_F(MucpClient, ServerStream) {
  FakeMucp& peer = serve_mucp([n = 0](FakeMucp::Message& message) mutable {
    // As go-micro: what opens the stream is not looked at.
    if (++n != 2) return;
    for (const std::string part : {"0", "1", "2"}) {
      message.answer += FakeMucp::response("Micro-Id: 0\r\n", "\"" + message.body.substr(1, 1) + part + "\"\n");
    }
    message.answer += FakeMucp::response("Micro-Error: EOS\r\nX-Micro-Error: EOS\r\n", "");
  });
  Context context;
  const Text request = text("B");
  auto stream = run(chat(context, rpc::MethodKind::kServerStream, json(), codec::ref(request)));
  ASSERT_TRUE(stream) << stream.error().message();
  std::vector<std::string> all;
  for (int i = 0; i < 4; ++i) all.push_back(run(next(**stream)).value());
  EXPECT_THAT(all, ElementsAre("B0", "B1", "B2", "end"));
  EXPECT_EQ(run(next(**stream)), "end") << "and stays so";
  ASSERT_GE(peer.messages.size(), 2u);
  EXPECT_EQ(peer.messages[0].header("Micro-Stream"), peer.messages[0].header("Micro-Id"));
  EXPECT_EQ(peer.messages[0].body, "");
  EXPECT_TRUE(peer.messages[0].chunked);
  EXPECT_FALSE(peer.messages[0].headers.contains("Timeout")) << "nobody gave the stream one";
  EXPECT_EQ(peer.messages[1].header("Micro-Stream"), peer.messages[0].header("Micro-Stream"));
  EXPECT_EQ(peer.messages[1].header("Micro-Endpoint"), "Greeter.Chat");
  EXPECT_EQ(peer.messages[1].body, "\"B\"\n");
}

TEST_F(MucpClient, BidiStreamOnAConnectionOfItsOwn) {
  FakeMucp& peer = serve_mucp([](FakeMucp::Message& message) {
    if (message.header("Micro-Stream").empty()) return hi(message);
    if (message.header("Micro-Error").empty() && !message.body.empty()) message.answer = FakeMucp::response("", message.body);
  });
  EXPECT_EQ(say(json()), "Hi B");
  Context context;
  {
    auto stream = run(chat(context, rpc::MethodKind::kBidiStream, json()));
    ASSERT_TRUE(stream);
    for (const std::string part : {"a", "b"}) {
      EXPECT_TRUE(run(write(**stream, part)));
      EXPECT_EQ(run(next(**stream)), part);
    }
    EXPECT_EQ(say(json()), "Hi B") << "beside it";
  }
  run_until([&] { return peer.open() == 1; });
  EXPECT_EQ(peer.accepted(), 2);
  EXPECT_EQ(peer.messages.back().header("Micro-Error"), "EOS") << "as go-micro's client says good-bye";
  EXPECT_TRUE(peer.messages.back().chunked);
}

TEST_F(MucpClient, ClientStreamByHalfClose) {
  std::string all;
  serve_mucp([&](FakeMucp::Message& message) {
    if (message.header("Micro-Error") == "EOS") message.answer = FakeMucp::response("", "\"" + all + "\"\n");
    if (!message.body.empty()) all += message.body.substr(1, 1);
  });
  Context context;
  auto stream = run(chat(context, rpc::MethodKind::kClientStream, json()));
  ASSERT_TRUE(stream);
  for (const std::string part : {"a", "b", "c"}) EXPECT_TRUE(run(write(**stream, part)));
  Text reply;
  EXPECT_TRUE(run((*stream)->finish(codec::ref(reply)))) << "although go-micro says no EOS any more";
  EXPECT_EQ(reply.value(), "abc");
  EXPECT_EQ(run(write(**stream, "d")).error().code(), Code::kCancelled);
}

TEST_F(MucpClient, EndsOfStreams) {
  std::string answer;
  bool close = false;
  FakeMucp& peer = serve_mucp([&](FakeMucp::Message& message) {
    message.answer = answer;
    message.close = close;
  });
  answer = FakeMucp::response("Micro-Error: {\"code\":403,\"detail\":\"no\",\"status\":\"Forbidden\"}\r\n", "");
  Context context;
  auto refused = run(chat(context, rpc::MethodKind::kBidiStream, json()));
  ASSERT_TRUE(refused);
  EXPECT_EQ(run(next(**refused)).error(), permission_denied("no"));
  EXPECT_EQ(run(write(**refused, "x")).error(), permission_denied("no"));

  answer = "";
  close = true;
  auto lost = run(chat(context, rpc::MethodKind::kBidiStream, json()));
  ASSERT_TRUE(lost);
  EXPECT_EQ(run(next(**lost)).error().code(), Code::kUnavailable);

  close = false;
  rpc::CallOptions short_lived = json();
  short_lived.timeout = milliseconds(20);
  auto late = run(chat(context, rpc::MethodKind::kBidiStream, short_lived));
  ASSERT_TRUE(late);
  EXPECT_EQ(run(next(**late)).error().code(), Code::kDeadlineExceeded);
  EXPECT_TRUE(peer.messages.back().headers.contains("Timeout"));

  Context impatient;
  auto dropped = run(chat(impatient, rpc::MethodKind::kBidiStream, json()));
  ASSERT_TRUE(dropped);
  impatient.cancel(cancelled("enough"));
  EXPECT_EQ(run(next(**dropped)).error().code(), Code::kCancelled);
}

TEST_F(MucpClient, LargeMessages) {
  serve_mucp(
      [](FakeMucp::Message& message) { message.answer = FakeMucp::response("", "\"" + std::string(1 << 16, 'x') + "\"\n"); });
  EXPECT_EQ(say(json(), std::string(3 << 20, 'y')).value().size(), std::size_t{1} << 16);
}

TEST_F(MucpClient, LimitsOfSize) {
  options_.max_send_message_size = 10;
  options_.max_receive_message_size = 10;
  serve_mucp([](FakeMucp::Message& message) { message.answer = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"; });
  EXPECT_EQ(say(json(), "more than ten bytes").error().code(), Code::kResourceExhausted);
  EXPECT_EQ(say(json(), "a").error().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace micro::client::testing
