// Connections: sharing, failing, going away, waiting for a turn.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <micro/registry/memory.hpp>

#include "client_fixture.hpp"

namespace micro::client::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ConnectionTest : public ClientFixture {
 protected:
  // An address nobody listens on.
  std::string nobody() {
    auto listener = net::Listener::listen(loop_, Address::parse("127.0.0.1:0").value(), {}).value();
    const std::string address = listener->address().to_string();
    listener->close();
    return address;
  }
};

TEST_F(ConnectionTest, ManyCallersShareOneConnect) {
  FakeServer& server = serve(hello);
  std::vector<std::shared_ptr<Pending>> calls;
  for (int i = 0; i < 200; ++i) calls.push_back(start(at(server), std::to_string(i)));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(result(calls[static_cast<std::size_t>(i)]), "Hello " + std::to_string(i));
  EXPECT_EQ(server.accepted, 1);
  EXPECT_EQ(client().counters().connects, 1U);
}

// The time is over in the turn in which the server's SETTINGS are taken from the socket: it is closed, and cannot be used any
// more.
TEST_F(ConnectionTest, ATimeoutInTheLastMomentIsNoConnection) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&name), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &size), 0);
  options_.connect_timeout = milliseconds(20);
  options_.retry.max_attempts = 1;
  const auto pending = start(at({"127.0.0.1:" + std::to_string(ntohs(name.sin_port))}));
  int peer = -1;
  while ((peer = ::accept(listener, nullptr, nullptr)) < 0) loop_.run_once(Duration{});
  const TimePoint connected = Clock::now();
  ASSERT_EQ(::send(peer, "\0\0\0\4\0\0\0\0\0", 9, 0), 9);  // SETTINGS, without any
  while (Clock::now() < connected + milliseconds(20)) {
  }
  const Result<std::string> reply = result(pending);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kUnavailable) << reply.error().to_string();
  EXPECT_THAT(reply.error().message(), HasSubstr("no answer within 20ms"));
  ::close(peer);
  ::close(listener);
}

TEST_F(ConnectionTest, CallsOverUnixSockets) {
  FakeServer::Options options;
  options.address = "unix:" + ::testing::TempDir() + "micro-client-test-" + std::to_string(getpid());
  FakeServer& server = serve(hello, options);
  EXPECT_EQ(call(at(server)), "Hello John");
  EXPECT_EQ(server.calls.at(0)->authority, "localhost");
}

TEST_F(ConnectionTest, UsesAsManyConnectionsAsItMay) {
  options_.connections_per_node = 3;
  FakeServer& server = serve(nullptr);
  std::vector<std::shared_ptr<Pending>> calls;
  for (std::size_t i = 1; i <= 9; ++i) {
    calls.push_back(start(at(server)));
    run_until([&] { return server.calls.size() == i; });
  }
  run_until([&] { return server.open() == 3; });
  for (const FakeCallPtr& call : server.calls) call->reply("done");
  for (const auto& call : calls) EXPECT_EQ(result(call), "done");
  EXPECT_EQ(server.accepted, 3);
}

TEST_F(ConnectionTest, AnUnreachableNodeIsPassedOver) {
  FakeServer& server = serve(hello);
  const rpc::CallOptions options = at({nobody(), server.address()});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(call(options), "Hello John");
  // Asked once, and then left alone while there is another one.
  EXPECT_LE(client().counters().retries, 1U);
}

