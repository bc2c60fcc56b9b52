#include "client_fixture.hpp"

namespace micro::client::testing {
namespace {

using rpc::ClientStream;
using rpc::MethodKind;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StreamTest : public ClientFixture {
 protected:
  using StreamPtr = std::unique_ptr<ClientStream>;

  StreamPtr must_open(Context& context, MethodKind kind, const rpc::CallOptions& options, const std::string& request = "John") {
    Result<StreamPtr> stream = run(open(context, kind, options, codec::ref(request)));
    EXPECT_TRUE(stream) << stream.error().message();
    return stream ? std::move(*stream) : nullptr;
  }
  // Everything there is, then how it ended.
  static Task<Result<std::vector<std::string>>> read_all(ClientStream& stream, std::vector<std::string>& seen) {
    while (true) {
      std::string message;
      const Result<bool> more = co_await stream.read(codec::ref(message));
      if (!more) co_return fail(more.error());
      if (!*more) co_return seen;
      seen.push_back(message);
    }
  }
  static Task<Result<void>> write_all(ClientStream& stream, std::vector<std::string> messages) {
    for (const std::string& message : messages) {
      Result<void> written = co_await stream.write(codec::ref(message));
      if (!written) co_return written;
    }
    co_return co_await stream.close_send();
  }
};

TEST_F(StreamTest, ReadsWhatAServerStreams) {
  FakeServer& server = serve([](const FakeCallPtr& call) {
    call->headers({{"x-stream", "yes"}});
    for (const char* message : {"one", "", "three"}) call->message(message);
    call->trailers({{"grpc-status", "0"}, {"x-end", "now"}});
  });
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kServerStream, at(server));
  std::vector<std::string> seen;
  EXPECT_TRUE(run(read_all(*stream, seen)));
  EXPECT_THAT(seen, ElementsAre("one", "", "three"));
  EXPECT_THAT(server.calls.at(0)->messages(), ElementsAre("John"));
  EXPECT_EQ(server.calls.at(0)->field("grpc-timeout"), "") << "streams live as long as they are wanted";
  EXPECT_EQ(context.reply_headers().get("x-stream"), "yes");
  EXPECT_EQ(context.reply_trailers().get("x-end"), "now");
  EXPECT_EQ(context.peer(), server.address());
  std::string more = "more";
  EXPECT_EQ(run(stream->write(codec::ref(more))).error().code(), Code::kCancelled);
}

TEST_F(StreamTest, MessagesBeforeAnErrorAreRead) {
  FakeServer& server = serve([](const FakeCallPtr& call) {
    call->headers();
    call->message("one");
    call->trailers({{"grpc-status", "5"}, {"grpc-message", "that was all"}});
  });
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kServerStream, at(server));
  std::vector<std::string> seen;
  EXPECT_EQ(run(read_all(*stream, seen)).error(), not_found("that was all"));
  EXPECT_THAT(seen, ElementsAre("one"));
}

TEST_F(StreamTest, TalksBothWaysAtOnce) {
  FakeServer& server = serve([](const FakeCallPtr& call) { call->ok(); });
  server.on_open = [](const FakeCallPtr& call) { call->headers(); };
  server.on_data = [](const FakeCallPtr& call) {
    for (const std::string& message : call->messages()) call->message("echo " + message);
    call->body.clear();
  };
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kBidiStream, at(server));
  std::string first = "a", answer;
  EXPECT_TRUE(run(stream->write(codec::ref(first))));
  EXPECT_EQ(run(stream->read(codec::ref(answer))), true);
  EXPECT_EQ(answer, "echo a");
  std::vector<std::string> seen;
  auto [read, written] = run(when_all(read_all(*stream, seen), write_all(*stream, {"b", "c"})));
  EXPECT_TRUE(read);
  EXPECT_TRUE(written);
  EXPECT_THAT(seen, ElementsAre("echo b", "echo c"));
}

TEST_F(StreamTest, SendsAStreamAndReadsTheOneReply) {
  FakeServer& server = serve([](const FakeCallPtr& call) { call->reply(std::to_string(call->messages().size()) + " names"); });
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kClientStream, at(server));
  std::string one = "one", two = "two", reply;
  EXPECT_TRUE(run(stream->write(codec::ref(one))));
  EXPECT_TRUE(run(stream->write(codec::ref(two))));
  EXPECT_TRUE(run(stream->finish(codec::ref(reply))));
  EXPECT_EQ(reply, "2 names");
}

