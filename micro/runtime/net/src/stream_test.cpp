#include <micro/net/stream.hpp>

#include <latch>

#include <micro/coro/gate.hpp>
#include <micro/loop/group.hpp>

#include "test_support.hpp"

namespace micro::net {
namespace {

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
    auto [sent, received, sent_back, received_back] =
        co_await when_all(send(*c.client, big), read_to_end(*c.server), send(*c.server, big), read_to_end(*c.client));
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

// What is remembered of the socket instead of asked must never hide bytes or the end.
TEST_P(StreamTest, TheEndIsSeenBehindBytesOfTheSameMoment) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    char buffer[8];
    bool would_block = false;
    EXPECT_EQ(c.server->try_read(buffer, would_block).value(), 0u);
    EXPECT_TRUE(would_block);
    co_await write_all(*c.client, "abc");
    c.client->shutdown_write();
    EXPECT_EQ((co_await c.server->read_some(buffer)).value(), 3u);
    EXPECT_EQ((co_await c.server->read_some(buffer)).value(), 0u);
    EXPECT_EQ((co_await c.server->read_some(buffer)).value(), 0u) << "and again";
  }(loop, address()));
}

TEST_P(StreamTest, ReadsThatFillTheBufferAndReadsThatDoNot) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    char buffer[4];
    for (const std::string_view text : {"abcd", "abcde", "a", "abcdabcd", "abc"}) {
      co_await write_all(*c.client, text);
      std::string got;
      while (got.size() < text.size()) {
        Result<std::size_t> count = co_await c.server->read_some(buffer);
        if (!count.has_value() || *count == 0) break;
        got.append(buffer, *count);
      }
      EXPECT_EQ(got, text);
    }
  }(loop, address()));
}

// Idle connections need no buffer of their own: nothing is read before whoever awaits goes on.
TEST_P(StreamTest, OneBufferServesManyStreams) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection a = co_await connected_pair(l, address);
    a.listener.reset();
    Connection b = co_await connected_pair(l, address);
    char buffer[4];
    auto read = [](Stream& stream, std::span<char> into) -> Task<std::string> {
      std::string all;
      while (true) {
        Result<std::size_t> count = co_await stream.read_some(into);
        if (!count.has_value() || *count == 0) co_return all;
        all.append(into.data(), *count);
      }
    };
    auto write = [](Loop& l2, Stream& stream, char letter) -> Task<void> {
      for (const std::size_t size : {1, 4, 9, 3, 16}) {
        co_await write_all(stream, std::string(size, letter));
        co_await l2.yield();
      }
      stream.shutdown_write();
    };
    // Some is there before anybody reads, some comes later.
    co_await write_all(*a.client, "AAAAAA");
    co_await write_all(*b.client, "BBBBBB");
    auto [from_a, from_b, nothing, neither] =
        co_await when_all(read(*a.server, buffer), read(*b.server, buffer), write(l, *a.client, 'A'), write(l, *b.client, 'B'));
    EXPECT_EQ(from_a, std::string(39, 'A'));
    EXPECT_EQ(from_b, std::string(39, 'B'));
  }(loop, address()));
}

TEST_P(StreamTest, AFullSocketHasRoomAgainWhenThePeerReads) {
  block_on(loop, [](Loop& l, Address address) -> Task<void> {
    Connection c = co_await connected_pair(l, address);
    EXPECT_TRUE((co_await c.client->wait_writable()).has_value());
    const std::string block(1 << 20, 'x');
    const std::string_view pieces[] = {block};
    for (int round = 0; round < 3; ++round) {
      std::size_t sent = 0;
      while (const std::size_t count = c.client->try_write(pieces).value()) sent += count;
      EXPECT_GT(sent, 0u);
      std::vector<char> buffer(64 * 1024);
      while (sent > 0) {
        Result<std::size_t> count = co_await c.server->read_some(buffer);
        if (!count.has_value() || *count == 0) break;
        sent -= *count;
      }
      EXPECT_EQ(sent, 0u);
      EXPECT_TRUE((co_await c.client->wait_writable()).has_value());
    }
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

// A server on one loop of a group, as real ones are built: what it serves is counted by a gate.
struct EchoServer {
  explicit EchoServer(std::unique_ptr<Listener> l) : listener(std::move(l)) {}
  std::unique_ptr<Listener> listener;
  std::vector<Stream*> open;
  Gate gate;

  Task<void> serve(std::unique_ptr<Stream> stream, Gate::Holder) {
    open.push_back(stream.get());
    std::vector<char> buffer(256);
    for (;;) {
      Result<std::size_t> count = co_await stream->read_some(buffer);
      if (!count || *count == 0) break;
      Result<void> sent = co_await write_all(*stream, std::string_view(buffer.data(), *count));
      if (!sent) break;
    }
    std::erase(open, stream.get());
  }
  Task<void> accept_all(Gate::Holder) {
    for (;;) {
      Result<std::unique_ptr<Stream>> stream = co_await listener->accept();
      if (!stream) co_return;
      if (Gate::Holder holder = gate.try_enter()) spawn(serve(std::move(*stream), std::move(holder)));
    }
  }
  Task<void> stop() {
    listener->close();
    for (Stream* stream : open) stream->close();
    co_await gate.close();
  }
};

Task<void> stop_on(Loop& loop, EchoServer& server, std::latch& stopped) {
  co_await loop.schedule();
  co_await server.stop();
  server.listener.reset();
  stopped.count_down();
}

TEST(Stop, ServersOfSeveralLoopsEndInTheMiddleOfTraffic) {
  LoopGroup group({.size = 2, .name = "echo"});
  std::vector<std::unique_ptr<EchoServer>> servers;
  Address address = parse("127.0.0.1:0");
  for (std::size_t i = 0; i < group.size(); ++i) {
    const ListenOptions options{.reuse_port = i > 0};
    servers.push_back(std::make_unique<EchoServer>(Listener::listen(group.loop(i), address, options).value()));
    address = servers[i]->listener->address();
    group.loop(i).post_remote([s = servers[i].get()] { spawn(s->accept_all(s->gate.enter())); });
  }
  group.start();

  Loop loop;
  std::latch stopped(2);
  int echoed = 0;
  auto client = [](Address to, int& count) -> Task<void> {
    Context context;
    Result<std::unique_ptr<Stream>> stream = co_await connect(context, to);
    if (!stream) co_return;
    char buffer[16];
    for (;;) {
      Result<void> sent = co_await write_all(**stream, "ping");
      if (!sent) co_return;
      Result<std::size_t> received = co_await (*stream)->read_some(buffer);
      if (!received || *received == 0) co_return;
      ++count;
    }
  };
  auto stopper = [&]() -> Task<void> {
    while (echoed < 200) co_await loop.yield();
    for (std::size_t i = 0; i < group.size(); ++i) spawn(stop_on(group.loop(i), *servers[i], stopped));
  };
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 16; ++i) tasks.push_back(client(address, echoed));
  tasks.push_back(stopper());
  block_on(loop, when_all(std::move(tasks)));
  stopped.wait();
  group.stop();
  group.join();
  EXPECT_GE(echoed, 200);
  for (const auto& server : servers) EXPECT_EQ(server->gate.inside(), 0u);
}

}  // namespace
}  // namespace micro::net