TEST_F(ConnectionTest, SaysWhoCouldNotBeReachedAndHowOften) {
  const std::string address = nobody();
  const Result<std::string> result = call(at({address}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kUnavailable);
  EXPECT_EQ(result.error().message(), "greeter.Greeter/Hello: connect to " + address + ": Connection refused (3 attempts)");
  EXPECT_EQ(client().counters().failures, 1U);
}

TEST_F(ConnectionTest, ANodeThatComesUpIsUsedAtOnceWhenItIsTheOnlyOne) {
  const std::string address = nobody();
  ASSERT_FALSE(call(at({address})));
  FakeServer::Options options;
  options.address = address;
  serve(hello, options);
  EXPECT_EQ(call(at({address})), "Hello John");
}

TEST_F(ConnectionTest, ASilentNodeIsGivenUpAfterTheConnectTimeout) {
  options_.connect_timeout = milliseconds(30);
  options_.retry.max_attempts = 2;
  FakeServer::Options silent;
  silent.silent = true;
  FakeServer& deaf = serve(nullptr, silent);
  FakeServer& server = serve(hello);
  EXPECT_EQ(call(at({deaf.address(), server.address()})), "Hello John");
  EXPECT_EQ(call(at({deaf.address(), server.address()})), "Hello John");
  const Result<std::string> alone = call(at(deaf));
  ASSERT_FALSE(alone);
  EXPECT_THAT(alone.error().message(), HasSubstr("connect to " + deaf.address() + ": no answer within 30ms"));
}

TEST_F(ConnectionTest, TellsAServerThatSpeaksNoHttp2) {
  FakeServer::Options http1;
  http1.banner = "HTTP/1.1 400 Bad Request\r\n\r\n";
  FakeServer& server = serve(nullptr, http1);
  const Result<std::string> result = call(at(server));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kUnavailable);
  EXPECT_THAT(result.error().message(), AllOf(HasSubstr(server.address()), HasSubstr("no HTTP/2 server")));
}

TEST_F(ConnectionTest, WaitingForAConnectionEndsWithTheCall) {
  FakeServer::Options silent;
  silent.silent = true;
  FakeServer& deaf = serve(nullptr, silent);
  rpc::CallOptions options = at(deaf);
  options.timeout = milliseconds(30);
  const Result<std::string> late = call(options);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(),
            deadline_exceeded("greeter.Greeter/Hello: no connection to " + deaf.address() + " with a free stream within 30ms"));
  const auto pending = start(at(deaf));
  run_until([&] { return deaf.accepted == 1; });
  pending->context.cancel(cancelled("enough"));
  EXPECT_EQ(result(pending).error(), cancelled("greeter.Greeter/Hello: enough"));
}

TEST_F(ConnectionTest, APooledConnectionThatDiedFailsNobody) {
  FakeServer& server = serve(hello);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(call(at(server)), "Hello John");
    EXPECT_EQ(server.accepted, i);
    server.close_connections();
    run_until([&] { return client().counters().open_connections == 0; });
  }
  EXPECT_EQ(client().counters().retries, 0U);
}

TEST_F(ConnectionTest, AConnectionLostUnderACallIsRetriedOnlyForIdempotentOnes) {
  FakeServer& server = serve(hello);
  const auto lose_once = [&] {
    server.on_request = [&](const FakeCallPtr& call) {
      server.on_request = hello;
      call->connection->close();
    };
  };
  lose_once();
  const Result<std::string> lost = call(at(server));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Code::kUnavailable);
  EXPECT_THAT(lost.error().message(), HasSubstr("greeter.Greeter/Hello at " + server.address() + ": "));
  EXPECT_EQ(server.calls.size(), 1U);

  lose_once();
  rpc::CallOptions idempotent = at(server);
  idempotent.idempotent = true;
  EXPECT_EQ(call(idempotent), "Hello John");
  EXPECT_EQ(server.calls.size(), 3U);
  EXPECT_EQ(client().counters().retries, 1U);
}

TEST_F(ConnectionTest, ARefusedCallIsTriedAgain) {
  FakeServer& server = serve(hello);
  int refused = 0;
  server.on_request = [&](const FakeCallPtr& call) {
    if (++refused <= 2)
      call->reset(http2::ErrorCode::kRefusedStream);
    else
      hello(call);
  };
  EXPECT_EQ(call(at(server)), "Hello John");
  EXPECT_EQ(refused, 3);

  server.on_request = [](const FakeCallPtr& call) { call->reset(http2::ErrorCode::kRefusedStream); };
  const Result<std::string> always = call(at(server));
  ASSERT_FALSE(always);
  EXPECT_EQ(always.error(),
            unavailable("greeter.Greeter/Hello at " + server.address() + ": refused, and not processed (3 attempts)"));
}