TEST_F(StreamTest, AClientStreamNeedsExactlyOneReply) {
  struct Case {
    FakeServer::Handler answer;
    Code code;
    std::string text;
  };
  const Case cases[] = {
      {[](const FakeCallPtr& c) { c->headers(), c->ok(); }, Code::kInternal, "status OK without a reply"},
      {[](const FakeCallPtr& c) { c->headers(), c->message("1"), c->message("2"), c->ok(); }, Code::kInternal,
       "more than one reply"},
      {[](const FakeCallPtr& c) { c->error(not_found("no")); }, Code::kNotFound, "no"},
      {[](const FakeCallPtr& c) { c->headers(), c->message("1"), c->trailers({{"grpc-status", "10"}}); }, Code::kAborted, ""},
  };
  FakeServer& server = serve(nullptr);
  for (const Case& c : cases) {
    server.on_request = c.answer;
    Context context;
    const StreamPtr stream = must_open(context, MethodKind::kClientStream, at(server));
    std::string reply;
    const Result<void> done = run(stream->finish(codec::ref(reply)));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), c.code);
    EXPECT_THAT(done.error().message(), HasSubstr(c.text));
  }
}

TEST_F(StreamTest, AnEarlyErrorStopsTheWriter) {
  FakeServer& server = serve(nullptr);
  server.on_open = [](const FakeCallPtr& call) { call->error(permission_denied("not you")); };
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kClientStream, at(server));
  std::string name = "name", reply;
  Result<void> written;
  run_until([&] {
    written = run(stream->write(codec::ref(name)));
    return !written;
  });
  EXPECT_EQ(written.error(), permission_denied("not you"));
  EXPECT_EQ(run(stream->finish(codec::ref(reply))).error(), permission_denied("not you"));
}

