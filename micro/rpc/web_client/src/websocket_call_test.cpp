#include <micro/client/typed.hpp>
#include <micro/web_client/calls.hpp>

#include "close_status.hpp"
#include "fake_peer.hpp"

namespace micro::web::testing {
namespace {

using rpc::MethodKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Stream = std::unique_ptr<rpc::ClientStream>;

Method method_of(MethodKind kind) {
  return {.target = {.address = {.host = "server", .port = 8080}}, .service = "chat.Chat", .method = "Talk", .kind = kind};
}

class WebSocketCallTest : public PeerTest {
 protected:
  Stream open(MethodKind kind, CallOptions options = {}, codec::MessageRef request = {}) {
    auto stream = connection();
    Result<Stream> call = run(open_websocket(context_, std::move(stream), method_of(kind), request, std::move(options)),
                              peer().accept({.subprotocols = {"micro.json", "micro.proto"}}));
    EXPECT_TRUE(call.has_value()) << call.error().to_string();
    return call ? std::move(*call) : nullptr;
  }

  // Everything there is, and how it ended.
  static Task<std::vector<std::string>> read_all(rpc::ClientStream& stream) {
    std::vector<std::string> seen;
    while (true) {
      std::string message;
      const Result<bool> more = co_await stream.read(codec::ref(message));
      if (!more) seen.push_back("error: " + more.error().to_string());
      if (more && !*more) seen.push_back("end");
      if (!more || !*more) co_return seen;
      seen.push_back(message);
    }
  }
  static Task<Result<void>> write(rpc::ClientStream& stream, std::string message) {
    co_return co_await stream.write(codec::ref(message));
  }
};

TEST_P(WebSocketCallTest, Bidi) {
  context_.outgoing().add("x-tenant", "acme");
  context_.outgoing().add("x-data-bin", "\x01\x02");
  const Stream stream = open(MethodKind::kBidiStream);
  EXPECT_EQ(peer().head().target, "/chat.Chat/Talk");
  EXPECT_EQ(peer().head().headers.get("x-tenant"), "acme");
  EXPECT_EQ(peer().head().headers.get("x-data-bin"), "AQI");
  EXPECT_EQ(peer().head().headers.get("sec-websocket-protocol"), "micro.json");
  EXPECT_FALSE(peer().head().headers.contains("grpc-timeout"));
  std::vector<std::string> seen;
  const auto client = [&]() -> Task<std::vector<std::string>> {
    EXPECT_TRUE(co_await write(*stream, R"({"text":"a"})"));
    EXPECT_TRUE(co_await write(*stream, R"({"text":"b"})"));
    EXPECT_TRUE(co_await stream->close_send());
    EXPECT_TRUE(co_await stream->close_send()) << "twice does nothing";
    co_return co_await read_all(*stream);
  };
  const auto server = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) seen.push_back(co_await peer().next());
    co_await peer().text(R"({"text":"A"})");
    co_await peer().close(1000);
    seen.push_back(co_await peer().next());
  };
  EXPECT_THAT(run(client(), server()), ElementsAre(R"({"text":"A"})", "end"));
  EXPECT_THAT(seen, ElementsAre(R"(text({"text":"a"}))", R"(text({"text":"b"}))", "text()", "close(1000,)"));
  EXPECT_EQ(run(write(*stream, "late")).error().code(), Code::kFailedPrecondition);
}

TEST_P(WebSocketCallTest, ProtoIsBinary) {
  const Stream stream = open(MethodKind::kBidiStream, {.encoding = Encoding::kProto});
  EXPECT_EQ(peer().head().headers.get("sec-websocket-protocol"), "micro.proto");
  std::vector<std::string> seen;
  const auto client = [&]() -> Task<std::vector<std::string>> {
    EXPECT_TRUE(co_await write(*stream, "")) << "an empty message is no end";
    EXPECT_TRUE(co_await stream->close_send());
    co_return co_await read_all(*stream);
  };
  const auto server = [&]() -> Task<void> {
    for (int i = 0; i < 2; ++i) seen.push_back(co_await peer().next());
    co_await peer().binary("");
    co_await peer().binary("\x0a\x01x");
    co_await peer().close(1000);
  };
  EXPECT_THAT(run(client(), server()), ElementsAre("", "\x0a\x01x", "end"));
  EXPECT_THAT(seen, ElementsAre("binary()", "text()"));
}

