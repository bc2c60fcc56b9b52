#include <micro/registry/layout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::registry {
namespace {

using testing::HasSubstr;

std::shared_ptr<const Layout> layout(std::string_view text) {
  auto made = make_layout(text);
  if (!made) throw std::runtime_error(made.error().to_string());
  return *made;
}

Service greeter() {
  return {.name = "greeter",
          .version = "v1",
          .metadata = {{"team", "core"}},
          .endpoints = {{.name = "Greeter.Hello",
                         .request = {.name = "HelloRequest", .type = "HelloRequest"},
                         .metadata = {{"path", "/greeter.Greeter/Hello"}}}},
          .nodes = {{.id = "greeter-1", .address = "10.0.0.7:4501", .metadata = {{"protocol", "grpc"}, {"zone", "eu"}}}}};
}

Node at(std::string id, std::string address, Properties metadata = {}) {
  return {.id = std::move(id), .address = std::move(address), .metadata = std::move(metadata)};
}

TEST(Layout, KeysAndValuesByteForByte) {
  struct Case {
    const char* layout;
    const char* all;
    const char* prefix;
    const char* key;
    const char* value;
  };
  const char* const json =
      R"({"name":"greeter","version":"v1","metadata":{"team":"core"},"endpoints":[{"name":"Greeter.Hello",)"
      R"("request":{"name":"HelloRequest","type":"HelloRequest","values":null},"response":null,)"
      R"("metadata":{"path":"/greeter.Greeter/Hello"}}],)"
      R"("nodes":[{"id":"greeter-1","address":"10.0.0.7:4501","metadata":{"protocol":"grpc","zone":"eu"}}]})";
  const char* const kratos = R"({"id":"greeter-1","name":"greeter","version":"v1","metadata":{"protocol":"grpc","zone":"eu"},)"
                             R"("endpoints":["grpc://10.0.0.7:4501","http://10.0.0.7:4501"]})";
  const Case cases[] = {
      {"", "/micro/registry/", "/micro/registry/greeter/", "/micro/registry/greeter/greeter-1", json},
      {"go-micro", "/micro/registry/", "/micro/registry/greeter/", "/micro/registry/greeter/greeter-1", json},
      {"go-micro:/micro-registry", "/micro-registry/", "/micro-registry/greeter/", "/micro-registry/greeter/greeter-1", json},
      {"kratos", "/microservices/", "/microservices/greeter/", "/microservices/greeter/greeter-1", kratos},
      {"kratos:/prod", "/prod/", "/prod/greeter/", "/prod/greeter/greeter-1", kratos},
      {"go-zero", "", "greeter/", "greeter/7587891", "10.0.0.7:4501"},
      {"go-zero:prod/", "prod/", "prod/greeter/", "prod/greeter/7587891", "10.0.0.7:4501"},
      {"goms", "goms_", "goms_greeter_", "goms_greeter_10.0.0.7:4501_10.0.0.7:4501", "0"},
      {"goms:shop", "shop_", "shop_greeter_", "shop_greeter_10.0.0.7:4501_10.0.0.7:4501", "0"},
      {"go-garden", "garden_", "garden_greeter_", "garden_greeter_10.0.0.7:4501:4501", "0"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.layout);
    const auto form = layout(c.layout);
    EXPECT_EQ(form->prefix(""), c.all);
    EXPECT_EQ(form->prefix("greeter"), c.prefix);
    const std::string key = form->key("greeter", greeter().nodes.front(), 7587891);
    EXPECT_EQ(key, c.key);
    const auto value = form->encode(greeter());
    ASSERT_TRUE(value) << value.error().to_string();
    EXPECT_EQ(*value, c.value);
    const auto back = form->decode(key, *value);
    ASSERT_TRUE(back && *back);
    EXPECT_EQ((*back)->name, "greeter");
    EXPECT_EQ((*back)->nodes.at(0).address, "10.0.0.7:4501");
    // Who knows only the id finds the key again.
    EXPECT_EQ(form->key("greeter", at((*back)->nodes.at(0).id, ""), 0), key);
  }
}

TEST(Layout, GoMicroLosesNothing) {
  const auto form = layout("go-micro");
  EXPECT_EQ(form->loses(), "");
  EXPECT_EQ(**form->decode(form->key("greeter", greeter().nodes.front(), 0), *form->encode(greeter())), greeter());
}

TEST(Layout, GoMicroNamesWithSlashes) {
  const auto form = layout("go-micro");
  EXPECT_EQ(form->prefix("a/b"), "/micro/registry/a-b/");
  EXPECT_EQ(form->key("a-b", at("a-b-1", "x"), 0), "/micro/registry/a-b/a-b-1");
  // In the folder where Go programs look, under a name that "a-b" does not have.
  EXPECT_EQ(form->key("a/b", at("a/b-1", "x"), 0), "/micro/registry/a-b/a-b-1-55913529ba7e0909");
  EXPECT_NE(form->key("a/b", at("a-b-1", "x"), 0), form->key("a/b", at("a/b-1", "x"), 0));
}

TEST(Layout, ReadsWhatGoMicroWrites) {
  const auto form = layout("go-micro");
  const auto read = form->decode(
      "/micro/registry/helloworld/helloworld-6a1f",
      R"({"name":"helloworld","version":"latest","metadata":null,"endpoints":[{"request":{"name":"Request","type":"Request",)"
      R"("values":[{"name":"name","type":"string","values":null}]},"response":null,"metadata":{"stream":"true"},"name":"Say.Hi"}],)"
      R"("nodes":[{"metadata":{"broker":"http","protocol":"mucp"},"id":"helloworld-6a1f","address":"192.168.1.7:40001"}]})");
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->name, "helloworld");
  EXPECT_EQ((*read)->version, "latest");
  EXPECT_EQ((*read)->endpoints.at(0).request.values.at(0).type, "string");
  EXPECT_EQ((*read)->nodes,
            (std::vector<Node>{at("helloworld-6a1f", "192.168.1.7:40001", {{"broker", "http"}, {"protocol", "mucp"}})}));
}