TEST_F(StreamTest, AWriterWaitsForAPeerThatDoesNotRead) {
  FakeServer::Options slow;
  slow.consume = false;
  slow.http2.initial_window = 100'000;
  slow.http2.max_window = 100'000;
  FakeServer& server = serve([](const FakeCallPtr& call) { call->reply("done"); }, slow);
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kClientStream, at(server));
  std::size_t written = 0;
  bool finished = false;
  const auto write_much = [&]() -> Task<void> {
    co_await loop_.schedule();
    const std::string piece(10'000, 'x');
    for (int i = 0; i < 100; ++i) {
      const Result<void> sent = co_await stream->write(codec::ref(piece));
      EXPECT_TRUE(sent);
      ++written;
    }
    finished = true;
  };
  spawn(write_much());
  run_until([&] { return !server.calls.empty() && server.calls[0]->received == 100'000; });
  for (int i = 0; i < 10; ++i) loop_.run_once(milliseconds(1));
  EXPECT_FALSE(finished);
  EXPECT_LT(written, 18U) << "what fits into the window and 64 KiB";
  // The peer begins to read.
  FakeCall& call = *server.calls[0];
  server.options.consume = true;
  call.connection->session().consumed(*call.stream, call.received);
  call.connection->changed();
  run_until([&] { return finished; });
  std::string reply;
  EXPECT_TRUE(run(stream->finish(codec::ref(reply))));
  EXPECT_EQ(call.received, 100U * 10'005U);
}

TEST_F(StreamTest, AReaderThatDoesNotReadHoldsThePeerBack) {
  FakeServer& server = serve([](const FakeCallPtr& call) {
    call->headers();
    for (int i = 0; i < 100; ++i) call->message(std::string(100'000, 'y'));
    call->ok();
  });
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kServerStream, at(server));
  run_until([&] { return !server.calls.empty() && server.calls[0]->request_ended; });
  for (int i = 0; i < 20; ++i) loop_.run_once(milliseconds(1));
  ASSERT_NE(server.calls[0]->stream, nullptr) << "it could send everything";
  EXPECT_GT(server.calls[0]->stream->queued(), 5'000'000U);
  std::vector<std::string> seen;
  EXPECT_TRUE(run(read_all(*stream, seen)));
  EXPECT_EQ(seen.size(), 100U);
}

TEST_F(StreamTest, AMessageLargerThanTheWindowArrives) {
  options_.max_receive_message_size = 32 << 20;
  const std::string large(20 << 20, 'z');
  FakeServer& server = serve([&](const FakeCallPtr& call) { call->reply(large); });
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kServerStream, at(server));
  std::vector<std::string> seen;
  EXPECT_TRUE(run(read_all(*stream, seen)));
  EXPECT_THAT(seen, ElementsAre(large));
}

TEST_F(StreamTest, LimitsHoldForStreamsToo) {
  options_.max_receive_message_size = 10;
  options_.max_send_message_size = 10;
  FakeServer& server = serve(nullptr);
  server.on_open = [](const FakeCallPtr& call) { call->headers(), call->message("12345678901"); };
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kBidiStream, at(server));
  std::string large = "12345678901", in;
  EXPECT_EQ(run(stream->write(codec::ref(large))).error().code(), Code::kResourceExhausted);
  EXPECT_EQ(run(stream->read(codec::ref(in))).error().code(), Code::kResourceExhausted);
  run_until([&] { return server.calls[0]->was_reset; });
}

TEST_F(StreamTest, CompressesEachMessage) {
  FakeServer& server = serve([](const FakeCallPtr& call) {
    call->headers({{"grpc-encoding", "gzip"}});
    for (const std::string& packed : call->messages()) call->message(packed, true);
    call->ok();
  });
  Context context;
  rpc::CallOptions options = at(server);
  options.compression = "gzip";
  const StreamPtr stream = must_open(context, MethodKind::kBidiStream, options);
  EXPECT_TRUE(run(write_all(*stream, {"one", "two"})));
  std::vector<std::string> seen;
  EXPECT_TRUE(run(read_all(*stream, seen)));
  EXPECT_THAT(seen, ElementsAre("one", "two"));
}

TEST_F(StreamTest, LeavesSingleMessagesUncompressed) {
  FakeServer& server = serve([](const FakeCallPtr& call) {
    call->headers({{"grpc-encoding", "gzip"}});
    Buffer packed;
    EXPECT_TRUE(grpc::compress(grpc::Compression::kGzip, "two", packed));
    call->message("one");
    call->message(packed.view(), true);
    call->ok();
  });
  Context context;
  rpc::CallOptions options = at(server);
  options.compression = "gzip";
  const StreamPtr stream = must_open(context, MethodKind::kBidiStream, options);
  std::string message = "one";
  context.set_request_compression(Compress::kOff);
  EXPECT_TRUE(run(stream->write(codec::ref(message))));
  context.set_request_compression(Compress::kOn);
  EXPECT_TRUE(run(stream->write(codec::ref(message))));
  EXPECT_TRUE(run(stream->close_send()));
  EXPECT_TRUE(run(stream->read(codec::ref(message))).value_or(false));
  EXPECT_EQ(message, "one");
  EXPECT_FALSE(context.reply_was_compressed());
  EXPECT_TRUE(run(stream->read(codec::ref(message))).value_or(false));
  EXPECT_EQ(message, "two");
  EXPECT_TRUE(context.reply_was_compressed());

  grpc::MessageReader sent({.max_message_size = 100, .encoding = grpc::Compression::kGzip});
  sent.feed(server.calls.at(0)->body);
  for (const bool compressed : {false, true}) {
    const auto next = sent.next();
    ASSERT_TRUE(next && *next);
    EXPECT_EQ((*next)->compressed, compressed);
  }
}

TEST_F(StreamTest, DestroyingAStreamCancelsTheCall) {
  FakeServer& server = serve(nullptr);
  server.on_open = [](const FakeCallPtr& call) { call->headers(); };
  Context context;
  StreamPtr stream = must_open(context, MethodKind::kBidiStream, at(server));
  run_until([&] { return !server.calls.empty(); });
  stream.reset();
  run_until([&] { return server.calls[0]->was_reset; });
  EXPECT_EQ(server.calls[0]->reset_code, http2::ErrorCode::kCancel);
}

TEST_F(StreamTest, CancellingTheContextWakesReaderAndWriter) {
  FakeServer::Options slow;
  slow.consume = false;
  slow.http2.initial_window = 1;
  FakeServer& server = serve(nullptr, slow);
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kBidiStream, at(server));
  std::vector<std::string> seen;
  const auto cancel = [&]() -> Task<int> {
    while (server.calls.empty() || server.calls[0]->received == 0) co_await loop_.yield();
    context.cancel(cancelled("enough"));
    co_return 0;
  };
  auto [read, written, done] =
      run(when_all(read_all(*stream, seen), write_all(*stream, {std::string(1'000'000, 'x'), "more"}), cancel()));
  EXPECT_EQ(read.error(), cancelled("greeter.Greeter/Stream: enough"));
  EXPECT_EQ(written.error(), cancelled("greeter.Greeter/Stream: enough"));
  run_until([&] { return server.calls[0]->was_reset; });
}

TEST_F(StreamTest, ADeadlineEndsAStream) {
  FakeServer& server = serve(nullptr);
  server.on_open = [](const FakeCallPtr& call) { call->headers(), call->message("one"); };
  Context context;
  rpc::CallOptions options = at(server);
  options.timeout = milliseconds(50);
  const StreamPtr stream = must_open(context, MethodKind::kServerStream, options);
  std::vector<std::string> seen;
  EXPECT_EQ(run(read_all(*stream, seen)).error(),
            deadline_exceeded("greeter.Greeter/Stream at " + server.address() + ": not finished within 50ms"));
  EXPECT_THAT(seen, ElementsAre("one"));
}

TEST_F(StreamTest, ALostConnectionEndsAStream) {
  FakeServer& server = serve(nullptr);
  server.on_open = [](const FakeCallPtr& call) { call->headers(), call->message("one"); };
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kBidiStream, at(server));
  std::string message;
  EXPECT_EQ(run(stream->read(codec::ref(message))), true);
  server.close_connections();
  const Result<bool> lost = run(stream->read(codec::ref(message)));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::kUnavailable);
  EXPECT_EQ(run(stream->write(codec::ref(message))).error().code(), Code::kUnavailable);
  EXPECT_TRUE(run(stream->close_send()));
}

