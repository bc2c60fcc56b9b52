#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <micro/coro/block_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/net/connect.hpp>
#include <micro/net/listener.hpp>

namespace micro::net {
namespace {

using namespace std::chrono_literals;

Address parse(std::string_view text) { return Address::parse(text).value(); }

Task<Result<void>> write_all(Stream& stream, std::string_view text) {
  while (!text.empty()) {
    const std::string_view pieces[] = {text};
    Result<std::size_t> written = stream.try_write(pieces);
    if (!written) co_return fail(std::move(written.error()));
    text.remove_prefix(*written);
    if (text.empty()) break;
    Result<void> room = co_await stream.wait_writable();
    if (!room) co_return room;
  }
  co_return Result<void>();
}

Task<Result<std::string>> read_to_end(Stream& stream) {
  std::string all;
  std::vector<char> buffer(4096);
  for (;;) {
    Result<std::size_t> count = co_await stream.read_some(buffer);
    if (!count) co_return fail(std::move(count.error()));
    if (*count == 0) co_return all;
    all.append(buffer.data(), *count);
  }
}

// What a test of a connection works with: both ends of one.
struct Connection {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> server;
  std::unique_ptr<Stream> client;
};

Task<void> accept_into(Connection& connection) {
  auto accepted = co_await connection.listener->accept();
  if (accepted) connection.server = std::move(*accepted);
}

Task<void> connect_into(Connection& connection, Address address) {
  Context context;
  auto connected = co_await connect(context, address);
  if (connected) connection.client = std::move(*connected);
}

Task<Connection> connected_pair(Loop& loop, Address address) {
  Connection connection;
  ListenOptions options;
  auto listener = Listener::listen(loop, address, options);
  if (!listener) co_return connection;
  connection.listener = std::move(*listener);
  Address real = connection.listener->address();
  co_await when_all(accept_into(connection), connect_into(connection, real));
  co_return connection;
}

std::string unix_path(const char* name) { return testing::TempDir() + name + std::to_string(getpid()) + ".sock"; }

class StreamTest : public testing::TestWithParam<const char*> {
 protected:
  Address address() const {
    const std::string text = GetParam();
    return parse(text == "unix" ? "unix:" + unix_path("stream") : text);
  }
  Loop loop;
};

TEST_P(StreamTest, BytesArriveInOrderBothWays) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    EXPECT_TRUE(c.server && c.client);
    if (!c.server || !c.client) co_return;
    std::string big(3 << 20, 'x');
    for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 >> 3);
    auto send = [](Stream& stream, const std::string& text) -> Task<Result<void>> {
      Result<void> sent = co_await write_all(stream, text);
      stream.shutdown_write();
      co_return sent;
    };
    auto [sent, received, sent_back, received_back] = co_await when_all(
        send(*c.client, big), read_to_end(*c.server), send(*c.server, big), read_to_end(*c.client));
    EXPECT_TRUE(sent.has_value() && sent_back.has_value());
    EXPECT_EQ(received.value(), big);
    EXPECT_EQ(received_back.value(), big);
  }(loop, address()));
}

TEST_P(StreamTest, GathersPiecesAndSkipsEmptyOnes) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    std::vector<std::string_view> pieces(70, "a");
    pieces[1] = "";
    pieces[2] = "bcd";
    EXPECT_EQ(c.client->try_write(pieces).value(), 64u + 1u) << "64 pieces: 62 of one byte, one empty, one of three";
    std::vector<std::string_view> nothing = {"", ""};
    EXPECT_EQ(c.client->try_write(nothing).value(), 0u);
    char buffer[100];
    EXPECT_EQ((co_await c.server->read_some(buffer)).value(), 65u);
    EXPECT_EQ(std::string_view(buffer, 5), "abcda");
  }(loop, address()));
}

TEST_P(StreamTest, TryReadTellsWhenNothingIsThere) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    char buffer[8];
    bool would_block = false;
    EXPECT_EQ(c.server->try_read(buffer, would_block).value(), 0u);
    EXPECT_TRUE(would_block);
    co_await write_all(*c.client, "hello, world");
    EXPECT_EQ((co_await c.server->read_some(buffer)).value(), 8u);
    EXPECT_EQ(c.server->try_read(buffer, would_block).value(), 4u);
    EXPECT_FALSE(would_block);
    c.client->close();
    EXPECT_EQ((co_await c.server->read_some(buffer)).value(), 0u) << "an orderly end";
    EXPECT_EQ(c.server->try_read(buffer, would_block).value(), 0u);
    EXPECT_FALSE(would_block);
  }(loop, address()));
}

