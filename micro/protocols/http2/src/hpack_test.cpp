#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "hpack.hpp"
#include "static_table.hpp"
#include "testing.hpp"

namespace micro::http2::testing {
namespace {

std::string render(const DecodedBlock& decoded) {
  std::string text;
  for (const auto view :
       {decoded.block.method, decoded.block.scheme, decoded.block.path, decoded.block.authority, decoded.block.status}) {
    text.append(view).append("|");
  }
  for (const Field& field : decoded.block.fields) {
    text.append(field.name).append("=").append(field.value).append(field.sensitive ? "!" : "").append(";");
  }
  return text;
}

TEST(EncodeStatic, ProducesTheExpectedBytes) {
  const std::pair<Fields, std::string> cases[] = {
      {{{":method", "POST"}, {":scheme", "http"}}, "\x83\x86"},  // full matches
      {{{":status", "200"}}, "\x88"},
      {{{":status", "418"}}, std::string("\x08\x03") + "418"},       // name only
      {{{"content-type", "a"}}, std::string("\x0f\x10\x01") + "a"},  // name index above 14
      {{{"x", "y"}}, std::string("\0\x01x\x01y", 5)},
      {{{"authorization", "s", true}}, std::string("\x1f\x08\x01") + "s"},  // never indexed
      {{{":method", "GET", true}}, std::string("\x12\x03") + "GET"},
      {{{"accept-encoding", "gzip, deflate"}}, "\x90"},
      {{{"x", std::string_view()}}, std::string("\0\x01x\0", 4)},
  };
  for (const auto& [fields, expected] : cases) EXPECT_EQ(block(fields), expected);
  const std::string long_value(1000, 'v');
  EXPECT_EQ(block({{"x", long_value}}), std::string("\0\x01x\x7f\xe9\x06", 6) + long_value);
}

TEST(EncodeStatic, KnowsEveryStaticName) {
  EXPECT_EQ(find_static(":authority", "").index, 1);
  EXPECT_EQ(find_static("www-authenticate", "x").index, 61);
  EXPECT_EQ(find_static(":status", "500").index, 14);
  EXPECT_TRUE(find_static(":status", "500").with_value);
  EXPECT_EQ(find_static("set-cookie", "").index, 55);
  EXPECT_EQ(find_static("grpc-status", "").index, 0);
  EXPECT_EQ(find_static("", "").index, 0);
}

TEST(HeaderDecoder, UndoesBothEncoders) {
  HeaderEncoder encoder;
  HeaderDecoder decoder;
  std::mt19937 random(3);
  const Options options{.max_header_list_size = 1 << 20};
  const auto any = [&](std::string_view alphabet, std::size_t most) {
    std::string text;
    for (std::size_t i = 1 + random() % most; i != 0; --i) text.push_back(alphabet[random() % alphabet.size()]);
    return text;
  };
  for (int round = 0; round < 500; ++round) {
    std::vector<std::pair<std::string, std::string>> texts;
    for (std::size_t i = random() % 20; i != 0; --i) texts.emplace_back(any("abc-", 4), any("xyz", 300));
    Fields fields = kPost;
    std::string expected = "POST|http|/p|a||";
    for (const auto& [name, value] : texts) {
      const bool sensitive = random() % 8 == 0;
      fields.push_back({name, value, sensitive});
      expected.append(name).append("=").append(value).append(sensitive ? "!" : "").append(";");
    }
    Buffer bytes;
    if (round % 3 == 0) {
      encode_static(fields, bytes);
    } else {
      encoder.encode(fields, bytes);
    }
    BlockLease scratch;
    const DecodedBlock* const decoded = decoder.decode(bytes.view(), BlockKind::kRequest, options, *scratch);
    ASSERT_NE(decoded, nullptr);
    EXPECT_EQ(decoded->malformed, nullptr);
    EXPECT_EQ(render(*decoded), expected);
  }
}

TEST(HeaderDecoder, MemoIsForgottenWhenTheTablesMayHaveChanged) {
  HeaderDecoder decoder;
  const Options options;
  const auto decode = [&](const std::string& bytes, BlockKind kind = BlockKind::kRequest) {
    BlockLease scratch;
    const DecodedBlock* const decoded = decoder.decode(bytes, kind, options, *scratch);
    return decoded == nullptr ? std::string("error") : render(*decoded);
  };
  const std::string head = block({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}});
  EXPECT_EQ(decode(head + "\x40\x01x\x01"
                          "1"),
            "GET|http|/|||x=1;");
  const std::string indexed = head + "\xbe";  // the newest dynamic entry
  for (int i = 0; i < 4; ++i) EXPECT_EQ(decode(indexed), "GET|http|/|||x=1;");
  EXPECT_EQ(decoder.repeats(), 2U);
  EXPECT_EQ(decode(head + "\x40\x01y\x01"
                          "2"),
            "GET|http|/|||y=2;");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(decode(indexed), "GET|http|/|||y=2;");
  EXPECT_EQ(decoder.repeats(), 4U);
  // The same bytes as trailers are checked as trailers.
  const auto repeats = decoder.repeats();
  BlockLease scratch;
  EXPECT_NE(decoder.decode(indexed, BlockKind::kTrailers, options, *scratch)->malformed, nullptr);
  EXPECT_EQ(decoder.repeats(), repeats);
  EXPECT_EQ(decode(indexed), "GET|http|/|||y=2;");
  // An evicted entry is an error, not a memory.
  EXPECT_EQ(decode("\x20" + head), "GET|http|/|||");
  EXPECT_EQ(decode(indexed), "error");
}

TEST(ClassifyBlock, TellsWhatTouchesTheTables) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, BlockState> cases[] = {
      {"", BlockState::kStateless},
      {"\x82\xbd", BlockState::kStateless},  // 2 and 61, both static
      {"\x82\xbe", BlockState::kReads},      // 62: dynamic
      {"\x80", BlockState::kChanges},        // index 0 is an error
      {"\0\1x\1y"sv, BlockState::kStateless},
      {"\x10\1x\0"sv, BlockState::kStateless},    // never indexed
      {"\x0f\x10\1y"sv, BlockState::kStateless},  // name 31
      {"\x0f\x2f\1y"sv, BlockState::kReads},      // name 62
      {"\0\x81\x1f\1y"sv, BlockState::kReads},    // Huffman
      {"\x40\1x\1y"sv, BlockState::kChanges},     // indexing
      {"\x20\x82", BlockState::kChanges},         // size update
      {"\0\1x\2y"sv, BlockState::kChanges},       // truncated
      {"\0\1x"sv, BlockState::kChanges},
      {"\xff\xff\xff\xff\xff\x01", BlockState::kChanges},
      {"\xff", BlockState::kChanges},
  };
  for (const auto& [bytes, state] : cases) EXPECT_EQ(classify_block(bytes), state) << ::testing::PrintToString(bytes);
}

TEST(HeaderDecoder, HostStandsInForAuthority) {
  HeaderDecoder decoder;
  const Fields fields = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "h:1"}};
  BlockLease scratch;
  EXPECT_EQ(decoder.decode(block(fields), BlockKind::kRequest, Options{}, *scratch)->block.authority, "h:1");
}

TEST(ErrorCodes, HaveNames) {
  EXPECT_EQ(to_string(ErrorCode::kNoError), "NO_ERROR");
  EXPECT_EQ(to_string(ErrorCode::kStreamClosed), "STREAM_CLOSED");
  EXPECT_EQ(to_string(ErrorCode::kHttp11Required), "HTTP_1_1_REQUIRED");
  EXPECT_EQ(to_string(ErrorCode(14)), "UNKNOWN_ERROR");
}

}  // namespace
}  // namespace micro::http2::testing
