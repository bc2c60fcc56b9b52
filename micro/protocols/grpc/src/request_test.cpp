#include <micro/grpc/request.hpp>

namespace micro::grpc {
namespace {

TEST(ParsePath, ServiceAndMethod) {
  const struct {
    std::string_view path, service, method;
  } cases[] = {
      {"/pkg.Service/Method", "pkg.Service", "Method"},
      {"/S/m", "S", "m"},
      {"/prefix/pkg.Service/Method", "prefix/pkg.Service", "Method"},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_path(c.path);
    ASSERT_TRUE(parsed) << c.path;
    EXPECT_EQ(parsed->service, c.service);
    EXPECT_EQ(parsed->method, c.method);
  }
}

TEST(ParsePath, MalformedPathsAreUnimplemented) {
  for (const std::string_view path : {"", "/", "//", "Service", "/Service", "/Service/", "//Method", "pkg.Service/Method", "*"}) {
    const auto parsed = parse_path(path);
    ASSERT_FALSE(parsed) << path;
    EXPECT_EQ(parsed.error().code(), Code::kUnimplemented);
    EXPECT_EQ(parsed.error().message(), "malformed method path '" + std::string(path) + "': expected /package.Service/Method");
  }
}

TEST(ParseContentType, Formats) {
  const struct {
    std::string_view value;
    std::optional<std::string_view> format;
  } cases[] = {
      {"application/grpc", "proto"},
      {"application/grpc+proto", "proto"},
      {"application/grpc+json", "json"},
      {"application/grpc+x.y", "x.y"},
      {"Application/GRPC", "proto"},
      {"application/grpc;charset=utf-8", "proto"},
      {"application/grpc ; a=b", "proto"},
      {"application/grpc+json; a=b", "json"},
      {"application/grpc+json ;a=b", "json"},
      {"application/grpc-web", std::nullopt},
      {"application/grpc-web+proto", std::nullopt},
      {"application/grpcx", std::nullopt},
      {"application/grpc+", std::nullopt},
      {"application/grpc+;a=b", std::nullopt},
      {"application/json", std::nullopt},
      {"application/grp", std::nullopt},
      {" application/grpc", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_content_type(c.value), c.format) << c.value;
  EXPECT_EQ(parse_content_type(kContentType), "proto");
  EXPECT_EQ(parse_content_type(kContentTypeProto), "proto");
  EXPECT_EQ(parse_content_type(kContentTypeJson), "json");
}

TEST(UserAgent, NamesTheImplementationAndItsVersion) {
  EXPECT_THAT(std::string(kUserAgent), testing::MatchesRegex("grpc-micro-cpp/[0-9]+.[0-9]+.[0-9]+"));
}

}  // namespace
}  // namespace micro::grpc