TEST_P(WebSocketCallTest, ServerStreamSendsItsRequestFirst) {
  const std::string request = R"({"from":3})";
  const Stream stream = open(MethodKind::kServerStream, {}, codec::ref(request));
  EXPECT_EQ(run(write(*stream, "more")).error().code(), Code::kFailedPrecondition);
  const auto server = [&]() -> Task<void> {
    EXPECT_EQ(co_await peer().next(), "text(" + request + ")");
    for (const char* each : {"3", "2", "1"}) co_await peer().text(each);
    co_await peer().close(1000);
  };
  EXPECT_THAT(run(read_all(*stream), server()), ElementsAre("3", "2", "1", "end"));
}

TEST_P(WebSocketCallTest, FinishGivesTheOnlyReply) {
  const std::string request = "{}";
  const Stream unary = open(MethodKind::kUnary, {}, codec::ref(request));
  const auto server = [&]() -> Task<void> {
    EXPECT_EQ(co_await peer().next(), "text({})");
    co_await peer().text("reply");
    co_await peer().close(1000);
  };
  std::string reply;
  EXPECT_TRUE(run(unary->finish(codec::ref(reply)), server()).has_value());
  EXPECT_EQ(reply, "reply");

  const Stream collecting = open(MethodKind::kClientStream);
  const auto collector = [&]() -> Task<void> {
    EXPECT_EQ(co_await peer().next(), "text(a)");
    EXPECT_EQ(co_await peer().next(), "text()");
    co_await peer().text("sum");
    co_await peer().close(1000);
  };
  const auto client = [&]() -> Task<Result<void>> {
    EXPECT_TRUE(co_await write(*collecting, "a"));
    co_return co_await collecting->finish(codec::ref(reply));
  };
  EXPECT_TRUE(run(client(), collector()).has_value());
  EXPECT_EQ(reply, "sum");
}

TEST_P(WebSocketCallTest, FinishWantsExactlyOneReply) {
  std::string reply;
  const Stream none = open(MethodKind::kClientStream);
  run(peer().close(1000));
  EXPECT_THAT(run(none->finish(codec::ref(reply))).error().message(), HasSubstr("ended without a reply"));
  const Stream two = open(MethodKind::kClientStream);
  run(peer().text("1"));
  run(peer().text("2"));
  EXPECT_THAT(run(two->finish(codec::ref(reply))).error().message(), HasSubstr("more than one reply"));
}

TEST_P(WebSocketCallTest, TheServicesError) {
  const Stream stream = open(MethodKind::kBidiStream);
  const auto server = [&]() -> Task<void> {
    co_await peer().text("one");
    co_await peer().close(4005, "no such room");
  };
  EXPECT_THAT(run(read_all(*stream), server()), ElementsAre("one", "error: NOT_FOUND: no such room"));
  EXPECT_EQ(run(write(*stream, "late")).error(), not_found("no such room")) << "the writer is told, too";
  EXPECT_TRUE(run(stream->close_send()).has_value()) << "read() tells how it ended";
}

TEST_P(WebSocketCallTest, AWriterLearnsThatTheCallIsOver) {
  const Stream stream = open(MethodKind::kClientStream);
  run(peer().close(1000));
  Result<void> written = run(write(*stream, "x"));
  while (written) written = run(write(*stream, "x"));
  EXPECT_EQ(written.error().code(), Code::kCancelled);
  EXPECT_THAT(written.error().message(), HasSubstr("chat.Chat/Talk: the service has ended the call"));
}

TEST_P(WebSocketCallTest, AnErrorInsteadOfTheUpgrade) {
  auto stream = connection();
  const auto server = [&]() -> Task<void> {
    (void)co_await peer().request();
    co_await peer().respond(404, "application/json", R"({"code":"NOT_FOUND","message":"no method Talk"})");
  };
  Result<Stream> call = run(open_websocket(context_, std::move(stream), method_of(MethodKind::kBidiStream), {}, {}), server());
  ASSERT_FALSE(call.has_value());
  EXPECT_EQ(call.error(), not_found("no method Talk"));
}

