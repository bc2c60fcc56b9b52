#include <micro/grpc/percent.hpp>

namespace micro::grpc {
namespace {

TEST(Percent, EncodesAndDecodesBack) {
  const struct {
    std::string_view message, wire;
  } cases[] = {
      {"", ""},
      {"plain text, with ~!@#$^&*()", "plain text, with ~!@#$^&*()"},
      {"100%", "100%25"},
      {"a\r\nb\tc", "a%0D%0Ab%09c"},
      {"\xC3\xA9t\xC3\xA9 \xE2\x98\xBA", "%C3%A9t%C3%A9 %E2%98%BA"},
      {std::string_view("\0\x7F\x1F\xFF", 4), "%00%7F%1F%FF"},
      {" edges ", "%20edges%20"},
      {" ", "%20"},
      // The vector of the interop tests ("special_status_message").
      {"\t\ntest with whitespace\r\nand Unicode BMP \xE2\x98\xBA and non-BMP \xF0\x9F\x98\x88\t\n",
       "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(percent_encode(c.message), c.wire);
    EXPECT_EQ(percent_decode(c.wire), c.message);
  }
}

TEST(Percent, AllBytesRoundTrip) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const std::string wire = percent_encode(all);
  for (const char c : wire) EXPECT_TRUE(c >= 0x20 && c <= 0x7E);
  EXPECT_EQ(percent_decode(wire), all);
}

TEST(Percent, InvalidEscapesPassUnchanged) {
  for (const std::string_view text : {"100%", "%", "%4", "%zz", "%4g", "%g4", "%%", "a%-1b", "% 1"})
    EXPECT_EQ(percent_decode(text), text);
  EXPECT_EQ(percent_decode("%%41%4"), "%A%4");
  EXPECT_EQ(percent_decode("%c3%A9"), "\xC3\xA9");
  EXPECT_EQ(percent_decode("raw \xC3\xA9"), "raw \xC3\xA9");
}

}  // namespace
}  // namespace micro::grpc
