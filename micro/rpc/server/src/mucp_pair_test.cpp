// Our client and our server in go-micro's own RPC, which they speak to each other only here.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include <micro/client/client.hpp>
#include <micro/coro/block_on.hpp>
#include <micro/registry/cache.hpp>
#include <micro/registry/memory.hpp>
#include <micro/testcerts/authority.hpp>
#include <micro/tls/credentials.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Pair {
 public:
  Pair(ServerOptions server_options, const ClientOptions& client_options, registry::Properties metadata)
      : server(1, std::move(server_options)) {
    server.start();
    registry::Service record;
    record.name = "echo";
    record.nodes.push_back({.id = "echo-1", .address = server.server.address().to_string(), .metadata = std::move(metadata)});
    Context context;
    EXPECT_TRUE(block_on(loop_, registry_->register_service(context, record, {})));
    cache_.start(loop_);
    client_ = std::make_unique<Client>(group_, &cache_, client_options);
  }
  ~Pair() {
    block_on(loop_, client_->stop(Clock::now()));
    client_.reset();
    block_on(loop_, cache_.stop());
    while (loop_.run_once(Duration::zero())) {
    }
  }

  static Text text(std::string value) {
    Text message;
    message.set_value(std::move(value));
    return message;
  }
  Task<Result<std::string>> call(Context& context, std::string method, std::string value) {
    const CallOptions options;
    const Text request = text(std::move(value));
    Text reply;
    const Reply done =
        co_await client_->call(context, "echo", "test.Echo", method, codec::ref(request), codec::ref(reply), options);
    if (!done) co_return fail(done.error());
    co_return reply.value();
  }
  Result<std::string> call(std::string method, std::string value) {
    Context context;
    return run(call(context, std::move(method), std::move(value)));
  }
  Task<Result<std::unique_ptr<ClientStream>>> open(Context& context, std::string method, MethodKind kind, const Text& request) {
    const CallOptions options;
    co_return co_await client_->stream(context, "echo", "test.Echo", method, kind, codec::ref(request), options);
  }
  static Task<std::string> next(ClientStream& stream) {
    Text message;
    const Result<bool> more = co_await stream.read(codec::ref(message));
    if (!more) co_return "error " + more.error().message();
    co_return *more ? message.value() : std::string("end");
  }
  static Task<Result<void>> write(ClientStream& stream, std::string value) {
    const Text message = text(std::move(value));
    co_return co_await stream.write(codec::ref(message));
  }
  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }

  TestServer server;

 private:
  LoopGroup group_{LoopGroup::Options{.size = 1}};
  Loop& loop_ = group_.loop(0);
  std::shared_ptr<registry::Memory> registry_ = std::make_shared<registry::Memory>();
  registry::Cache cache_{registry_};
  std::unique_ptr<Client> client_;
};

ClientOptions with_type(const char* type) {
  ClientOptions options;
  options.mucp_content_type = type;
  return options;
}

// The parameter is the content type.
class MucpPair : public Pair, public testing::TestWithParam<const char*> {
 protected:
  MucpPair() : Pair(TestServer::default_options(), with_type(GetParam()), {{"protocol", "mucp"}}) {}
};

TEST_P(MucpPair, UnaryCalls) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(call("Say", "B"), "you said B");
  EXPECT_EQ(call("Later", ""), "");
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(call("Say", large), "you said " + large);
  EXPECT_EQ(server.server.counters().connections, 1u) << "one after the other on one connection";
}

TEST_P(MucpPair, ErrorsComeWhole) {
  EXPECT_EQ(call("Say", "fail").error(), Error(Code::kNotFound, "NO_TEXT", "no such text").with("key", "value"));
  EXPECT_EQ(call("Nothing", "x").error().code(), Code::kUnimplemented);
  EXPECT_EQ(call("Say", "B"), "you said B");
}

TEST_P(MucpPair, DeadlinesAndCancellation) {
  Context late;
  late.set_timeout(std::chrono::milliseconds(20));
  EXPECT_EQ(run(call(late, "Hang", "x")).error().code(), Code::kDeadlineExceeded);
  while (server.echo->cancelled_handlers == 0) std::this_thread::yield();
}

