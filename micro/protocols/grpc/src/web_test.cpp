#include <micro/grpc/web.hpp>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/grpc/framing.hpp>

namespace micro::grpc {
namespace {

TEST(Web, ContentTypes) {
  const struct {
    const char* type;
    bool web;
    bool text;
    const char* format;
  } cases[] = {
      {"application/grpc-web", true, false, "proto"},
      {"application/grpc-web+proto", true, false, "proto"},
      {"application/grpc-web+json", true, false, "json"},
      {"Application/GRPC-Web ; charset=utf-8", true, false, "proto"},
      {"application/grpc-web-text", true, true, "proto"},
      {"application/grpc-web-text+proto", true, true, "proto"},
      {"application/grpc-web-text;x=y", true, true, "proto"},
      {"application/grpc", false, false, ""},
      {"application/grpc+proto", false, false, ""},
      {"application/grpc-web+", false, false, ""},
      {"application/grpc-webby", false, false, ""},
      {"application/grpc-web-texts", false, false, ""},
      {"application/json", false, false, ""},
      {"", false, false, ""},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_web_content_type(c.type);
    ASSERT_EQ(parsed.has_value(), c.web) << c.type;
    if (!parsed) continue;
    EXPECT_EQ(parsed->text, c.text) << c.type;
    EXPECT_EQ(parsed->format, c.format) << c.type;
  }
}

TEST(Web, TrailersAreAFrame) {
  FieldList trailers;
  trailers.add("grpc-status", "5");
  trailers.add("grpc-message", "no such text");
  Buffer out;
  out.append("before");
  append_web_trailers(out, trailers);
  EXPECT_EQ(out.view(), std::string_view("before\x80\0\0\0\x2c"
                                         "grpc-status: 5\r\ngrpc-message: no such text\r\n",
                                         6 + 5 + 44));
  Buffer empty;
  append_web_trailers(empty, FieldList());
  EXPECT_EQ(empty.view(), std::string_view("\x80\0\0\0\0", 5));
}

// RFC 4648, section 10.
const struct {
  std::string_view bytes;
  std::string_view text;
} kVectors[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {std::string_view("\xff\xfe\0", 3), "//4A"}};

TEST(Web, TextEncodes) {
  for (const auto& vector : kVectors) {
    Buffer out;
    append_web_text(out, vector.bytes);
    EXPECT_EQ(out.view(), vector.text);
  }
}

Result<std::string> decode(std::string_view text, std::size_t step) {
  WebTextDecoder decoder;
  Buffer out;
  for (std::size_t at = 0; at < text.size(); at += step) {
    if (Result<void> done = decoder.decode(text.substr(at, step), out); !done) return std::unexpected(done.error());
  }
  if (Result<void> done = decoder.finish(); !done) return std::unexpected(done.error());
  return std::string(out.view());
}

TEST(Web, TextDecodesHoweverItWasCut) {
  for (std::size_t step = 1; step <= 8; ++step) {
    std::string all;
    std::string joined;
    for (const auto& vector : kVectors) {
      EXPECT_EQ(decode(vector.text, step), std::string(vector.bytes)) << step;
      all += vector.text;
      joined += vector.bytes;
    }
    EXPECT_EQ(decode(all, step), joined) << "padded pieces one behind the other, in steps of " << step;
  }
}

TEST(Web, TextRefusesWhatIsNoBase64) {
  for (const char* text : {"Zm9", "Z", "Zg=", "=", "Z===", "====", "Zg=a", "Zm9v\n", "Zm-_", "Zm9vZg==Z", "Zm 9v"}) {
    for (std::size_t step = 1; step <= 4; ++step) {
      const Result<std::string> decoded = decode(text, step);
      ASSERT_FALSE(decoded) << text;
      EXPECT_EQ(decoded.error().code(), Code::kInvalidArgument);
      EXPECT_THAT(decoded.error().message(), testing::HasSubstr("application/grpc-web-text"));
    }
  }
  WebTextDecoder decoder;
  Buffer out;
  EXPECT_FALSE(decoder.decode("!", out));
  EXPECT_FALSE(decoder.decode("Zm9v", out)) << "an error is final";
}

TEST(Web, MessagesAndTrailersAreReadAsFrames) {
  Buffer body;
  append_frame(body, "first", false);
  FieldList trailers;
  append_web_trailers(body, trailers);
  MessageReader reader(MessageReader::Options{});
  reader.feed(body.view());
  const auto first = reader.next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->payload, "first");
  EXPECT_FALSE(reader.next()) << "requests have no trailers";
}

}  // namespace
}  // namespace micro::grpc
