#include <micro/transcoding/router.hpp>

#include <optional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/codecs/bytes.hpp>
#include <micro/codecs/protobuf.hpp>
#include <micro/transcoding/template.hpp>

#include "messaging.pb.h"
#include "percent.hpp"

namespace micro::transcoding {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const codec::MessageType& request_type() { return codec::message_type<messaging::Kinds>(); }
const codec::MessageType& reply_type() { return codec::message_type<messaging::Message>(); }

class RouterTest : public ::testing::Test {
 protected:
  void add(std::string_view method, std::string_view path) {
    const Result<void> added = router_.add("test.Service/Method", {method, path, {}, {}}, request_type(), reply_type(), next_++);
    ASSERT_TRUE(added) << added.error().message();
  }
  // "GET /v1/{name}", or what may be asked instead.
  std::string find(std::string_view method, std::string_view path) const {
    const Binding* found = router_.find(method, path);
    if (found != nullptr) return found->method() + " " + found->path();
    const std::string allowed = router_.allowed_methods(path);
    return allowed.empty() ? "nothing" : "only " + allowed;
  }

  Router router_;
  std::size_t next_ = 0;
};

TEST_F(RouterTest, FindsTemplatesByTheirSegments) {
  add("GET", "/v1/messages/{a_string}");
  add("GET", "/v1/messages/{a_string}/{inner.a_string}");
  add("PUT", "/v1/messages/{a_string}");
  add("GET", "/v1/{a_string=shelves/*/books/*}");
  add("POST", "/v1/{a_string=shelves/*/books/*}:archive");
  add("POST", "/v1/shelves:merge");
  add("GET", "/");
  const std::vector<std::array<std::string, 3>> cases = {
      {"GET", "/v1/messages/123456", "GET /v1/messages/{a_string}"},
      {"PUT", "/v1/messages/123456", "PUT /v1/messages/{a_string}"},
      {"GET", "/v1/messages/123456/foo", "GET /v1/messages/{a_string}/{inner.a_string}"},
      {"GET", "/v1/shelves/1/books/2", "GET /v1/{a_string=shelves/*/books/*}"},
      {"POST", "/v1/shelves/1/books/2:archive", "POST /v1/{a_string=shelves/*/books/*}:archive"},
      {"POST", "/v1/shelves:merge", "POST /v1/shelves:merge"},
      {"GET", "/", "GET /"},
      {"HEAD", "/v1/messages/1", "GET /v1/messages/{a_string}"},
      {"DELETE", "/v1/messages/1", "only GET, HEAD, PUT"},
      {"POST", "/v1/shelves/1/books/2", "only GET, HEAD"},
      {"GET", "/v1/shelves:merge", "only POST"},
      {"get", "/v1/messages/1", "only GET, HEAD, PUT"},
      {"", "/v1/messages/1", "only GET, HEAD, PUT"},
      {"GET", "/v1/messages", "nothing"},
      {"GET", "/v1/messages/", "nothing"},
      {"GET", "/v1/messages//x", "nothing"},
      {"GET", "/v1/messages/1/", "nothing"},
      {"GET", "/v1/messages/1/2/3", "nothing"},
      {"GET", "/v2/messages/1", "nothing"},
      {"GET", "", "nothing"},
      {"GET", "*", "nothing"},
      {"GET", "v1/messages/1", "nothing"},
      {"GET", "http://x/v1/messages/1", "nothing"},
      {"POST", "/v1/shelves/1/books/:archive", "only GET, HEAD"},
      {"POST", "/v1/shelves/1/books/2:burn", "only GET, HEAD"},
  };
  for (const auto& [method, path, expected] : cases) EXPECT_EQ(find(method, path), expected) << method << " " << path;
}

TEST_F(RouterTest, MostSpecificTemplateWins) {
  add("GET", "/v1/{a_string=**}");
  add("GET", "/v1/{a_string}");
  add("GET", "/v1/all");
  add("GET", "/v1/{a_string=all/*}");
  add("GET", "/v1/*/{a_string=**}");
  add("GET", "/v1/{a_string=**}:list");
  EXPECT_EQ(find("GET", "/v1/all"), "GET /v1/all");
  EXPECT_EQ(find("GET", "/v1/other"), "GET /v1/{a_string}");
  EXPECT_EQ(find("GET", "/v1/all/x"), "GET /v1/{a_string=all/*}");
  EXPECT_EQ(find("GET", "/v1/all/x/y"), "GET /v1/*/{a_string=**}") << "backs out of the literal that leads nowhere";
  EXPECT_EQ(find("GET", "/v1/a/x"), "GET /v1/*/{a_string=**}");
  EXPECT_EQ(find("GET", "/v1"), "GET /v1/{a_string=**}");
  EXPECT_EQ(find("GET", "/v1/"), "GET /v1/{a_string=**}");
  EXPECT_EQ(find("GET", "/v1//a"), "GET /v1/{a_string=**}");
  EXPECT_EQ(find("GET", "/v1/all:list"), "GET /v1/{a_string=**}:list");
  EXPECT_EQ(find("GET", "/v1/all:other"), "GET /v1/{a_string}") << "not a verb of any template, so a part of the segment";
  EXPECT_EQ(find("GET", "/v1/a:list/b"), "GET /v1/*/{a_string=**}") << "a verb only ends a path";
}

TEST_F(RouterTest, APathMayEndLikeAVerbOfAnotherTemplate) {
  add("GET", "/v1/things/{a_string}");
  add("POST", "/v1/jobs/{a_string}:cancel");
  EXPECT_EQ(find("GET", "/v1/things/x:cancel"), "GET /v1/things/{a_string}");
  EXPECT_EQ(find("POST", "/v1/jobs/x:cancel"), "POST /v1/jobs/{a_string}:cancel");
}

TEST_F(RouterTest, TemplatesWithoutTheMethodArePassedOver) {
  add("POST", "/v1/shelves/new");
  add("GET", "/v1/shelves/{a_string}");
  add("*", "/v1/{a_string=**}");
  EXPECT_EQ(find("POST", "/v1/shelves/new"), "POST /v1/shelves/new");
  EXPECT_EQ(find("GET", "/v1/shelves/new"), "GET /v1/shelves/{a_string}");
  EXPECT_EQ(find("PURGE", "/v1/shelves/new"), "* /v1/{a_string=**}");
}

TEST_F(RouterTest, AnExactMethodWinsOverEveryMethod) {
  add("*", "/x");
  add("POST", "/x");
  add("GET", "/x");
  EXPECT_EQ(find("POST", "/x"), "POST /x");
  EXPECT_EQ(find("HEAD", "/x"), "GET /x");
  EXPECT_EQ(find("PROPFIND", "/x"), "* /x");
  add("HEAD", "/x");
  EXPECT_EQ(find("HEAD", "/x"), "HEAD /x");
}

TEST_F(RouterTest, EncodedRequestsMatchLiteralsAndVerbs) {
  add("GET", "/a%20b/~c:do");
  for (const char* path : {"/a%20b/~c:do", "/%61%20b/%7ec:do", "/a%20b/%7E%63:%64%6F"})
    EXPECT_EQ(find("GET", path), "GET /a%20b/~c:do") << path;
  for (const char* path : {"/a b%2F~c:do", "/a%20b/%7:do", "/a%20b/%zzc:do", "/a%2520b/~c:do"})
    EXPECT_EQ(find("GET", path), "nothing") << path;
}

TEST_F(RouterTest, TwoBindingsForTheSameRequestsAreRefusedNamingBoth) {
  const auto conflict = [&](Rule first, Rule second) {
    Router router;
    EXPECT_TRUE(router.add("library.Books/Get", first, request_type(), reply_type(), 1));
    const Result<void> added = router.add("library.Films/Get", second, request_type(), reply_type(), 2);
    if (added) return std::string("none");
    EXPECT_EQ(added.error().code(), Code::kAlreadyExists);
    const Binding* found = router.find("GET", "/v1/x");
    EXPECT_EQ(found == nullptr ? 1u : found->target(), 1u);
    return added.error().message();
  };
  EXPECT_EQ(
      conflict({"GET", "/v1/{a_string}", {}, {}}, {"GET", "/v1/{by_name}", {}, {}}),
      "HTTP binding GET /v1/{by_name} of library.Films/Get matches the same requests as GET /v1/{a_string} of library.Books/Get; "
      "change one of the paths");
  EXPECT_THAT(conflict({"GET", "/v1/{a_string=x/*}", {}, {}}, {"GET", "/v1/x/{by_name}", {}, {}}),
              HasSubstr("matches the same requests"));
  EXPECT_THAT(conflict({"GET", "/v1/{a_string=**}:go", {}, {}}, {"GET", "/v1/**:go", {}, {}}),
              HasSubstr("matches the same requests"));
  EXPECT_THAT(conflict({"*", "/v1/%41", {}, {}}, {"*", "/v1/A", {}, {}}), HasSubstr("matches the same requests"));
  EXPECT_EQ(conflict({"GET", "/v1/{a_string}", {}, {}}, {"POST", "/v1/{by_name}", {}, {}}), "none");
  EXPECT_EQ(conflict({"GET", "/v1/{a_string}", {}, {}}, {"*", "/v1/{by_name}", {}, {}}), "none");
  EXPECT_EQ(conflict({"GET", "/v1/{a_string}", {}, {}}, {"GET", "/v1/{a_string}:go", {}, {}}), "none");
  EXPECT_EQ(conflict({"GET", "/v1/{a_string}", {}, {}}, {"GET", "/v1/{a_string=**}", {}, {}}), "none");
}

TEST_F(RouterTest, RefusesRulesThatDoNotFitTheMessages) {
  const auto refused = [&](Rule rule) {
    const Result<void> added = router_.add("library.Books/Get", rule, request_type(), reply_type(), 1);
    return added ? std::string("added") : added.error().message();
  };
  const std::vector<std::pair<Rule, std::string>> cases = {
      {{"GET", "/v1/{", {}, {}}, "character 6"},
      {{"GET", "/v1/{a_strong}", {}, {}},
       "variable {a_strong}: messaging.Kinds has no field \"a_strong\"; did you mean \"a_string\"?"},
      {{"GET", "/v1/{numbers}", {}, {}}, "variable {numbers}: a repeated field cannot be in a path"},
      {{"GET", "/v1/{labels}", {}, {}}, "variable {labels}: a map cannot be in a path"},
      {{"GET", "/v1/{inner}", {}, {}},
       "variable {inner}: it is a messaging.Kinds: name a field inside, such as \"inner.an_int32\""},
      {{"GET", "/v1/{object}", {}, {}}, "variable {object}: a google.protobuf.Struct cannot be given outside of a body"},
      {{"GET", "/v1/{inner_list.a_string}", {}, {}}, "field \"inner_list\" is repeated"},
      {{"GET", "/v1/{labels.key}", {}, {}}, "field \"labels\" is a map"},
      {{"GET", "/v1/{a_string.size}", {}, {}}, "field \"a_string\" is no message"},
      {{"GET", "/v1/{time}/{time.seconds}", {}, {}}, "variables {time} and {time.seconds} are about the same field"},
      {{"GET", "/v1/{odd}/{strange}", {}, {}}, "variables {odd} and {strange} are about the same field"},
      {{"GET", "/v1/x", "*", {}}, "GET has no body; leave out body: \"*\""},
      {{"POST", "/v1/x", "inner.inner", {}}, "body \"inner.inner\" must be a field of messaging.Kinds itself"},
      {{"POST", "/v1/x", "nothing", {}}, "body: messaging.Kinds has no field \"nothing\""},
      {{"POST", "/v1/{a_string}", "a_string", {}}, "field \"a_string\" is the body and a variable of the path"},
      {{"POST", "/v1/x", {}, "nothing"}, "response_body: messaging.Message has no field \"nothing\""},
      {{"", "/v1/x", {}, {}}, "\"\" is no HTTP method"},
      {{"GET IT", "/v1/x", {}, {}}, "\"GET IT\" is no HTTP method"},
  };
  for (const auto& [rule, expected] : cases) {
    EXPECT_THAT(refused(rule), AllOf(StartsWith("HTTP binding "), HasSubstr("of library.Books/Get: "), HasSubstr(expected)));
  }
  EXPECT_TRUE(router_.empty());
  const Result<void> bytes = router_.add("a.B/C", {"GET", "/x", {}, {}}, codec::bytes_type(), reply_type(), 0);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code(), Code::kUnimplemented);
}

