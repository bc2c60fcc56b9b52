// Plain event streams, and calls over them.
#include <micro/web_client/calls.hpp>
#include <micro/web_client/event_stream.hpp>

#include <stdexcept>

#include "fake_peer.hpp"

namespace micro::web::testing {
namespace {

using rpc::MethodKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Stream = std::unique_ptr<rpc::ClientStream>;

constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Reply: yes\r\n";
constexpr std::string_view kChunkedHead = "Transfer-Encoding: chunked\r\n\r\n";

std::string chunk(std::string_view data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return std::string{kDigits[data.size() >> 8 & 15], kDigits[data.size() >> 4 & 15], kDigits[data.size() & 15]} + "\r\n" +
         std::string(data) + "\r\n";
}

const Method kMethod{.target = {.address = {.host = "server", .port = 8080}, .path = "/base/"},
                     .service = "clock.Clock",
                     .method = "Tick",
                     .kind = MethodKind::kServerStream};

class EventTest : public PeerTest {
 protected:
  // The server answers with these bytes and hangs up unless told otherwise.
  Task<void> answer(std::string bytes, bool hang_up = true) {
    request_ = co_await peer().request();
    co_await peer().send(bytes);
    if (hang_up) peer().stream().close();
  }
  Result<Stream> open(std::string bytes, CallOptions options = {}) {
    auto stream = connection();
    return run(open_events(context_, std::move(stream), kMethod, codec::ref(question_), std::move(options)),
               answer(std::move(bytes)));
  }
  std::vector<std::string> call(std::string bytes, CallOptions options = {}) {
    Result<Stream> stream = open(std::move(bytes), std::move(options));
    EXPECT_TRUE(stream.has_value()) << stream.error().to_string();
    return run(read_all(**stream));
  }
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
  static Task<std::vector<std::string>> read_all(EventStream& stream) {
    std::vector<std::string> seen;
    while (true) {
      EventStream::Event event;
      const Result<bool> more = co_await stream.read(event);
      if (!more) seen.push_back("error: " + more.error().to_string());
      if (more && !*more) seen.push_back("end");
      if (!more || !*more) co_return seen;
      seen.push_back(event.type + "|" + event.data + "|" + event.id);
    }
  }