TEST_P(WebSocketCallTest, TheWrongKindOfMessage) {
  const Stream stream = open(MethodKind::kBidiStream);
  run(peer().binary("x"));
  EXPECT_THAT(run(read_all(*stream)),
              ElementsAre(HasSubstr("error: INTERNAL: chat.Chat/Talk: the server answers in another kind")));
}

TEST_P(WebSocketCallTest, TheConnectionBreaks) {
  const Stream stream = open(MethodKind::kBidiStream);
  peer().stream().close();
  EXPECT_THAT(run(read_all(*stream)), ElementsAre(HasSubstr("error: UNAVAILABLE [WEBSOCKET_ABNORMAL]")));
}

TEST_P(WebSocketCallTest, DeadlinesTravel) {
  context_.set_timeout(std::chrono::hours(1));
  const Stream stream = open(MethodKind::kBidiStream, {.timeout = std::chrono::minutes(30)});
  EXPECT_THAT(std::string(peer().head().headers.get("grpc-timeout")), ::testing::MatchesRegex("(1[78]|17?9)[0-9]+m"));
}

TEST_P(WebSocketCallTest, TheDeadlineEndsTheCall) {
  auto connected = connection();
  Result<Stream> call =
      run(open_websocket(context_, std::move(connected), method_of(MethodKind::kBidiStream), {},
                         CallOptions{.timeout = std::chrono::milliseconds(5), .open_timeout = Duration::zero()}));
  ASSERT_FALSE(call.has_value());
  EXPECT_EQ(call.error().code(), Code::kDeadlineExceeded);
}

TEST_P(WebSocketCallTest, CancellationTellsTheServer) {
  const Stream stream = open(MethodKind::kBidiStream);
  const auto server = [&]() -> Task<void> {
    context_.cancel(cancelled("enough"));
    EXPECT_EQ(co_await peer().next(), "close(1001,)");
  };
  EXPECT_THAT(run(read_all(*stream), server()), ElementsAre(HasSubstr("error: CANCELLED")));
}

TEST_P(WebSocketCallTest, Limits) {
  const Stream stream = open(MethodKind::kBidiStream, {.max_receive_message_size = 5, .max_send_message_size = 4});
  EXPECT_EQ(run(write(*stream, "12345")).error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(run(write(*stream, "1234")).has_value());
  run(peer().text("123456"));
  EXPECT_THAT(run(read_all(*stream)), ElementsAre(HasSubstr("error: RESOURCE_EXHAUSTED")));
}

MICRO_WEB_INSTANTIATE(WebSocketCallTest);

TEST(CloseStatus, Table) {
  EXPECT_TRUE(result_of_close(1000, "", "a/b").has_value());
  const std::pair<std::uint16_t, Code> rows[] = {
      {1001, Code::kUnavailable}, {1002, Code::kInternal},         {1003, Code::kInvalidArgument},   {1005, Code::kUnknown},
      {1007, Code::kInternal},    {1008, Code::kPermissionDenied}, {1009, Code::kResourceExhausted}, {1010, Code::kInternal},
      {1011, Code::kInternal},    {1012, Code::kUnavailable},      {1013, Code::kUnavailable},       {1014, Code::kUnavailable},
      {3000, Code::kUnknown},     {4000, Code::kUnknown},          {4017, Code::kUnknown},
  };
  for (const auto& [close, code] : rows) {
    const auto result = result_of_close(close, "why", "a/b");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code(), code) << close;
    EXPECT_EQ(result.error().message().find("a/b: the server closed the WebSocket with code " + std::to_string(close)), 0U);
  }
  for (std::uint16_t code = 1; code <= 16; ++code) {
    const auto result = result_of_close(static_cast<std::uint16_t>(4000 + code), "why", "a/b");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error(), Error(static_cast<Code>(code), "why"));
  }
}

}  // namespace
}  // namespace micro::web::testing
