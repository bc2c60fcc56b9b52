#include <micro/grpc/base64.hpp>

namespace micro::grpc {
namespace {

std::string encoded(std::string_view bytes) {
  std::string out;
  base64_encode(bytes, out);
  return out;
}

TEST(Base64, VectorsOfRfc4648) {
  const struct {
    std::string_view bytes, text, padded;
  } cases[] = {
      {"", "", ""},
      {"f", "Zg", "Zg=="},
      {"fo", "Zm8", "Zm8="},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg", "Zm9vYg=="},
      {"fooba", "Zm9vYmE", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xFB\xFF\xFE", "+//+", "+//+"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(encoded(c.bytes), c.text);
    for (const std::string_view text : {c.text, c.padded}) {
      std::string out = "kept";
      EXPECT_TRUE(base64_decode(text, out)) << text;
      EXPECT_EQ(out, "kept" + std::string(c.bytes));
    }
  }
}

TEST(Base64, EveryLengthRoundTrips) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    std::string out;
    ASSERT_TRUE(base64_decode(encoded(bytes), out));
    ASSERT_EQ(out, bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST(Base64, BadTextLeavesTheOutputAlone) {
  for (const std::string_view text : {"A", "AAAAA", "=", "==", "===", "====", "A===", "Zg=", "Zm9v=", "Zm9v====", "Z=g=",
                                      "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm-_", "Zm9\xC3"}) {
    std::string out = "kept";
    EXPECT_FALSE(base64_decode(text, out)) << text;
    EXPECT_EQ(out, "kept");
  }
}

}  // namespace
}  // namespace micro::grpc
