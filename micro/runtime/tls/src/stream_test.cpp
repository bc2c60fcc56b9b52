#include <micro/tls/stream.hpp>

#include <cerrno>

#include <micro/coro/block_on.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/net/connect.hpp>
#include <micro/net/listener.hpp>
#include <micro/testkit/memory_stream.hpp>

#include "test_support.hpp"

namespace micro::tls {
namespace {

using testing::HasSubstr;
using testkit::MemoryStream;

std::string big_text(std::size_t size) {
  std::string text(size, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 3);
  return text;
}

// Writes by pieces of growing size, always from the first byte that was not taken.
Task<Result<void>> write_all(net::Stream& stream, std::string_view text) {
  while (!text.empty()) {
    std::vector<std::string_view> pieces;
    std::size_t at = 0;
    for (std::size_t size = 1; at < text.size() && pieces.size() < 16; size *= 3) {
      pieces.push_back(text.substr(at, size));
      at += pieces.back().size();
    }
    const Result<std::size_t> written = stream.try_write(pieces);
    if (!written) co_return fail(written.error());
    text.remove_prefix(*written);
    if (*written != 0) continue;
    Result<void> room = co_await stream.wait_writable();
    if (!room) co_return room;
  }
  co_return Result<void>();
}

Task<Result<void>> write_and_end(net::Stream& stream, const std::string& text) {
  Result<void> written = co_await write_all(stream, text);
  stream.shutdown_write();
  co_return written;
}

Task<Result<std::string>> read_to_end(net::Stream& stream) {
  std::string all;
  std::vector<char> buffer(2048);
  std::vector<char> large(64 * 1024);
  while (true) {
    const Result<std::size_t> count = co_await stream.read_some(buffer);
    if (!count) co_return fail(count.error());
    if (*count == 0) co_return all;
    all.append(buffer.data(), *count);
    if (*count < buffer.size()) continue;
    bool would_block = false;
    const Result<std::size_t> more = stream.try_read(large, would_block);
    if (!more) co_return fail(more.error());
    all.append(large.data(), *more);
  }
}

struct Ends {
  std::unique_ptr<Stream> server;
  std::unique_ptr<Stream> client;
  MemoryStream* server_below = nullptr;
  MemoryStream* client_below = nullptr;
};

class StreamTest : public testing::Test {
 protected:
  Ends pair(const testkit::MemoryStreamOptions& options = {}) {
    auto [a, b] = MemoryStream::pair(loop_, options);
    Ends ends;
    ends.server_below = a.get();
    ends.client_below = b.get();
    ends.server = Stream::server(std::move(a), *server_);
    ends.client = Stream::client(std::move(b), *client_, "localhost");
    return ends;
  }
  Ends connected(const testkit::MemoryStreamOptions& options = {}) {
    Ends ends = pair(options);
    shake(ends);
    return ends;
  }
  void shake(Ends& ends) {
    auto [server, client] = block_on(loop_, when_all(ends.server->handshake(), ends.client->handshake()));
    EXPECT_TRUE(server.has_value() && client.has_value());
  }