// What Router promises, written down without a tree: all templates are compared with the path, the best is taken.
class NaiveRouter {
 public:
  void add(std::string method, Template path) { entries_.push_back({std::move(method), std::move(path)}); }

  std::string find(std::string_view method, std::string_view path) const {
    const Entry* best = nullptr;
    for (const Entry& entry : entries_) {
      if (rank(entry.method, method) < 0 || !matches(entry.path, path)) continue;
      if (best == nullptr || better(entry, *best, method)) best = &entry;
    }
    return best == nullptr ? "nothing" : best->method + " " + best->path.text;
  }

 private:
  struct Entry {
    std::string method;
    Template path;
  };

  static int rank(std::string_view bound, std::string_view asked) {
    if (bound == asked) return 3;
    if (bound == "GET" && asked == "HEAD") return 2;
    return bound == "*" ? 1 : -1;
  }
  static std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> parts;
    if (path == "/") return parts;
    while (!path.empty()) {
      path.remove_prefix(1);
      const std::size_t end = std::min(path.find('/'), path.size());
      parts.push_back(path.substr(0, end));
      path.remove_prefix(end);
    }
    return parts;
  }
  static bool matches(const Template& pattern, std::string_view path) {
    if (!pattern.verb.empty()) {
      const std::size_t colon = path.rfind(':');
      if (colon == path.npos || !equals_decoded(path.substr(colon + 1), pattern.verb)) return false;
      path = path.substr(0, colon);
    }
    const std::vector<std::string_view> parts = split(path);
    for (std::size_t i = 0; i < pattern.segments.size(); ++i) {
      const Template::Segment& segment = pattern.segments[i];
      if (segment.kind == Template::Kind::kRest) return true;
      if (i == parts.size()) return false;
      if (segment.kind == Template::Kind::kAny ? parts[i].empty() : !equals_decoded(parts[i], segment.literal)) return false;
    }
    return parts.size() == pattern.segments.size();
  }
  static bool better(const Entry& a, const Entry& b, std::string_view method) {
    if (a.path.verb.empty() != b.path.verb.empty()) return !a.path.verb.empty();
    for (std::size_t i = 0; i < std::min(a.path.segments.size(), b.path.segments.size()); ++i) {
      if (a.path.segments[i].kind != b.path.segments[i].kind) return a.path.segments[i].kind < b.path.segments[i].kind;
    }
    // Only "**" may be left over, and what ends without it is closer.
    if (a.path.segments.size() != b.path.segments.size()) return a.path.segments.size() < b.path.segments.size();
    return rank(a.method, method) > rank(b.method, method);
  }

  std::vector<Entry> entries_;
};

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937 engine_;
};