TEST_P(MucpPair, ServerStream) {
  Context context;
  const Text request = text("x");
  auto stream = run(open(context, "Repeat", MethodKind::kServerStream, request));
  ASSERT_TRUE(stream) << stream.error().message();
  std::vector<std::string> all;
  for (int i = 0; i < 4; ++i) all.push_back(run(next(**stream)));
  EXPECT_THAT(all, ElementsAre("x0", "x1", "x2", "end"));
}

TEST_P(MucpPair, ClientStream) {
  Context context;
  const Text none;
  auto stream = run(open(context, "Join", MethodKind::kClientStream, none));
  ASSERT_TRUE(stream);
  std::string wanted;
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(run(write(**stream, std::to_string(i))));
    wanted += std::to_string(i);
  }
  Text reply;
  const Result<void> done = run((*stream)->finish(codec::ref(reply)));
  EXPECT_TRUE(done) << done.error().message();
  EXPECT_EQ(reply.value(), wanted);
}

TEST_P(MucpPair, BidiStream) {
  Context context;
  const Text none;
  {
    auto stream = run(open(context, "Chat", MethodKind::kBidiStream, none));
    ASSERT_TRUE(stream);
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(run(write(**stream, "m" + std::to_string(i))));
      EXPECT_EQ(run(next(**stream)), "m" + std::to_string(i));
    }
    ASSERT_TRUE(run(write(**stream, "bye")));
    EXPECT_EQ(run(next(**stream)), "end");
  }
  {
    auto stream = run(open(context, "Chat", MethodKind::kBidiStream, none));
    ASSERT_TRUE(run(write(**stream, "once")));
    EXPECT_EQ(run(next(**stream)), "once");
    // Given up in the middle: go-micro's farewell.
  }
  while (server.server.counters().open_calls != 0) std::this_thread::yield();
  EXPECT_EQ(server.server.counters().failed_calls, 0u);
}

TEST_P(MucpPair, StreamsOfUnknownMethods) {
  Context context;
  const Text none;
  auto stream = run(open(context, "Nothing", MethodKind::kBidiStream, none));
  ASSERT_TRUE(stream);
  EXPECT_THAT(run(next(**stream)), HasSubstr("can't find method Nothing"));
}

TEST(MucpPairTls, TheSameOverTls) {
  const testkit::Authority authority;
  const testkit::IssuedCertificate issued = authority.issue({.common_name = "echo", .alternative_names = {"IP:127.0.0.1"}});
  const std::string folder = testing::TempDir() + "mucp_pair_" + std::to_string(::getpid());
  std::filesystem::create_directory(folder);
  const auto file = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + "/" + name) << text;
    return folder + "/" + name;
  };
  const std::string root = file("ca.pem", authority.certificate());
  ServerOptions served = TestServer::default_options();
  tls::ServerOptions tls;
  tls.certificates = {{.certificate = file("echo.pem", issued.certificate), .key = file("echo.key", issued.key)}};
  served.tls = *tls::ServerCredentials::load(tls);
  served.require_tls = true;
  tls::ClientOptions trusting;
  trusting.trusted = root;
  ClientOptions calling;
  calling.tls = *tls::ClientCredentials::load(trusting);
  {
    Pair pair(served, calling, {{"protocol", "mucp"}, {"tls", "true"}});
    for (int i = 0; i < 10; ++i) EXPECT_EQ(pair.call("Say", "B"), "you said B");
    EXPECT_EQ(pair.server.server.counters().connections, 1u) << "also when TLS has something to say of its own in between";
    EXPECT_EQ(pair.server.server.counters().tls_handshakes, 1u);
    Context context;
    const Text request = Pair::text("x");
    auto stream = pair.run(pair.open(context, "Repeat", MethodKind::kServerStream, request));
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ(pair.run(Pair::next(**stream)), "x0");
  }
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(ContentTypes, MucpPair,
                         testing::Values("application/protobuf", "application/json", "application/octet-stream",
                                         "application/json-rpc", "application/proto-rpc", "application/grpc",
                                         "application/grpc+json"),
                         [](const auto& param) {
                           std::string name(param.param);
                           std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
                           return name;
                         });

}  // namespace
}  // namespace micro::rpc::test