TEST_F(ConnectionTest, GoawayLetsCallsEndAndMovesNewOnesAway) {
  FakeServer& leaving = serve(nullptr);
  FakeServer& staying = serve(hello);
  const auto under_way = start(at(leaving));
  run_until([&] { return leaving.calls.size() == 1 && leaving.calls[0]->request_ended; });
  leaving.goaway();
  run_until([&] { return leaving.calls[0]->connection == nullptr || leaving.open() == 1; });
  // Rounds until the client has heard of it.
  for (int i = 0; i < 20; ++i) loop_.run_once(milliseconds(1));
  EXPECT_EQ(call(at({staying.address()})), "Hello John");
  const auto fresh = start(at(leaving));
  run_until([&] { return leaving.accepted == 2 && leaving.calls.size() == 2; });
  leaving.calls[0]->reply("old");
  leaving.calls[1]->reply("new");
  EXPECT_EQ(result(under_way), "old");
  EXPECT_EQ(result(fresh), "new");
  run_until([&] { return leaving.open() == 1; });
  EXPECT_EQ(client().counters().retries, 0U);
}

TEST_F(ConnectionTest, CallsAGoawayLeavesOutAreRetriedElsewhere) {
  FakeServer& server = serve(hello);
  ASSERT_TRUE(call(at(server)));
  // Announces at once that only stream 1 was seen; the call that is on its way now is the next one.
  const auto pending = start(at(server));
  server.for_each([](http2::Session& session) {
    session.goaway(http2::ErrorCode::kNoError);
    session.finish_goaway();
  });
  EXPECT_EQ(result(pending), "Hello John");
  EXPECT_EQ(server.accepted, 2);
}

TEST_F(ConnectionTest, CallsBeyondTheServersLimitWaitTheirTurn) {
  FakeServer::Options one;
  one.http2.max_concurrent_streams = 1;
  FakeServer& server = serve(nullptr, one);
  std::vector<std::shared_ptr<Pending>> calls;
  for (int i = 0; i < 6; ++i) {
    calls.push_back(start(at(server), std::to_string(i)));
    loop_.run_once(Duration::zero());
  }
  run_until([&] { return !server.calls.empty() && server.calls[0]->request_ended; });
  calls[2]->context.cancel(cancelled("left the queue"));
  EXPECT_EQ(result(calls[2]).error().code(), Code::kCancelled);
  EXPECT_THAT(server.calls, SizeIs(1));
  server.on_request = hello;
  server.calls[0]->reply("first");
  EXPECT_EQ(result(calls[0]), "first");
  for (const std::size_t i : {1, 3, 4, 5}) EXPECT_EQ(result(calls[i]), "Hello " + std::to_string(i));
  std::vector<std::string> order;
  for (const FakeCallPtr& call : server.calls) order.push_back(call->messages().at(0));
  EXPECT_THAT(order, ElementsAre("0", "1", "3", "4", "5"));
  EXPECT_EQ(server.accepted, 1);
  EXPECT_EQ(client().counters().retries, 0U);
}

TEST_F(ConnectionTest, AQueueSurvivesTheLossOfItsConnection) {
  FakeServer::Options one;
  one.http2.max_concurrent_streams = 1;
  FakeServer& server = serve(nullptr, one);
  std::vector<std::shared_ptr<Pending>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(start(at(server), std::to_string(i)));
  run_until([&] { return !server.calls.empty() && server.calls[0]->request_ended; });
  server.on_request = hello;
  server.close_connections();
  EXPECT_EQ(result(calls[0]).error().code(), Code::kUnavailable);
  for (const std::size_t i : {1, 2, 3, 4}) EXPECT_EQ(result(calls[i]), "Hello " + std::to_string(i));
}

