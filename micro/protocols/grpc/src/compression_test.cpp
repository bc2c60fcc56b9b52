#include <micro/grpc/compression.hpp>

namespace micro::grpc {
namespace {

constexpr Compression kAll[] = {Compression::kIdentity, Compression::kDeflate, Compression::kGzip};

std::string packed(Compression compression, std::string_view in) {
  Buffer out;
  const auto done = compress(compression, in, out);
  EXPECT_TRUE(done) << done.error().to_string();
  return std::string(out.view());
}

std::string random_bytes(std::size_t count) {
  std::string out;
  for (std::uint32_t state = 1; out.size() < count; state = state * 1664525 + 1013904223) out += static_cast<char>(state >> 24);
  return out;
}

TEST(Compress, RoundTripsBehindWhatIsThere) {
  const std::string payloads[] = {"", "x", "hello hello hello hello", std::string(1'000'000, 'a'), random_bytes(300'000)};
  for (const Compression compression : kAll) {
    for (const std::string& payload : payloads) {
      SCOPED_TRACE(std::string(to_string(compression)) + " of " + std::to_string(payload.size()) + " bytes");
      Buffer wire;
      wire.append("prefix");
      ASSERT_TRUE(compress(compression, payload, wire));
      Buffer out;
      out.append("kept");
      const auto done = decompress(compression, wire.view().substr(6), payload.size(), out);
      ASSERT_TRUE(done) << done.error().to_string();
      EXPECT_EQ(out.view(), "kept" + payload);
    }
  }
}

TEST(Compress, FormatsAreThoseOfTheRfcs) {
  EXPECT_EQ(packed(Compression::kGzip, "abc").substr(0, 3), "\x1F\x8B\x08");
  const std::string zlib = packed(Compression::kDeflate, "abc");
  EXPECT_EQ(zlib.front(), '\x78');
  EXPECT_EQ((static_cast<unsigned char>(zlib[0]) * 256 + static_cast<unsigned char>(zlib[1])) % 31, 0);
  EXPECT_EQ(packed(Compression::kIdentity, "abc"), "abc");
  EXPECT_LT(packed(Compression::kGzip, std::string(100'000, 'a')).size(), 1000U);
}

TEST(Decompress, KnownVectors) {
  // printf hello | gzip -n | xxd; python: zlib.compress(b"hello")
  const std::string gzip("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00",
                         25);
  const std::string zlib("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", 13);
  Buffer out;
  ASSERT_TRUE(decompress(Compression::kGzip, gzip, 5, out));
  ASSERT_TRUE(decompress(Compression::kDeflate, zlib, 5, out));
  // Two members in one file are one message.
  ASSERT_TRUE(decompress(Compression::kGzip, gzip + gzip, 10, out));
  EXPECT_EQ(out.view(), "hellohellohellohello");
}

TEST(Decompress, ABombStopsAtTheLimit) {
  constexpr std::size_t kLimit = 1 << 20;
  for (const Compression compression : {Compression::kDeflate, Compression::kGzip}) {
    const std::string bomb = packed(compression, std::string(64 << 20, '\0'));
    ASSERT_LT(bomb.size(), 100'000U);
    Buffer out;
    out.append("kept");
    const auto done = decompress(compression, bomb, kLimit, out);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Code::kResourceExhausted);
    EXPECT_EQ(done.error().message(),
              "message is larger than the limit of 1048576 bytes once decompressed (option max_receive_message_size)");
    EXPECT_EQ(out.view(), "kept");
    EXPECT_LE(out.capacity(), 4 * kLimit);
  }
}

TEST(Decompress, TheLimitIsExact) {
  for (const Compression compression : kAll) {
    for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 65536U, 200'000U}) {
      const std::string wire = packed(compression, std::string(size, 'x'));
      Buffer out;
      EXPECT_TRUE(decompress(compression, wire, size, out)) << to_string(compression) << size;
      EXPECT_EQ(out.size(), size);
      if (size == 0) continue;
      const auto done = decompress(compression, wire, size - 1, out);
      ASSERT_FALSE(done) << to_string(compression) << size;
      EXPECT_EQ(done.error().code(), Code::kResourceExhausted);
    }
  }
}

TEST(Decompress, DamagedDataIsInternalAndLeavesNothing) {
  const std::string payload = random_bytes(2000);
  for (const Compression compression : {Compression::kDeflate, Compression::kGzip}) {
    const std::string good = packed(compression, payload);
    std::vector<std::string> bad = {"", "plain text", std::string(100, '\xFF'), good + "tail"};
    for (std::size_t size = 1; size < good.size(); size += 37) bad.push_back(good.substr(0, size));
    bad.push_back(good);
    bad.back()[good.size() - 5] ^= 0x40;  // in the checksum (gzip: CRC-32 or size, zlib: last block)
    bad.push_back(packed(compression == Compression::kGzip ? Compression::kDeflate : Compression::kGzip, payload));
    for (const std::string& wire : bad) {
      Buffer out;
      out.append("kept");
      const auto done = decompress(compression, wire, 1 << 20, out);
      ASSERT_FALSE(done) << to_string(compression) << " of " << wire.size() << " bytes";
      EXPECT_EQ(done.error().code(), Code::kInternal);
      EXPECT_THAT(done.error().message(),
                  testing::StartsWith("cannot decompress a message as " + std::string(to_string(compression))));
      EXPECT_EQ(out.view(), "kept");
    }
    Buffer out;
    EXPECT_TRUE(decompress(compression, good, payload.size(), out)) << "a failure must not spoil the next message";
  }
}

TEST(ParseEncoding, KnownNames) {
  EXPECT_EQ(parse_encoding(""), Compression::kIdentity);
  for (const Compression compression : kAll) EXPECT_EQ(parse_encoding(to_string(compression)), compression);
}

TEST(ParseEncoding, UnknownNamesTellWhatWorks) {
  for (const std::string_view name : {"snappy", "GZIP", "gzip,identity", "x-gzip"}) {
    const auto parsed = parse_encoding(name);
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().code(), Code::kUnimplemented);
    EXPECT_EQ(parsed.error().message(),
              "grpc-encoding '" + std::string(name) + "' is not supported; use one of identity,deflate,gzip");
  }
  EXPECT_EQ(parse_encoding("snappy", Code::kInternal).error().code(), Code::kInternal);
}

TEST(ParseAcceptEncoding, ListsOfNames) {
  const struct {
    std::string_view value;
    bool deflate, gzip;
  } cases[] = {
      {"", false, false},
      {"identity", false, false},
      {"gzip", false, true},
      {"identity,deflate,gzip", true, true},
      {" gzip , snappy,\tdeflate ", true, true},
      {",,gzip,", false, true},
      {"gzip;q=1.0", false, false},
  };
  for (const auto& c : cases) {
    const AcceptedCompressions accepted = parse_accept_encoding(c.value);
    EXPECT_TRUE(accepted.contains(Compression::kIdentity)) << c.value;
    EXPECT_EQ(accepted.contains(Compression::kDeflate), c.deflate) << c.value;
    EXPECT_EQ(accepted.contains(Compression::kGzip), c.gzip) << c.value;
    EXPECT_EQ(accepted.choose(Compression::kGzip), c.gzip ? Compression::kGzip : Compression::kIdentity) << c.value;
  }
  EXPECT_EQ(parse_accept_encoding(kAcceptEncoding), parse_accept_encoding("gzip,deflate"));
}

TEST(Compression, TheBestIsTheOneThatPacksMost) {
  EXPECT_EQ(parse_accept_encoding("deflate, gzip").best(), Compression::kGzip);
  EXPECT_EQ(parse_accept_encoding("zstd,deflate").best(), Compression::kDeflate);
  EXPECT_EQ(parse_accept_encoding("zstd").best(), Compression::kIdentity);
  EXPECT_EQ(AcceptedCompressions().best(), Compression::kIdentity);
}

}  // namespace
}  // namespace micro::grpc
