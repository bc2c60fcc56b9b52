#include <micro/net/listener.hpp>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "test_support.hpp"

namespace micro::net {
namespace {

using namespace std::chrono_literals;

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
  EXPECT_EQ(second.error().message(), "listen on " + text +
                                          ": address already in use: another program listens there; "
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