TEST_F(ConnectionTest, APeerThatStoppedAnsweringIsFound) {
  options_.keepalive_interval = milliseconds(20);
  options_.keepalive_timeout = milliseconds(20);
  options_.retry.max_attempts = 1;
  FakeServer::Options frozen;
  frozen.banner = std::string("\0\0\0\4\0\0\0\0\0", 9);  // SETTINGS, and then nothing ever
  FakeServer& server = serve(nullptr, frozen);
  const Result<std::string> result = call(at(server));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kUnavailable);
  EXPECT_THAT(result.error().message(), HasSubstr(server.address() + " did not answer a PING within 20ms"));
}

TEST_F(ConnectionTest, ACallWithoutAnswerMakesTheConnectionSuspect) {
  options_.keepalive_timeout = milliseconds(20);
  FakeServer::Options frozen;
  frozen.banner = std::string("\0\0\0\4\0\0\0\0\0", 9);
  FakeServer& server = serve(nullptr, frozen);
  rpc::CallOptions options = at(server);
  options.timeout = milliseconds(20);
  EXPECT_EQ(call(options).error().code(), Code::kDeadlineExceeded);
  run_until([&] { return client().counters().open_connections == 0; });
}

TEST_F(ConnectionTest, AQuietPeerThatAnswersPingsIsWaitedFor) {
  options_.keepalive_interval = milliseconds(5);
  options_.keepalive_timeout = milliseconds(2000);
  FakeServer& server = serve(nullptr);
  const auto pending = start(at(server));
  run_until([&] { return !server.calls.empty() && server.calls[0]->request_ended; });
  std::uint64_t frames = 0;
  server.for_each([&](http2::Session& session) { frames = session.counters().frames_received; });
  run_until([&] {
    std::uint64_t now = 0;
    server.for_each([&](http2::Session& session) { now = session.counters().frames_received; });
    return now > frames;
  });
  server.calls[0]->reply("at last");
  EXPECT_EQ(result(pending), "at last");
}

TEST_F(ConnectionTest, IdleConnectionsAreClosed) {
  options_.idle_timeout = milliseconds(20);
  FakeServer& server = serve(hello);
  EXPECT_EQ(call(at(server)), "Hello John");
  run_until([&] { return server.open() == 0; });
  EXPECT_EQ(call(at(server)), "Hello John");
  EXPECT_EQ(server.accepted, 2);
}

TEST_F(ConnectionTest, FiltersChooseTheNodes) {
  FakeServer& first = serve(hello);
  FakeServer& second = serve(hello);
  rpc::CallOptions options = at({first.address(), second.address()});
  options.filters = {selector::with_address(second.address())};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(call(options));
  EXPECT_EQ(first.calls.size(), 0U);
  EXPECT_EQ(second.calls.size(), 4U);
  options.filters = {selector::with_address("elsewhere:1")};
  EXPECT_EQ(call(options).error().code(), Code::kFailedPrecondition);
}

TEST_F(ConnectionTest, FollowsTheRegistry) {
  registry::Cache cache(std::make_shared<registry::Memory>());
  cache.start(loop_);
  client_ = std::make_unique<rpc::Client>(group_, &cache, options_);
  FakeServer& first = serve(hello);
  FakeServer& second = serve(hello);
  const auto record = [](const FakeServer& server) {
    registry::Service service;
    service.name = "greeter";
    service.nodes.push_back({.id = server.address(), .address = server.address()});
    return service;
  };
  EXPECT_EQ(call({}).error().code(), Code::kNotFound);
  Context context;
  ASSERT_TRUE(run(cache.registry().register_service(context, record(first), {})));
  EXPECT_EQ(call({}), "Hello John");
  ASSERT_TRUE(run(cache.registry().register_service(context, record(second), {})));
  run_until([&] { return call({}) && !second.calls.empty(); });
  ASSERT_TRUE(run(cache.registry().deregister_service(context, record(first))));
  run_until([&] {
    const std::size_t before = first.calls.size();
    return call({}) && call({}) && call({}) && first.calls.size() == before;
  });
  run_until([&] { return first.open() == 0; });
  EXPECT_EQ(client().counters().open_connections, 1U) << "a node that left is not kept connected";
  block_on(loop_, client_->stop(Clock::now()));
  client_.reset();
  block_on(loop_, cache.stop());
}