TEST_P(StreamTest, CloseCancelsPendingOperations) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    char buffer[8];
    bool returned = false;
    auto read = [](Stream& stream, std::span<char> into, bool& done) -> Task<Result<std::size_t>> {
      Result<std::size_t> count = co_await stream.read_some(into);
      done = true;
      co_return count;
    };
    auto close = [](Stream& stream, bool& done) -> Task<void> {
      stream.close();
      stream.close();
      EXPECT_FALSE(done) << "completes later, not inside close()";
      co_return;
    };
    auto [count, ignored] = co_await when_all(read(*c.server, buffer, returned), close(*c.server, returned));
    EXPECT_FALSE(count.has_value());
    if (!count) EXPECT_EQ(count.error().code(), Code::kCancelled);
    EXPECT_FALSE(c.server->is_open());
    const std::string_view pieces[] = {"x"};
    EXPECT_EQ(c.server->try_write(pieces).error().code(), Code::kCancelled);
    bool would_block = false;
    EXPECT_EQ(c.server->try_read(buffer, would_block).error().code(), Code::kCancelled);
    Result<std::size_t> late = co_await c.server->read_some(buffer);
    EXPECT_EQ(late.error().code(), Code::kCancelled);
    Result<void> room = co_await c.server->wait_writable();
    EXPECT_EQ(room.error().code(), Code::kCancelled);
  }(loop, address()));
}

TEST_P(StreamTest, CloseCancelsAWriterThatWaits) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    const std::string big(16 << 20, 'x');
    auto close = [](Stream& stream) -> Task<void> {
      stream.close();
      co_return;
    };
    auto [sent, ignored] = co_await when_all(write_all(*c.client, big), close(*c.client));
    EXPECT_EQ(sent.error().code(), Code::kCancelled);
  }(loop, address()));
}

TEST_P(StreamTest, WritingToAPeerThatIsGoneIsUnavailable) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    co_await write_all(*c.client, "unread bytes turn the end into a reset");
    c.server->close();
    Result<void> sent;
    const std::string text(1 << 20, 'x');
    while (sent) sent = co_await write_all(*c.client, text);
    EXPECT_EQ(sent.error().code(), Code::kUnavailable);
    EXPECT_THAT(sent.error().message(), testing::HasSubstr("write to " + c.client->peer()));
  }(loop, address()));
}

INSTANTIATE_TEST_SUITE_P(All, StreamTest, testing::Values("127.0.0.1:0", "[::1]:0", "unix"), [](const auto& info) {
  const std::string text = info.param;
  return text == "unix" ? "Unix" : text[0] == '[' ? "Tcp6" : "Tcp4";
});

TEST(Stream, TellsBothAddresses) {
  Loop loop;
  block_on(loop, [](Loop& l) -> Task<void> {
    Connection c = co_await connected_pair(l, parse("127.0.0.1:0"));
    EXPECT_EQ(c.client->peer(), c.listener->address().to_string());
    EXPECT_EQ(c.server->local(), c.client->peer());
    EXPECT_EQ(c.server->peer(), c.client->local());
    Connection u = co_await connected_pair(l, parse("unix:" + unix_path("addresses")));
    EXPECT_EQ(u.client->peer(), u.listener->address().to_string());
    EXPECT_EQ(u.server->peer(), "unix:");
  }(loop));
}

TEST(Listener, WithoutHostBothFamiliesReachIt) {
  Loop loop;
  block_on(loop, [](Loop& l) -> Task<void> {
    auto listener = Listener::listen(l, parse(":0"), ListenOptions());
    EXPECT_TRUE(listener.has_value());
    const Address real = (*listener)->address();
    EXPECT_EQ(real.host, "");
    EXPECT_NE(real.port, 0);
    for (const char* host : {"127.0.0.1", "::1"}) {
      Address to = real;
      to.host = host;
      Context context;
      auto client = co_await connect(context, to);
      EXPECT_TRUE(client.has_value()) << host << ": " << client.error().message();
      auto server = co_await (*listener)->accept();
      EXPECT_EQ((*server)->peer(), (*client)->local()) << "an IPv4 peer is written as IPv4";
    }
  }(loop));
}