  std::string question_ = R"({"every":"1s"})";
  std::string request_;
};

TEST_P(EventTest, ACallToItsEnd) {
  context_.outgoing().add("x-tenant", "acme");
  const std::string body = chunk("data: {\"n\":1}\n\n: keep") + chunk("alive\n\nda") +
                           chunk("ta: {\"n\":2}\n\nevent: end\ndata: {}\n\n") + "0\r\n\r\n";
  EXPECT_THAT(call(std::string(kHead).append(kChunkedHead) + body), ElementsAre(R"({"n":1})", R"({"n":2})", "end"));
  EXPECT_EQ(peer().head().method_name, "POST");
  EXPECT_EQ(peer().head().target, "/base/clock.Clock/Tick");
  EXPECT_EQ(peer().head().headers.get("accept"), "text/event-stream");
  EXPECT_EQ(peer().head().headers.get("content-type"), "application/json");
  EXPECT_EQ(peer().head().headers.get("x-tenant"), "acme");
  EXPECT_EQ(request_, question_);
  EXPECT_EQ(context_.reply_headers().get("x-reply"), "yes");
}

TEST_P(EventTest, ACallUntilTheConnectionEnds) {
  const std::string head = std::string(kHead) + "\r\n";
  EXPECT_THAT(call(head + "data: 1\n\nevent: end\ndata: {}\n\n"), ElementsAre("1", "end"));
  EXPECT_THAT(call(head + "data: 1\n\ndata: 2\n"),
              ElementsAre("1", "error: UNAVAILABLE: clock.Clock/Tick: the answer was cut off before its end"));
}

TEST_P(EventTest, ACallThatFails) {
  const std::string head = std::string(kHead) + "\r\n";
  EXPECT_THAT(
      call(head + "data: 1\n\nevent: error\ndata: {\"code\":\"ABORTED\",\"reason\":\"TORN\",\"message\":\"try again\"}\n\n"),
      ElementsAre("1", "error: ABORTED [TORN]: try again"));
  EXPECT_THAT(call(head + "event: error\ndata: nonsense\n\n"), ElementsAre(HasSubstr("error: INTERNAL")));
}

TEST_P(EventTest, TheEndIsRemembered) {
  Result<Stream> stream = open(std::string(kHead) + "\r\nevent: end\ndata: {}\n\n");
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(run(read_all(**stream)), ElementsAre("end"));
  EXPECT_THAT(run(read_all(**stream)), ElementsAre("end"));
  std::string message = "x";
  EXPECT_EQ(run((*stream)->write(codec::ref(message))).error().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(run((*stream)->close_send()).has_value());
}

TEST_P(EventTest, UnknownEventsAreSkipped) {
  EXPECT_THAT(call(std::string(kHead) + "\r\nevent: news\ndata: x\n\ndata: 1\n\nevent: end\ndata: {}\n\n"),
              ElementsAre("1", "end"));
}

TEST_P(EventTest, AnHttpErrorInsteadOfEvents) {
  const std::string body = R"({"code":"INVALID_ARGUMENT","reason":"BAD","message":"every: too often"})";
  const auto refused = open(
      "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), invalid_argument("every: too often").with_reason("BAD"));
  const auto wrong = open("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message(),
              HasSubstr("http://server:8080/base/clock.Clock/Tick: the answer is no event stream but 'text/html'"));
  EXPECT_EQ(open("HTTP/1.1 204 None\r\n\r\n").error().code(), Code::kInternal);
}

TEST_P(EventTest, LimitsOfACall) {
  const CallOptions options{.max_receive_message_size = 3, .max_send_message_size = 100};
  EXPECT_THAT(call(std::string(kHead) + "\r\ndata: 123\n\ndata: 1234\n\n", options),
              ElementsAre("123", HasSubstr("error: RESOURCE_EXHAUSTED")));
  question_ = std::string(101, ' ');
  auto stream = connection();
  EXPECT_EQ(run(open_events(context_, std::move(stream), kMethod, codec::ref(question_), options)).error().code(),
            Code::kResourceExhausted);
}

TEST_P(EventTest, ASilentServiceIsGivenUp) {
  auto connected = connection();
  const CallOptions options{.keepalive_interval = std::chrono::milliseconds(1),
                            .keepalive_timeout = std::chrono::milliseconds(2)};
  Result<Stream> stream = run(open_events(context_, std::move(connected), kMethod, codec::ref(question_), options),
                              answer(std::string(kHead) + "\r\n", false));
  ASSERT_TRUE(stream.has_value());
  EXPECT_THAT(run(read_all(**stream)),
              ElementsAre(HasSubstr("error: UNAVAILABLE: http://server:8080/base/clock.Clock/Tick: nothing came within 3ms")));
}

TEST_P(EventTest, CancellationEndsACall) {
  auto connected = connection();
  Result<Stream> stream = run(open_events(context_, std::move(connected), kMethod, codec::ref(question_), {}),
                              answer(std::string(kHead) + "\r\n", false));
  ASSERT_TRUE(stream.has_value());
  const auto cancel = [&]() -> Task<void> {
    context_.cancel(cancelled("enough"));
    co_return;
  };
  EXPECT_THAT(run(read_all(**stream), cancel()), ElementsAre(HasSubstr("error: CANCELLED")));
}

TEST_P(EventTest, OnlyServerStreamsInJson) {
  Method bidi = kMethod;
  bidi.kind = MethodKind::kBidiStream;
  EXPECT_THROW((void)open_events(context_, bidi, codec::ref(question_), {}), std::logic_error);
  EXPECT_THROW(
      (void)open_events(context_, connection(), kMethod, codec::ref(question_), CallOptions{.encoding = Encoding::kProto}),
      std::logic_error);
  EXPECT_THROW((void)open_events(context_, connection(), kMethod, {}, {}), std::logic_error);
}

TEST_P(EventTest, APlainStreamOverAConnection) {
  EventStreamOptions options;
  options.headers.add("Authorization", "Bearer x");
  options.last_event_id = "41";
  auto stream = connection();
  EventStream events(context_, std::move(stream), Target::parse("server:8080/feed?a=b").value(), options);
  EXPECT_THAT(run(read_all(events), answer(std::string(kHead) + "\r\nid: 42\nevent: add\ndata: x\n\ndata: y\n\n")),
              ElementsAre("add|x|42", "message|y|42", "end"));
  EXPECT_EQ(peer().head().method_name, "GET");
  EXPECT_EQ(peer().head().target, "/feed?a=b");
  EXPECT_EQ(peer().head().headers.get("last-event-id"), "41");
  EXPECT_EQ(peer().head().headers.get("authorization"), "Bearer x");
  EXPECT_EQ(peer().head().headers.get("accept"), "text/event-stream");
  EXPECT_EQ(events.last_event_id(), "42");
}

MICRO_WEB_INSTANTIATE(EventTest);

// A server on a real socket that answers one connection after another.
class ReconnectTest : public ::testing::Test {
 protected:
  // What the server is to say on each connection; afterwards nobody listens any more.
  std::vector<std::string> read(std::vector<std::string> answers, EventStreamOptions options) {
    std::vector<std::string> seen;
    const auto both = [&]() -> Task<void> {
      auto listener = net::Listener::listen(loop_, Address::parse("127.0.0.1:0").value(), {});
      const Target target{.address = (*listener)->address()};
      const auto server = [&]() -> Task<void> {
        for (const std::string& answer : answers) {
          auto stream = co_await (*listener)->accept();
          FakePeer peer(std::move(*stream));
          (void)co_await peer.request();
          ids_.emplace_back(peer.head().headers.get("last-event-id", "none"));
          co_await peer.send(answer);
        }
        (*listener)->close();
      };
      const auto client = [&]() -> Task<void> {
        EventStream events(context_, target, options);
        while (true) {
          EventStream::Event event;
          const Result<bool> more = co_await events.read(event);
          if (!more) seen.push_back("error: " + std::string(to_string(more.error().code())));
          if (more && !*more) seen.push_back("end");
          if (!more || !*more) break;
          seen.push_back(event.type + "|" + event.data + "|" + event.id);
        }
      };
      co_await when_all(server(), client());
    };
    block_on(loop_, both());
    return seen;
  }
  static EventStreamOptions at_once() {
    EventStreamOptions options;
    options.pause = Duration::zero();
    return options;
  }

  Loop loop_;
  Context context_;
  std::vector<std::string> ids_;
};

const std::string kStream = std::string(kHead) + "\r\n";
const std::string kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

TEST_F(ReconnectTest, GoesOnBehindTheLastEvent) {
  EXPECT_THAT(read({kStream + "id: 1\ndata: a\n\nid: 2\ndata: cut of", kStream + "data: b\n\n", kStream + "id\ndata: c\n\n",
                    kStream, kNoContent},
                   at_once()),
              ElementsAre("message|a|1", "message|b|1", "message|c|", "end"));
  EXPECT_THAT(ids_, ElementsAre("none", "1", "1", "none", "none"));
}

TEST_F(ReconnectTest, GoesOnWhereAnotherProgramStopped) {
  EventStreamOptions options = at_once();
  options.last_event_id = "40";
  EXPECT_THAT(read({kStream + "data: a\n\n", kStream + "id: 41\ndata: b\n\n", kNoContent}, options),
              ElementsAre("message|a|40", "message|b|41", "end"));
  EXPECT_THAT(ids_, ElementsAre("40", "40", "41"));
}

TEST_F(ReconnectTest, TheServersPauseGoesBeforeOurs) {
  EventStreamOptions options;
  options.pause = std::chrono::hours(1);
  EXPECT_THAT(read({kStream + "retry: 0\ndata: a\n\n", kNoContent}, options), ElementsAre("message|a|", "end"));
}

TEST_F(ReconnectTest, AnErrorOfTheServerIsFinal) {
  EXPECT_THAT(read({kStream + "data: a\n\n", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"}, at_once()),
              ElementsAre("message|a|", "error: PERMISSION_DENIED"));
  EXPECT_THAT(read({"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"}, at_once()),
              ElementsAre("error: INTERNAL"));
}

TEST_F(ReconnectTest, AttemptsAreCounted) {
  EventStreamOptions options = at_once();
  options.max_attempts = 2;
  EXPECT_THAT(read({kStream + "data: a\n\n", kStream, kStream + "data: b\n\n"}, options),
              ElementsAre("message|a|", "message|b|", "error: UNAVAILABLE"))
      << "an event begins the count anew";
  EXPECT_THAT(read({"", "", ""}, options), ElementsAre("error: UNAVAILABLE"));
}

TEST_F(ReconnectTest, OnceOnly) {
  EventStreamOptions options = at_once();
  options.reconnect = false;
  EXPECT_THAT(read({kStream + "data: a\n\n"}, options), ElementsAre("message|a|", "end"));
}

}  // namespace
}  // namespace micro::web::testing
