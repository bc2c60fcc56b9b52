#include <micro/uri/uri.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Uri, SplitsAllComponents) {
  const auto uri = Uri::parse("HTTPS://us%40er:p@Example.com:8443/a%2Fb/c?x=1&y=%20#fr%20ag");
  ASSERT_TRUE(uri) << uri.error().to_string();
  EXPECT_EQ(uri->scheme, "https");
  EXPECT_EQ(uri->userinfo, "us@er:p");
  EXPECT_EQ(uri->host, "Example.com");
  EXPECT_EQ(uri->port, 8443);
  EXPECT_EQ(uri->path, "/a%2Fb/c");
  EXPECT_EQ(uri->query, "x=1&y=%20");
  EXPECT_EQ(uri->fragment, "fr ag");
  EXPECT_TRUE(uri->has_authority);
  EXPECT_EQ(uri->to_string(), "https://us%40er:p@Example.com:8443/a%2Fb/c?x=1&y=%20#fr%20ag");
}

TEST(Uri, RoundTrips) {
  for (const std::string_view text : {
           "",
           "/path?query",
           "path/to:x",
           "?q",
           "#f",
           "//host/path",
           "http://a",
           "ftp://ftp.is.co.za/rfc/rfc1808.txt",
           "ldap://[2001:db8::7]/c=GB?objectClass?one",
           "mailto:John.Doe@example.com",
           "news:comp.infosystems.www.servers.unix",
           "tel:+1-816-555-1212",
           "telnet://192.0.2.16:80/",
           "urn:oasis:names:specification:docbook:dtd:xml:4.1.2",
           "file:///etc/hosts",
           "unix:/run/x.sock",
           "redis://:secret@localhost:6379/0",
           "http://h/?a/b?c#d/e?f",
           "http://%C3%A4.example/",
       }) {
    const auto uri = Uri::parse(text);
    ASSERT_TRUE(uri) << uri.error().to_string();
    EXPECT_EQ(uri->to_string(), text);
  }
}

TEST(Uri, HostsAndPorts) {
  const struct {
    std::string_view text, host;
    std::optional<std::uint16_t> port;
  } cases[] = {
      {"http://h:/x", "h", std::nullopt},
      {"http://h:0", "h", 0},
      {"http://h:65535", "h", 65535},
      {"http://[::1]:80/", "::1", 80},
      {"http://[::]", "::", std::nullopt},
      {"http://[::ffff:1.2.3.4]", "::ffff:1.2.3.4", std::nullopt},
      {"http://:80", "", 80},
      {"file:///x", "", std::nullopt},
      {"http://a%20b", "a b", std::nullopt},
  };
  for (const auto& test : cases) {
    const auto uri = Uri::parse(test.text);
    ASSERT_TRUE(uri) << uri.error().to_string();
    EXPECT_EQ(uri->host, test.host) << test.text;
    EXPECT_EQ(uri->port, test.port) << test.text;
  }
}

TEST(Uri, Ipv6Literals) {
  const std::pair<std::string_view, bool> cases[] = {
      {"1:2:3:4:5:6:7:8", true},
      {"1::8", true},
      {"1:2:3:4:5:6:7::", true},
      {"::2:3:4:5:6:7:8", true},
      {"1:2:3:4:5:6:1.2.3.4", true},
      {"::1.2.3.4", true},
      {"ABCD::ef01", true},
      {"", false},
      {"1:2:3:4:5:6:7", false},
      {"1:2:3:4:5:6:7:8:9", false},
      {"1::2::3", false},
      {":::", false},
      {"1:::2", false},
      {":1::2", false},
      {"1:", false},
      {"12345::", false},
      {"::g", false},
      {"::1.2.3", false},
      {"::1.2.3.256", false},
      {"::1.2.3.4:5", false},
      {"::01.2.3.4", false},
      {"1:2:3:4:5:6:7:1.2.3.4", false},
      {"1::2:3:4:5:6:7:8", false},
      {"fe80::1%25eth0", false},
      {"1.2.3.4", false},
      {"::1.2.3.4.5", false},
      {"v1.x", false},
  };
  for (const auto& [host, good] : cases) {
    EXPECT_EQ(Uri::parse("http://[" + std::string(host) + "]/").has_value(), good) << host;
  }
}