  Files files_;
  std::shared_ptr<ServerCredentials> server_ = load(ServerOptions{.certificates = {files_.server()}});
  std::shared_ptr<ClientCredentials> client_ = load(ClientOptions{.trusted = files_.trusted()});
  Loop loop_;
};

class StreamSizesTest : public StreamTest, public testing::WithParamInterface<std::pair<std::size_t, std::size_t>> {};

TEST_P(StreamSizesTest, BytesArriveInOrderBothWays) {
  Ends ends = connected({.chunk = GetParam().first, .capacity = GetParam().second});
  EXPECT_EQ(ends.server->application_protocol(), "h2");
  EXPECT_EQ(ends.client->identity()->subject, "CN=server");
  const std::string text = big_text(GetParam().first == 1 ? 20'000 : 1'000'000);
  auto [sent, got, sent_back, got_back] = block_on(loop_, when_all(write_and_end(*ends.client, text), read_to_end(*ends.server),
                                                                   write_and_end(*ends.server, text), read_to_end(*ends.client)));
  EXPECT_TRUE(sent.has_value() && sent_back.has_value());
  EXPECT_TRUE(got == text);
  EXPECT_TRUE(got_back == text);
}

INSTANTIATE_TEST_SUITE_P(Sizes, StreamSizesTest,
                         testing::Values(std::pair<std::size_t, std::size_t>{SIZE_MAX, 64 * 1024},
                                         std::pair<std::size_t, std::size_t>{1, 64 * 1024},
                                         std::pair<std::size_t, std::size_t>{1000, 100},
                                         std::pair<std::size_t, std::size_t>{SIZE_MAX, 17'000}));

TEST_F(StreamTest, OneBufferServesManyStreams) {
  // Whole records, and parts of them.
  for (const std::size_t chunk : {SIZE_MAX, std::size_t{30}}) {
    Ends a = connected({.chunk = chunk});
    Ends b = connected({.chunk = chunk});
    std::vector<char> buffer(10);
    auto read = [](net::Stream& stream, std::span<char> into) -> Task<std::string> {
      std::string all;
      while (true) {
        const Result<std::size_t> count = co_await stream.read_some(into);
        if (!count || *count == 0) co_return all;
        all.append(into.data(), *count);
      }
    };
    const std::string all_a(2000, 'A');
    const std::string all_b(2000, 'B');
    auto [from_a, from_b, sent_a, sent_b] =
        block_on(loop_, when_all(read(*a.server, buffer), read(*b.server, buffer), write_and_end(*a.client, all_a),
                                 write_and_end(*b.client, all_b)));
    EXPECT_EQ(from_a, all_a);
    EXPECT_EQ(from_b, all_b);
  }
}

TEST_F(StreamTest, TheFirstBytesMayHaveBeenRead) {
  Ends ends = pair();
  auto first = [](Stream& stream, net::Stream& below) -> Task<Result<void>> {
    char byte = 0;
    const std::span<char> one(&byte, 1);
    const Result<std::size_t> count = co_await below.read_some(one);
    EXPECT_EQ(count.value(), 1u);
    EXPECT_EQ(byte, kFirstByte);
    const std::string received(1, byte);
    co_return co_await stream.handshake(received);
  };
  auto [server, client] = block_on(loop_, when_all(first(*ends.server, *ends.server_below), ends.client->handshake()));
  EXPECT_TRUE(server.has_value() && client.has_value());
}

TEST_F(StreamTest, SmallPiecesShareARecordAndAWrite) {
  Ends ends = connected();
  const std::size_t writes = ends.client_below->writes();
  const std::vector<std::string_view> pieces(40, "a piece of nineteen");
  EXPECT_EQ(ends.client->try_write(pieces).value(), 40u * 19);
  EXPECT_EQ(ends.client_below->writes(), writes + 1);
  EXPECT_LT(ends.client_below->unread(), 40u * 19 + 32);
}

TEST_F(StreamTest, TryReadTellsWhenNothingIsThere) {
  Ends ends = connected();
  char buffer[8];
  bool would_block = false;
  EXPECT_EQ(ends.server->try_read(buffer, would_block).value(), 0u);
  EXPECT_TRUE(would_block);
  const std::string_view text[] = {"hello, world"};
  ASSERT_EQ(ends.client->try_write(text).value(), 12u);
  EXPECT_EQ(ends.server->try_read(buffer, would_block).value(), 8u);
  EXPECT_FALSE(would_block);
  EXPECT_EQ(ends.server->try_read(buffer, would_block).value(), 4u);
  ends.client->shutdown_write();
  EXPECT_EQ(ends.server->try_read(buffer, would_block).value(), 0u);
  EXPECT_FALSE(would_block) << "an orderly end";
}

TEST_F(StreamTest, WhatWasEncryptedAheadIsTakenLater) {
  Ends ends = connected({.capacity = 4096});
  const std::string text = big_text(10'000);
  const std::string_view all[] = {text};
  EXPECT_EQ(ends.client->try_write(all).value(), 0u) << "the record is larger than the room for it";
  auto [got, sent] = block_on(loop_, when_all(read_to_end(*ends.server), write_and_end(*ends.client, text)));
  EXPECT_TRUE(sent.has_value());
  EXPECT_TRUE(got == text);
}

TEST_F(StreamTest, CloseCancelsWhatIsPending) {
  Ends ends = connected({.capacity = 1000});
  auto read = [](net::Stream& stream) -> Task<Result<std::size_t>> {
    std::vector<char> buffer(100);
    co_return co_await stream.read_some(buffer);
  };
  auto close = [](net::Stream& stream) -> Task<void> {
    stream.close();
    stream.close();
    co_return;
  };
  const std::string text = big_text(100'000);
  auto [count, sent, nothing] = block_on(loop_, when_all(read(*ends.client), write_all(*ends.client, text), close(*ends.client)));
  EXPECT_EQ(count.error().code(), Code::kCancelled);
  EXPECT_EQ(sent.error().code(), Code::kCancelled);
  EXPECT_FALSE(ends.client->is_open());
  EXPECT_EQ(block_on(loop_, read(*ends.client)).error().code(), Code::kCancelled);
  char buffer[8];
  bool would_block = false;
  EXPECT_EQ(ends.client->try_read(buffer, would_block).error().code(), Code::kCancelled);
  const std::string_view piece[] = {"x"};
  EXPECT_EQ(ends.client->try_write(piece).error().code(), Code::kCancelled);
}

TEST_F(StreamTest, CloseEndsAHandshake) {
  Ends ends = pair();
  auto close = [](net::Stream& stream) -> Task<void> {
    stream.close();
    co_return;
  };
  auto [done, nothing] = block_on(loop_, when_all(ends.client->handshake(), close(*ends.client)));
  EXPECT_EQ(done.error().code(), Code::kCancelled);
}

TEST_F(StreamTest, AConnectionThatIsCutIsAnError) {
  Ends ends = connected();
  const std::string_view text[] = {"half"};
  ASSERT_EQ(ends.client->try_write(text).value(), 4u);
  ends.client_below->close();
  const Result<std::string> got = block_on(loop_, read_to_end(*ends.server));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().reason(), "TLS_BROKEN");
  EXPECT_THAT(got.error().message(), HasSubstr("TLS with memory:b: the client closed the connection without the farewell"));
}

TEST_F(StreamTest, ErrorsOfTheStreamBelowComeThrough) {
  Ends ends = connected();
  ends.server_below->fail_reads(ECONNRESET);
  const Result<std::string> got = block_on(loop_, read_to_end(*ends.server));
  EXPECT_THAT(got.error().message(), HasSubstr("read from memory:b: Connection reset by peer"));
  ends.server_below->fail_writes(EPIPE);
  const std::string_view text[] = {"x"};
  EXPECT_THAT(ends.server->try_write(text).error().message(), HasSubstr("write to memory:b: Broken pipe"));
}

TEST_F(StreamTest, ARefusedHandshakeTellsBothSides) {
  client_ = load(ClientOptions{.trusted = Files("Other Authority").trusted()});
  Ends ends = pair();
  auto [server, client] = block_on(loop_, when_all(ends.server->handshake(), ends.client->handshake()));
  ASSERT_FALSE(client);
  EXPECT_THAT(client.error().message(),
              HasSubstr("TLS with memory:a: the server's certificate (CN=server) is signed by CN=Test Authority"));
  EXPECT_EQ(client.error().reason(), "TLS_CERTIFICATE");
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message(), HasSubstr("TLS with memory:b: the client ended it: it does not trust"));
}

TEST_F(StreamTest, NewCertificatesAreForNewConnections) {
  Ends old = connected();
  const std::string before = old.client->identity()->fingerprint;
  files_.server();
  ASSERT_TRUE(server_->reload().value());
  Ends fresh = connected();
  EXPECT_NE(fresh.client->identity()->fingerprint, before);
  // The old connection goes on with what it began with.
  const std::string text = big_text(100'000);
  auto [sent, got] = block_on(loop_, when_all(write_and_end(*old.client, text), read_to_end(*old.server)));
  EXPECT_TRUE(sent.has_value());
  EXPECT_TRUE(got == text);
}

Task<Result<std::unique_ptr<net::Stream>>> accept(net::Listener& listener) { co_return co_await listener.accept(); }
Task<Result<std::unique_ptr<net::Stream>>> dial(Address address) {
  Context context;
  co_return co_await net::connect(context, address);
}

TEST_F(StreamTest, WorksOverSockets) {
  auto listener = net::Listener::listen(loop_, *Address::parse("127.0.0.1:0"), {});
  ASSERT_TRUE(listener);
  auto [accepted, dialled] = block_on(loop_, when_all(accept(**listener), dial((*listener)->address())));
  ASSERT_TRUE(accepted && dialled);
  Ends ends;
  ends.server = Stream::server(std::move(*accepted), *server_);
  ends.client = Stream::client(std::move(*dialled), *client_, "127.0.0.1");
  shake(ends);
  EXPECT_EQ(ends.client->peer(), (*listener)->address().to_string());
  EXPECT_EQ(ends.server->peer(), ends.client->local());
  const std::string text = big_text(5'000'000);
  auto [sent, got, sent_back, got_back] = block_on(loop_, when_all(write_and_end(*ends.client, text), read_to_end(*ends.server),
                                                                   write_and_end(*ends.server, text), read_to_end(*ends.client)));
  EXPECT_TRUE(sent.has_value() && sent_back.has_value());
  EXPECT_TRUE(got == text);
  EXPECT_TRUE(got_back == text);
}

}  // namespace
}  // namespace micro::tls