TEST(Listener, PortInUseNamesTheAddressAndTheWayOut) {
  Loop loop;
  auto first = Listener::listen(loop, parse("127.0.0.1:0"), ListenOptions());
  ASSERT_TRUE(first.has_value());
  const std::string text = (*first)->address().to_string();
  auto second = Listener::listen(loop, (*first)->address(), ListenOptions());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(second.error().message(), "listen on " + text + ": address already in use: another program listens there; "
                                      "choose another --address or stop it");
}

TEST(Listener, OtherLoopsJoinWithReusePortAndStillNobodyElse) {
  Loop loop;
  const ListenOptions join{.reuse_port = true};
  auto first = Listener::listen(loop, parse("127.0.0.1:0"), ListenOptions());
  auto second = Listener::listen(loop, (*first)->address(), join);
  EXPECT_TRUE(second.has_value());
  EXPECT_TRUE(Listener::listen(loop, (*first)->address(), join).has_value());
  EXPECT_FALSE(Listener::listen(loop, (*first)->address(), ListenOptions()).has_value());
  const Address address = (*first)->address();
  (*first)->close();
  (*second)->close();
  EXPECT_TRUE(Listener::listen(loop, address, ListenOptions()).has_value()) << "the port is free again";
}

TEST(Listener, BadAddressesAreExplained) {
  const struct {
    const char* address;
    Code code;
    const char* says;
  } cases[] = {
      {"192.0.2.1:0", Code::kInvalidArgument, "no network interface"},
      {"nobody.invalid:80", Code::kNotFound, "resolve nobody.invalid"},
      {"unix:/nowhere/at/all.sock", Code::kNotFound, "listen on unix:/nowhere/at/all.sock"},
  };
  Loop loop;
  for (const auto& c : cases) {
    auto listener = Listener::listen(loop, parse(c.address), ListenOptions());
    ASSERT_FALSE(listener.has_value()) << c.address;
    if (c.code == Code::kNotFound && listener.error().code() == Code::kUnavailable) continue;  // no name server to ask
    EXPECT_EQ(listener.error().code(), c.code) << listener.error().message();
    EXPECT_THAT(listener.error().message(), testing::HasSubstr(c.says));
  }
  const Address too_long{.unix_path = "/tmp/" + std::string(200, 'x')};
  auto listener = Listener::listen(loop, too_long, ListenOptions());
  EXPECT_EQ(listener.error().code(), Code::kInvalidArgument);
}

TEST(Listener, UnixSocketFiles) {
  Loop loop;
  const std::string path = unix_path("files");
  const Address address = parse("unix:" + path);
  {
    auto listener = Listener::listen(loop, address, ListenOptions());
    ASSERT_TRUE(listener.has_value());
    auto second = Listener::listen(loop, address, ListenOptions());
    ASSERT_FALSE(second.has_value()) << "somebody answers there";
    EXPECT_EQ(second.error().code(), Code::kAlreadyExists);
    EXPECT_EQ(access(path.c_str(), F_OK), 0);
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0) << "close() removes its file";

  // What a killed process leaves behind: a file nobody answers on.
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  path.copy(un.sun_path, sizeof un.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&un), sizeof un), 0);
  ::close(fd);
  EXPECT_TRUE(Listener::listen(loop, address, ListenOptions()).has_value());

  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fclose(file);
  auto refused = Listener::listen(loop, address, ListenOptions());
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("is not a socket"));
  EXPECT_EQ(access(path.c_str(), F_OK), 0) << "never removes what is not its own";
  unlink(path.c_str());
}

TEST(Listener, CloseEndsAccept) {
  Loop loop;
  block_on(loop, [](Loop& l) -> Task<void> {
    auto listener = Listener::listen(l, parse("127.0.0.1:0"), ListenOptions());
    auto close = [](Listener& owner) -> Task<void> {
      owner.close();
      co_return;
    };
    auto [accepted, ignored] = co_await when_all((*listener)->accept(), close(**listener));
    EXPECT_EQ(accepted.error().code(), Code::kCancelled);
    auto again = co_await (*listener)->accept();
    EXPECT_EQ(again.error().code(), Code::kCancelled);
  }(loop));
}

