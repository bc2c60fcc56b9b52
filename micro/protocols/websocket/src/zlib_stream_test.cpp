#include "zlib_stream.hpp"

#include <random>

#include <gtest/gtest.h>

namespace micro::websocket {
namespace {

using namespace std::string_view_literals;
using Status = Decompressor::Status;

constexpr std::size_t kNoLimit = std::size_t{1} << 30;

Status decompress(Decompressor& decompressor, std::string_view in, std::string& text, std::size_t max = kNoLimit,
                  std::size_t step = 1) {
  Buffer out;
  for (; !in.empty(); in.remove_prefix(std::min(step, in.size()))) {
    if (const Status status = decompressor.decompress(in.substr(0, step), max, out); status != Status::kOk) return status;
  }
  const Status status = decompressor.finish(max, out);
  text = out.view();
  return status;
}

std::string compress(Compressor& compressor, std::string_view text) {
  Buffer out;
  EXPECT_TRUE(compressor.compress(text, true, out));
  return std::string(out.view());
}

TEST(Compressor, TheExamplesOfTheRfc_7_2_3) {
  Compressor one(15, true, 6);
  EXPECT_EQ(compress(one, "Hello"), "\xf2\x48\xcd\xc9\xc9\x07\x00"sv);
  EXPECT_EQ(compress(one, "Hello"), "\xf2\x00\x11\x00\x00"sv) << "the window is kept";
  Compressor forgetful(15, false, 6);
  EXPECT_EQ(compress(forgetful, "Hello"), "\xf2\x48\xcd\xc9\xc9\x07\x00"sv);
  EXPECT_EQ(compress(forgetful, "Hello"), "\xf2\x48\xcd\xc9\xc9\x07\x00"sv);
  for (Compressor* each : {&one, &forgetful}) EXPECT_EQ(compress(*each, ""), "\0"sv) << "7.2.3.6";
}

TEST(Decompressor, TheExamplesOfTheRfc_7_2_3) {
  for (const std::size_t step : {1, 100}) {
    std::string text;
    Decompressor one(15, true);
    EXPECT_EQ(decompress(one, "\xf2\x48\xcd\xc9\xc9\x07\x00"sv, text, kNoLimit, step), Status::kOk);
    EXPECT_EQ(text, "Hello");
    EXPECT_EQ(decompress(one, "\xf2\x00\x11\x00\x00"sv, text, kNoLimit, step), Status::kOk);
    EXPECT_EQ(text, "Hello") << "7.2.3.2: from the window";
    EXPECT_EQ(decompress(one, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv, text, kNoLimit, step), Status::kOk);
    EXPECT_EQ(text, "Hello") << "7.2.3.3: a block without compression";
    EXPECT_EQ(decompress(one, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv, text, kNoLimit, step), Status::kOk);
    EXPECT_EQ(text, "Hello") << "7.2.3.4: a block with BFINAL";
    EXPECT_EQ(decompress(one, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv, text, kNoLimit, step), Status::kOk);
    EXPECT_EQ(text, "Hello") << "7.2.3.5: two blocks";
    EXPECT_EQ(decompress(one, "\x00"sv, text, kNoLimit, step), Status::kOk);
    EXPECT_EQ(text, "") << "7.2.3.6";
    EXPECT_EQ(decompress(one, "\xf3\x48\xcd\xc9\xc9\x07\x00"sv, text, kNoLimit, step), Status::kOk);
    EXPECT_EQ(text, "Hello") << "BFINAL and nothing behind it";
    EXPECT_EQ(decompress(one, "\xf2\x48\xcd\xc9\xc9\x07\x00"sv, text, kNoLimit, step), Status::kOk);
    EXPECT_EQ(text, "Hello") << "and another message";
  }
}

TEST(Decompressor, RefusesDamagedData) {
  std::string text;
  const std::string_view bad[] = {
      "\xff"sv,                                          // a block type that does not exist
      "\xf2\x48\xcd\xc9"sv,                              // cut off within a block
      "\x00\x05\x00\xfa\xff\x48\x65"sv,                  // cut off within a stored block
      "\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"sv,  // length and its complement differ
      "\xf2\x00\x11\x00\x00"sv,                          // from before the window
  };
  for (const std::string_view data : bad) {
    for (const std::size_t step : {1, 100}) {
      Decompressor one(15, true);
      EXPECT_EQ(decompress(one, data, text, kNoLimit, step), Status::kCorrupt) << step << " " << data.size();
    }
  }
  Decompressor forgetful(15, false);
  EXPECT_EQ(decompress(forgetful, "\xf2\x48\xcd\xc9\xc9\x07\x00"sv, text), Status::kOk);
  EXPECT_EQ(decompress(forgetful, "\xf2\x00\x11\x00\x00"sv, text), Status::kCorrupt) << "nothing is kept";
}

TEST(Decompressor, StopsAtTheLimit) {
  Compressor compressor(15, false, 9);
  const std::string text(1000, 'x');
  const std::string data = compress(compressor, text);
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
    std::string out;
    Decompressor fits(15, true);
    EXPECT_EQ(decompress(fits, data, out, 1000, step), Status::kOk);
    EXPECT_EQ(out, text);
    Decompressor not_quite(15, true);
    EXPECT_EQ(decompress(not_quite, data, out, 999, step), Status::kTooLarge);
  }
}

TEST(Decompressor, ABombCostsNoMoreThanTheLimit) {
  Compressor compressor(15, true, 9);
  const std::string bomb = compress(compressor, std::string(64 * 1024 * 1024, '\0'));
  ASSERT_LT(bomb.size(), 70000U);
  Decompressor decompressor(15, true);
  Buffer out;
  EXPECT_EQ(decompressor.decompress(bomb, 100000, out), Status::kTooLarge);
  EXPECT_LE(out.size(), 100000U);
  EXPECT_LE(out.capacity(), 1U << 18);
}

// Any text, any window, pieces of any size on both sides.
TEST(Property, RoundTrip) {
  std::mt19937 random(13);
  for (int round = 0; round < 300; ++round) {
    const auto bits = static_cast<std::uint8_t>(9 + random() % 7);
    const bool keep = random() % 2 == 0;
    Compressor compressor(bits, keep, 1 + static_cast<int>(random() % 9));
    Decompressor decompressor(bits, keep);
    for (int message = 0; message < 5; ++message) {
      std::string text(random() % 5000, '\0');
      const unsigned alphabet = 1 + random() % 256;
      for (char& c : text) c = static_cast<char>(random() % alphabet);
      std::string data;
      std::string_view rest = text;
      bool last = false;
      do {
        const std::size_t size = std::min<std::size_t>(random() % 1000, rest.size());
        Buffer out;
        last = size == rest.size() && random() % 2 == 0;  // else an empty piece is the last one
        ASSERT_TRUE(compressor.compress(rest.substr(0, size), last, out));
        data += out.view();
        rest.remove_prefix(size);
      } while (!last);
      std::string out;
      ASSERT_EQ(decompress(decompressor, data, out, kNoLimit, 1 + random() % 200), Status::kOk);
      ASSERT_EQ(out, text);
    }
  }
}

TEST(Property, NonsenseIsRefusedOrBounded) {
  std::mt19937 random(14);
  for (int round = 0; round < 5000; ++round) {
    std::string data(1 + random() % 50, '\0');
    for (char& c : data) c = static_cast<char>(random());
    Decompressor decompressor(15, true);
    std::string out;
    const Status status = decompress(decompressor, data, out, 200, 1 + random() % 10);
    EXPECT_LE(out.size(), 200U);
    EXPECT_TRUE(status == Status::kOk || status == Status::kCorrupt || status == Status::kTooLarge);
  }
}

}  // namespace
}  // namespace micro::websocket