TEST_F(StreamTest, WritingWhereNothingCanBeWrittenIsAnError) {
  FakeServer& server = serve(nullptr);
  Context context;
  std::string message = "x";
  const StreamPtr reading = must_open(context, MethodKind::kServerStream, at(server));
  EXPECT_EQ(run(reading->write(codec::ref(message))).error().code(), Code::kFailedPrecondition);
  const StreamPtr closed = must_open(context, MethodKind::kBidiStream, at(server));
  EXPECT_TRUE(run(closed->close_send()));
  EXPECT_TRUE(run(closed->close_send()));
  EXPECT_EQ(run(closed->write(codec::ref(message))).error().code(), Code::kFailedPrecondition);
}

TEST_F(StreamTest, OpeningIsTriedElsewhere) {
  FakeServer& gone = serve(nullptr);
  const std::string nobody = gone.address();
  block_on(loop_, gone.stop());
  FakeServer& server = serve([](const FakeCallPtr& call) { call->reply("here"); });
  for (int i = 0; i < 3; ++i) {
    Context context;
    const StreamPtr stream = must_open(context, MethodKind::kServerStream, at({nobody, server.address()}));
    std::vector<std::string> seen;
    EXPECT_TRUE(run(read_all(*stream, seen)));
    EXPECT_THAT(seen, ElementsAre("here"));
  }
  Context context;
  const Result<StreamPtr> alone = run(open(context, MethodKind::kBidiStream, at({nobody})));
  ASSERT_FALSE(alone);
  EXPECT_THAT(alone.error().message(), AllOf(HasSubstr("connect to " + nobody), HasSubstr("(3 attempts)")));
}

class Gatekeeper final : public rpc::Middleware {
 public:
  std::string_view name() const noexcept override { return "gatekeeper"; }
  Task<rpc::Reply> handle(Context& context, rpc::Call& call, rpc::Next next) override {
    ++opened;
    if (call.kind == MethodKind::kBidiStream) co_return fail(permission_denied("no talking"));
    co_return co_await next(context, call);
  }
  int opened = 0;
};

TEST_F(StreamTest, MiddlewareWrapsTheOpening) {
  const auto gatekeeper = std::make_shared<Gatekeeper>();
  client().use(gatekeeper);
  FakeServer& server = serve([](const FakeCallPtr& call) { call->reply("here"); });
  Context context;
  EXPECT_NE(must_open(context, MethodKind::kServerStream, at(server)), nullptr);
  EXPECT_EQ(run(open(context, MethodKind::kBidiStream, at(server))).error(), permission_denied("no talking"));
  EXPECT_EQ(gatekeeper->opened, 2);
}

TEST_F(StreamTest, StoppingTheClientEndsStreams) {
  FakeServer& server = serve(nullptr);
  Context context;
  const StreamPtr stream = must_open(context, MethodKind::kBidiStream, at(server));
  std::vector<std::string> seen;
  auto [read, stopped] = run(when_all(read_all(*stream, seen), client().stop(Clock::now() + milliseconds(10))));
  EXPECT_EQ(read.error().code(), Code::kCancelled);
  EXPECT_THAT(read.error().message(), HasSubstr("the client was stopped"));
}

}  // namespace
}  // namespace micro::client::testing