TEST(Listener, SurvivesRunningOutOfDescriptors) {
  Loop loop;
  block_on(loop, [](Loop& l) -> Task<void> {
    auto listener = Listener::listen(l, parse("127.0.0.1:0"), ListenOptions());
    Context context;
    auto client = co_await connect(context, (*listener)->address());
    EXPECT_TRUE(client.has_value());
    rlimit old{};
    getrlimit(RLIMIT_NOFILE, &old);
    rlimit none = old;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    auto restore = [](const rlimit& limit) -> Task<void> {
      setrlimit(RLIMIT_NOFILE, &limit);
      co_return;
    };
    auto [accepted, ignored] = co_await when_all((*listener)->accept(), restore(old));
    EXPECT_TRUE(accepted.has_value());
  }(loop));
}

TEST(Connect, RefusedSaysWhere) {
  Loop loop;
  block_on(loop, [](Loop& l) -> Task<void> {
    Address address;
    {
      auto listener = Listener::listen(l, parse("127.0.0.1:0"), ListenOptions());
      address = (*listener)->address();
    }
    Context context;
    auto stream = co_await connect(context, address);
    EXPECT_EQ(stream.error().code(), Code::kUnavailable);
    EXPECT_EQ(stream.error().message(), "connect to " + address.to_string() + ": Connection refused");
    const Address missing = parse("unix:" + unix_path("missing"));
    auto none = co_await connect(context, missing);
    EXPECT_EQ(none.error().code(), Code::kUnavailable);
  }(loop));
}

TEST(Connect, TriesTheNextAddressOfAName) {
  Loop loop;
  block_on(loop, [](Loop& l) -> Task<void> {
    auto listener = Listener::listen(l, parse("127.0.0.1:0"), ListenOptions());
    Address address = (*listener)->address();
    address.host = "localhost";  // as a rule ::1 first, where nobody listens
    Context context;
    auto stream = co_await connect(context, address);
    EXPECT_TRUE(stream.has_value()) << stream.error().message();
  }(loop));
}

TEST(Connect, EndsWithItsContext) {
  Loop loop;
  block_on(loop, [](Loop& l) -> Task<void> {
    // A listener whose queue is full answers nobody: a connection attempt that hangs.
    ListenOptions options{.backlog = 0};
    auto listener = Listener::listen(l, parse("127.0.0.1:0"), options);
    const Address address = (*listener)->address();
    std::vector<std::unique_ptr<Stream>> held;
    for (;;) {
      Context context;
      context.set_timeout(50ms);
      auto stream = co_await connect(context, address);
      if (!stream) {
        EXPECT_EQ(stream.error().code(), Code::kDeadlineExceeded) << stream.error().message();
        break;
      }
      held.push_back(std::move(*stream));
    }
    Context context;
    auto cancel = [](Context& c) -> Task<void> {
      c.cancel(cancelled("changed my mind"));
      co_return;
    };
    auto [stream, ignored] = co_await when_all(connect(context, address), cancel(context));
    EXPECT_EQ(stream.error().code(), Code::kCancelled);
    EXPECT_EQ(stream.error().message(), "connect to " + address.to_string() + ": changed my mind");
    auto at_once = co_await connect(context, address);
    EXPECT_EQ(at_once.error().code(), Code::kCancelled);
    const Address name = parse("nobody.invalid:1");
    auto unresolved = co_await connect(context, name);
    EXPECT_EQ(unresolved.error().code(), Code::kCancelled);
  }(loop));
}

TEST(Hosts, LoopbackComesLast) {
  const std::vector<std::string> hosts = reachable_hosts();
  ASSERT_THAT(hosts, testing::Contains("127.0.0.1"));
  const auto loopback = std::ranges::find(hosts, "127.0.0.1");
  for (auto host = hosts.begin(); host != loopback; ++host) EXPECT_FALSE(host->starts_with("127.")) << *host;
}

}  // namespace
}  // namespace micro::net