TEST(RouterProperty, FindsWhatComparingEveryTemplateFinds) {
  const std::vector<std::string> methods = {"GET", "POST", "HEAD", "*"};
  const std::vector<std::string> texts = {"a", "b", "c%20d", "a:go"};
  const std::vector<std::string> asked = {"a", "b", "c%20d", "%61", "", "a:go", "x", "%zz", "b:", "%63%20%64", ":go"};
  const std::vector<std::string> verbs = {"", "", ":go", ":a"};
  const std::vector<std::string> requested = {"GET", "POST", "HEAD", "PUT"};
  std::size_t found = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    Router router;
    NaiveRouter naive;
    for (std::size_t i = random.below(20) + 1; i > 0; --i) {
      std::string path;
      for (std::size_t left = random.below(5); left > 0; --left) {
        const std::size_t kind = random.below(10);
        const bool last = left == 1;
        path += "/" + (kind < 3 ? std::string("*") : kind < 5 && last ? std::string("**") : random.one_of(texts));
      }
      if (path.empty()) path = "/";
      if (path != "/") path += random.one_of(verbs);
      const Result<Template> parsed = Template::parse(path);
      ASSERT_TRUE(parsed) << path;
      const std::string& method = random.one_of(methods);
      if (router.add("a.B/C", {method, path, {}, {}}, request_type(), reply_type(), 0)) naive.add(method, *parsed);
    }
    for (int i = 0; i < 200; ++i) {
      std::string path;
      for (std::size_t left = random.below(6); left > 0; --left) path += "/" + random.one_of(asked);
      if (path.empty()) path = "/";
      path += random.one_of(verbs);
      const std::string& method = random.one_of(requested);
      const Binding* match = router.find(method, path);
      const std::string got = match != nullptr ? match->method() + " " + match->path() : "nothing";
      ASSERT_EQ(got, naive.find(method, path)) << method << " " << path << " seed " << seed;
      found += match != nullptr ? 1 : 0;
      if (match != nullptr) continue;
      ASSERT_EQ(router.allowed_methods(path).find(method), std::string::npos) << method << " " << path << " seed " << seed;
    }
  }
  EXPECT_GT(found, 1000u) << "the generator makes too few paths that match";
}

}  // namespace
}  // namespace micro::transcoding