TEST_F(ConnectionTest, StoppingWaitsForCalls) {
  FakeServer& server = serve(nullptr);
  const auto pending = start(at(server));
  run_until([&] { return !server.calls.empty() && server.calls[0]->request_ended; });
  bool stopped = false;
  const auto stop = [&]() -> Task<void> {
    co_await loop_.schedule();
    co_await client().stop(Clock::now() + seconds(3600));
    stopped = true;
  };
  spawn(stop());
  for (int i = 0; i < 10; ++i) loop_.run_once(milliseconds(1));
  EXPECT_FALSE(stopped);
  EXPECT_EQ(call(at(server)).error().code(), Code::kCancelled);
  server.calls[0]->reply("in time");
  EXPECT_EQ(result(pending), "in time");
  run_until([&] { return stopped && server.open() == 0; });
  EXPECT_EQ(client().counters().open_connections, 0U);
}

TEST_F(ConnectionTest, StoppingCancelsWhatTakesTooLong) {
  FakeServer::Options silent;
  silent.silent = true;
  FakeServer& deaf = serve(nullptr, silent);
  FakeServer::Options one;
  one.http2.max_concurrent_streams = 1;
  FakeServer& server = serve(nullptr, one);
  const auto answering = start(at(server));
  const auto queueing = start(at(server));
  const auto connecting = start(at(deaf));
  run_until([&] { return !server.calls.empty() && deaf.accepted == 1; });
  block_on(loop_, client().stop(Clock::now() + milliseconds(10)));
  for (const auto& pending : {answering, queueing, connecting}) {
    ASSERT_TRUE(pending->result);
    ASSERT_FALSE(*pending->result);
    EXPECT_EQ(pending->result->error().code(), Code::kCancelled);
    EXPECT_THAT(pending->result->error().message(), HasSubstr("the client was stopped"));
  }
}

TEST(ClientOfTwoLoops, EachLoopHasConnectionsOfItsOwn) {
  LoopGroup serving(LoopGroup::Options{.size = 1, .name = "server"});
  LoopGroup calling(LoopGroup::Options{.size = 2, .name = "client"});
  FakeServer server(serving.loop(0), [](const FakeCallPtr& call) { call->reply(call->messages().at(0)); });
  rpc::Client client(calling, nullptr, {});
  serving.start();
  calling.start();

  const auto work = [&](std::size_t index) -> Task<std::vector<Result<void>>> {
    co_await calling.loop(index).schedule();
    rpc::CallOptions options;
    options.addresses = {server.address()};
    std::vector<Result<void>> results;
    for (int i = 0; i < 300; ++i) {
      Context context;
      std::string request = std::to_string(i), reply;
      Result<void> done = co_await client.call(context, "g", "g.G", "Echo", codec::ref(request), codec::ref(reply), options);
      if (done && reply != request) done = fail(internal("wrong reply"));
      results.push_back(std::move(done));
    }
    co_return results;
  };
  Loop here;
  const auto both = [&]() -> Task<void> {
    const auto back = [&](std::size_t index) -> Task<std::vector<Result<void>>> {
      auto results = co_await work(index);
      co_await here.schedule();
      co_return results;
    };
    auto results = co_await when_all(back(0), back(1));
    EXPECT_THAT(std::get<0>(results), AllOf(SizeIs(300), Each(Result<void>())));
    EXPECT_THAT(std::get<1>(results), AllOf(SizeIs(300), Each(Result<void>())));
    co_await client.stop(Clock::now() + seconds(10));
    co_await serving.loop(0).schedule();
    EXPECT_EQ(server.accepted, 2);
    co_await server.stop();
    co_await here.schedule();
  };
  block_on(here, both());
  EXPECT_EQ(client.counters().calls, 600U);
  EXPECT_EQ(client.counters().connects, 2U);
}

}  // namespace
}  // namespace micro::client::testing