TEST(Layout, ReadsWhatKratosWrites) {
  struct Case {
    const char* endpoints;
    Node node;
  };
  const Case cases[] = {
      {R"(["grpc://10.0.0.7:9000"])", at("i", "10.0.0.7:9000", {{"protocol", "grpc"}})},
      {R"(["http://10.0.0.7:8000","grpc://10.0.0.7:9000"])",
       at("i", "10.0.0.7:9000", {{"protocol", "grpc"}, {"http_address", "10.0.0.7:8000"}})},
      {R"(["grpc://10.0.0.7:9000?isSecure=false"])", at("i", "10.0.0.7:9000", {{"protocol", "grpc"}})},
      {R"(["grpc://10.0.0.7:9000?isSecure=true"])", at("i", "10.0.0.7:9000", {{"protocol", "grpc"}, {"tls", "true"}})},
      {R"(["grpcs://10.0.0.7:9000"])", at("i", "10.0.0.7:9000", {{"protocol", "grpc"}, {"tls", "true"}})},
      {R"(["https://10.0.0.7:8000"])", at("i", "10.0.0.7:8000", {{"protocol", "http"}, {"tls", "true"}})},
      {R"([7,"nonsense","grpc://[::1]:9000"])", at("i", "[::1]:9000", {{"protocol", "grpc"}})},
  };
  const auto form = layout("kratos");
  for (const Case& c : cases) {
    SCOPED_TRACE(c.endpoints);
    const auto read =
        form->decode("/microservices/shop/i", std::string(R"({"id":"i","name":"shop","version":"","metadata":null,)") +
                                                  R"("endpoints":)" + c.endpoints + "}");
    ASSERT_TRUE(read && *read) << (read ? "none" : read.error().to_string());
    EXPECT_EQ(**read, (Service{.name = "shop", .nodes = {c.node}}));
  }
}

TEST(Layout, KratosSaysWhoSpeaksTls) {
  Service record = greeter();
  record.nodes[0].metadata = {{"tls", "true"}, {"http_address", "10.0.0.7:8000"}};
  EXPECT_EQ(*layout("kratos")->encode(record), R"({"id":"greeter-1","name":"greeter","version":"v1","metadata":{},)"
                                               R"("endpoints":["grpcs://10.0.0.7:4501","https://10.0.0.7:8000"]})");
}

TEST(Layout, GomsReadsBothOfItsForms) {
  const Service user{.name = "user",
                     .nodes = {at("127.0.0.1:9181_127.0.0.1:9081", "127.0.0.1:9181", {{"http_address", "127.0.0.1:9081"}})}};
  Service later = user;
  later.nodes[0].id = "127.0.0.1:9081:9181";
  for (const char* name : {"goms", "go-garden:goms"}) {
    EXPECT_EQ(**layout(name)->decode("goms_user_127.0.0.1:9181_127.0.0.1:9081", "0"), user);
    EXPECT_EQ(**layout(name)->decode("goms_user_127.0.0.1:9081:9181", "0"), later);
  }
  EXPECT_EQ(layout("goms")->key("user", user.nodes[0], 0), "goms_user_127.0.0.1:9181_127.0.0.1:9081");
  EXPECT_EQ(layout("go-garden")->key("user", user.nodes[0], 0), "garden_user_127.0.0.1:9081:9181");
}

TEST(Layout, StrangeKeysAndValues) {
  enum Verdict { kOurs, kNotOurs, kMalformed };
  struct Case {
    const char* layout;
    const char* key;
    const char* value;
    Verdict verdict;
  };
  const Case cases[] = {
      {"go-micro", "/micro/config/x", "{}", kNotOurs},
      {"go-micro", "/micro/registry/x/1", "", kMalformed},
      {"go-micro", "/micro/registry/x/1", "{\"name\":", kMalformed},
      {"go-micro", "/micro/registry/x/1", "[1]", kMalformed},
      {"go-micro", "/micro/registry/x/1", R"({"name":"x"})", kMalformed},
      {"go-micro", "/micro/registry/x/1", R"({"name":"x","nodes":null})", kMalformed},
      {"go-micro", "/micro/registry/x/1", R"({"name":"x","nodes":[{"id":"1"}]})", kMalformed},
      {"go-micro", "/micro/registry/x/1", R"({"name":"x","nodes":[{"address":"a:1"}]})", kMalformed},
      {"go-micro", "/micro/registry/x/1", R"({"nodes":[{"id":"1","address":"a:1"}]})", kMalformed},
      {"go-micro", "/micro/registry/x/1", R"({"name":"x","nodes":[{"id":"1","address":"a:1"}]})", kOurs},
      {"kratos", "/other/x/1", "{}", kNotOurs},
      {"kratos", "/microservices/x/1", "x", kMalformed},
      {"kratos", "/microservices/x/1", "[]", kMalformed},
      {"kratos", "/microservices/x/1", R"({"id":"1","name":"x"})", kMalformed},
      {"kratos", "/microservices/x/1", R"({"id":"1","name":"x","endpoints":[]})", kMalformed},
      {"kratos", "/microservices/x/1", R"({"id":1,"name":"x","endpoints":["grpc://a:1"]})", kMalformed},
      {"kratos", "/microservices/x/1", R"({"id":"1","name":"x","endpoints":["grpc://a"]})", kMalformed},
      {"go-zero", "user.rpc", "a:1", kNotOurs},
      {"go-zero", "user.rpc/x1", "a:1", kNotOurs},
      {"go-zero", "/1", "a:1", kNotOurs},
      {"go-zero", "user.rpc/", "a:1", kNotOurs},
      {"go-zero", "user.rpc/1", "a", kMalformed},
      {"go-zero", "user.rpc/1", ":1", kMalformed},
      {"go-zero", "user.rpc/1", "a:1", kOurs},
      {"go-zero:prod/", "test/user.rpc/1", "a:1", kNotOurs},
      {"goms", "shop_user_a:1_a:2", "0", kNotOurs},
      {"goms", "goms_", "0", kMalformed},
      {"goms", "goms_user", "0", kMalformed},
      {"goms", "goms_user_a", "0", kMalformed},
      {"goms", "goms_user_a:1", "0", kMalformed},
      {"goms", "goms_user_a:1_b", "0", kMalformed},
      {"goms", "goms_user_a:x_b:1", "0", kMalformed},
      {"goms", "goms_user_a:1:2:3", "0", kMalformed},
      {"goms", "goms__a:1:2", "0", kMalformed},
      {"goms", "goms_user_a:1_b:2", "", kOurs},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.layout) + " " + c.key + " " + c.value);
    const auto read = layout(c.layout)->decode(c.key, c.value);
    EXPECT_EQ(!read ? kMalformed : *read ? kOurs : kNotOurs, c.verdict);
    if (!read) {
      EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
      EXPECT_THAT(read.error().message(), HasSubstr(c.key));
    }
  }
}

TEST(Layout, RefusesWhatWouldBeMisread) {
  struct Case {
    const char* layout;
    const char* service;
    const char* address;
    const char* http;
    const char* why;
  };
  const Case cases[] = {
      {"kratos", "x", "unix:/run/x.sock", "", "no host with a port"},
      {"go-zero", "x", "unix:/run/x.sock", "", "no host with a port"},
      {"go-zero", "x", "10.0.0.7", "", "no host with a port"},
      {"goms", "my_service", "10.0.0.7:1", "", "'_' in the name"},
      {"goms", "x", "[::1]:80", "", "no IPv4 address"},
      {"goms", "x", "a_b:80", "", "no IPv4 address"},
      {"goms", "x", "10.0.0.7:1", "nowhere", "\"nowhere\""},
      {"go-garden", "x", "10.0.0.7:1", "10.0.0.8:1", "different hosts"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.layout) + " " + c.address);
    Service record{.name = c.service, .nodes = {at("1", c.address)}};
    if (*c.http != '\0') record.nodes[0].metadata = {{"http_address", c.http}};
    const auto encoded = layout(c.layout)->encode(record);
    ASSERT_FALSE(encoded);
    EXPECT_EQ(encoded.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(encoded.error().message(), HasSubstr(c.why));
    EXPECT_THAT(encoded.error().message(), HasSubstr(c.layout));
  }
}

TEST(Layout, GoZeroWithoutALease) {
  const auto form = layout("go-zero");
  EXPECT_EQ(form->key("user.rpc", at("greeter-1", "a:1"), 0), "user.rpc/5156803377409838217");
  EXPECT_TRUE(*form->decode(form->key("user.rpc", at("greeter-1", "a:1"), 0), "a:1"));
}

TEST(Layout, UnknownNamesListTheKnownOnes) {
  EXPECT_EQ(layout_names(), "go-micro, kratos, go-zero, goms, go-garden");
  EXPECT_EQ(make_layout("gomicro").error().message(),
            "unknown layout of records \"gomicro\"; there are go-micro, kratos, go-zero, goms, go-garden (--registry_layout, "
            "MICRO_REGISTRY_LAYOUT)");
  EXPECT_EQ(make_layout("kratos:").error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace micro::registry