TEST(Uri, ErrorsNameTextPartAndPosition) {
  const struct {
    std::string_view text, why;
  } cases[] = {
      {"http://a b/", "' ' in the host must be percent-encoded at position 8"},
      {"http://h/a b", "' ' in the path must be percent-encoded at position 10"},
      {"/a\nb", "byte 0x0A in the path must be percent-encoded at position 2"},
      {"/\xc3\xa4", "byte 0xC3 in the path"},
      {"/%zz", "'%' without two hex digits in the path at position 1"},
      {"/%4", "'%' without two hex digits in the path at position 1"},
      {"/x?a=%", "'%' without two hex digits in the query at position 5"},
      {"/x?a=[", "'[' in the query must be percent-encoded at position 5"},
      {"/x#a#b", "'#' in the fragment must be percent-encoded at position 4"},
      {"http://u@v@h", "'@' in the host must be percent-encoded at position 10"},
      {"http://u[@h", "'[' in the user information must be percent-encoded at position 8"},
      {"http://h:80x/", "the port is not a number from 0 to 65535 at position 9"},
      {"http://h:65536/", "the port is not a number from 0 to 65535 at position 9"},
      {"http://h:1:2/", "the port is not a number from 0 to 65535 at position 9"},
      {"http://[::1/", "'[' without ']' at position 7"},
      {"http://[x]/", "no IPv6 address between the brackets at position 8"},
      {"http://[::1]x/", "expected ':' or the end of the host after ']' at position 12"},
      {"http://a%00b/", "a control character in the host at position 7"},
      {"://x", "the scheme before ':' is missing at position 0"},
      {"1http://x", "a scheme cannot hold '1' at position 0"},
      {"ht_tp://x", "a scheme cannot hold '_' at position 2"},
      {"localhost with:x", "a scheme cannot hold ' ' at position 9"},
  };
  for (const auto& test : cases) {
    const auto uri = Uri::parse(test.text);
    ASSERT_FALSE(uri) << test.text;
    EXPECT_EQ(uri.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(uri.error().message(), HasSubstr(test.why));
    EXPECT_THAT(uri.error().message(), HasSubstr(test.text));
  }
}

TEST(Percent, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b/c?\xc3\xa4%"), "a%20b%2Fc%3F%C3%A4%25");
  EXPECT_EQ(percent_encode(std::string_view("\0", 1)), "%00");
}

TEST(Percent, Decodes) {
  EXPECT_EQ(percent_decode("a%20b%2fc%2F+"), "a b/c/+");
  EXPECT_EQ(percent_decode("a+b%2B", true), "a b+");
  for (const std::string_view text : {"%", "a%2", "%zz", "%%41", "%4g"}) {
    const auto decoded = percent_decode(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(decoded.error().message(), HasSubstr("two hex digits"));
  }
}

TEST(Percent, EveryByteRoundTrips) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_EQ(percent_decode(percent_encode(bytes)), bytes);
}

TEST(ParseQuery, GivesDecodedPairsInOrder) {
  const auto pairs = parse_query("a=1&b=2&b=x+y%26&&flag&=v&c=d=e&");
  ASSERT_TRUE(pairs) << pairs.error().to_string();
  EXPECT_THAT(*pairs,
              ElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("b", "x y&"), Pair("flag", ""), Pair("", "v"), Pair("c", "d=e")));
  EXPECT_TRUE(parse_query("")->empty());
}

TEST(ParseQuery, RefusesBrokenEscapes) {
  EXPECT_FALSE(parse_query("a=%4"));
  EXPECT_FALSE(parse_query("%=1"));
}

}  // namespace
}  // namespace micro
