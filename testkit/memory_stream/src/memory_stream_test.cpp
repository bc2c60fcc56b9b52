#include <micro/testkit/memory_stream.hpp>

#include <cerrno>

#include <micro/coro/block_on.hpp>
#include <micro/coro/when_all.hpp>

namespace micro::testkit {
namespace {

Task<Result<void>> write_all(net::Stream& stream, std::string_view text) {
  while (!text.empty()) {
    const std::string_view pieces[] = {text.substr(0, text.size() / 2), text.substr(text.size() / 2)};
    Result<std::size_t> written = stream.try_write(pieces);
    if (!written) co_return fail(std::move(written.error()));
    text.remove_prefix(*written);
    if (text.empty()) break;
    Result<void> room = co_await stream.wait_writable();
    if (!room) co_return room;
  }
  stream.shutdown_write();
  co_return Result<void>();
}

Task<Result<std::string>> read_to_end(net::Stream& stream, std::size_t& reads) {
  std::string all;
  std::vector<char> buffer(100);
  for (;; ++reads) {
    Result<std::size_t> count = co_await stream.read_some(buffer);
    if (!count) co_return fail(std::move(count.error()));
    if (*count == 0) co_return all;
    all.append(buffer.data(), *count);
  }
}

TEST(MemoryStream, CarriesBytesInChunks) {
  const struct {
    std::size_t chunk;
    std::size_t capacity;
    std::size_t least_reads;
  } cases[] = {{1, 1, 1000}, {1, 64 * 1024, 1000}, {7, 16, 143}, {SIZE_MAX, 3, 334}, {SIZE_MAX, 64 * 1024, 10}};
  for (const auto& c : cases) {
    Loop loop;
    MemoryStreamOptions options{.chunk = c.chunk, .capacity = c.capacity};
    auto ends = MemoryStream::pair(loop, options);
    auto body = [](MemoryStream& a, MemoryStream& b, std::size_t least) -> Task<void> {
      std::string text(1000, ' ');
      for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
      std::size_t reads = 0;
      auto [sent, received] = co_await when_all(write_all(a, text), read_to_end(b, reads));
      EXPECT_TRUE(sent.has_value());
      EXPECT_EQ(received.value(), text);
      EXPECT_GE(reads, least);
      EXPECT_EQ(a.unread(), 0u);
    };
    block_on(loop, body(*ends.first, *ends.second, c.least_reads));
  }
}

TEST(MemoryStream, OneBufferServesManyStreams) {
  Loop loop;
  auto ends_a = MemoryStream::pair(loop, {.chunk = 3});
  auto ends_b = MemoryStream::pair(loop, {.chunk = 3});
  auto read = [](net::Stream& stream, std::span<char> into) -> Task<std::string> {
    std::string all;
    while (true) {
      const Result<std::size_t> count = co_await stream.read_some(into);
      if (!count || *count == 0) co_return all;
      all.append(into.data(), *count);
    }
  };
  char buffer[4];
  auto [from_a, from_b, sent_a, sent_b] =
      block_on(loop, when_all(read(*ends_a.first, buffer), read(*ends_b.first, buffer), write_all(*ends_a.second, "AAAAAAAAAA"),
                              write_all(*ends_b.second, "BBBBBBBBBB")));
  EXPECT_EQ(from_a, "AAAAAAAAAA");
  EXPECT_EQ(from_b, "BBBBBBBBBB");
}

TEST(MemoryStream, FollowsTheContractOfStream) {
  Loop loop;
  auto ends = MemoryStream::pair(loop);
  auto body = [](MemoryStream& a, MemoryStream& b) -> Task<void> {
    char buffer[8];
    bool would_block = false;
    EXPECT_EQ(b.try_read(buffer, would_block).value(), 0u);
    EXPECT_TRUE(would_block);
    const std::string_view pieces[] = {"ab", "", "cd"};
    EXPECT_EQ(a.try_write(pieces).value(), 4u);
    EXPECT_EQ(a.writes(), 1u);
    EXPECT_EQ(b.try_read(buffer, would_block).value(), 4u);
    EXPECT_FALSE(would_block);

    bool returned = false;
    auto read = [](MemoryStream& stream, std::span<char> into, bool& done) -> Task<Result<std::size_t>> {
      Result<std::size_t> count = co_await stream.read_some(into);
      done = true;
      co_return count;
    };
    auto close = [](MemoryStream& stream, bool& done) -> Task<void> {
      stream.close();
      EXPECT_FALSE(done) << "completes later, not inside close()";
      co_return;
    };
    auto [count, ignored] = co_await when_all(read(b, buffer, returned), close(b, returned));
    EXPECT_EQ(count.error().code(), Code::kCancelled);
    EXPECT_EQ((co_await b.read_some(buffer)).error().code(), Code::kCancelled);
    EXPECT_EQ(a.try_write(pieces).error().code(), Code::kUnavailable);
    EXPECT_EQ((co_await a.read_some(buffer)).value(), 0u);
    EXPECT_EQ(a.peer(), b.local());
  };
  block_on(loop, body(*ends.first, *ends.second));
}

TEST(MemoryStream, InjectsErrors) {
  Loop loop;
  auto ends = MemoryStream::pair(loop);
  auto body = [](MemoryStream& a, MemoryStream& b) -> Task<void> {
    std::size_t reads = 0;
    auto break_it = [](MemoryStream& stream) -> Task<void> {
      stream.fail_reads(ECONNRESET);
      stream.fail_writes(ETIMEDOUT);
      co_return;
    };
    auto [received, ignored] = co_await when_all(read_to_end(b, reads), break_it(b));
    EXPECT_EQ(received.error().code(), Code::kUnavailable);
    EXPECT_EQ(received.error().message(), "read from memory:a: Connection reset by peer");
    const std::string_view pieces[] = {"x"};
    EXPECT_THAT(b.try_write(pieces).error().message(), testing::HasSubstr("Connection timed out"));
    EXPECT_TRUE((co_await b.wait_writable()).has_value()) << "the error comes from the write itself";
    EXPECT_TRUE(a.try_write(pieces).has_value()) << "the other end notices nothing";
    b.fail_writes(0);
    EXPECT_TRUE(b.try_write(pieces).has_value());
  };
  block_on(loop, body(*ends.first, *ends.second));
}

TEST(MemoryStream, OneEndMayOutliveTheOther) {
  Loop loop;
  auto ends = MemoryStream::pair(loop);
  ends.first.reset();
  auto body = [](MemoryStream& b) -> Task<void> {
    std::size_t reads = 0;
    EXPECT_EQ((co_await read_to_end(b, reads)).value(), "");
  };
  block_on(loop, body(*ends.second));
}

}  // namespace
}  // namespace micro::testkit
