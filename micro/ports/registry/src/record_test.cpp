#include <micro/registry/record.hpp>

#include <micro/registry/node_list.hpp>
#include <micro/registry/records.hpp>

namespace micro::registry {
namespace {

TEST(Record, IsWrittenAsGoMicroDoes) {
  const Service service{
      .name = "greeter",
      .version = "latest",
      .metadata = {{"team", "core"}},
      .endpoints = {{.name = "Greeter.Hello",
                     .request = {.name = "HelloRequest", .type = "HelloRequest", .values = {{.name = "name", .type = "string"}}},
                     .metadata = {{"stream", "true"}}}},
      .nodes = {{.id = "greeter-1", .address = "10.0.0.1:80", .metadata = {{"protocol", "grpc"}}}}};
  const std::string json = to_json(service);
  EXPECT_EQ(json,
            R"({"name":"greeter","version":"latest","metadata":{"team":"core"},"endpoints":[{"name":"Greeter.Hello",)"
            R"("request":{"name":"HelloRequest","type":"HelloRequest","values":[{"name":"name","type":"string","values":null}]},)"
            R"("response":null,"metadata":{"stream":"true"}}],)"
            R"("nodes":[{"id":"greeter-1","address":"10.0.0.1:80","metadata":{"protocol":"grpc"}}]})");
  EXPECT_EQ(from_json(json).value(), service);
}

TEST(Record, EmptyListsAreLists) {
  EXPECT_EQ(to_json({.name = "a"}), R"({"name":"a","version":"","metadata":{},"endpoints":[],"nodes":[]})");
  EXPECT_EQ(from_json(to_json({.name = "a"})).value(), Service{.name = "a"});
}

TEST(Record, ReadsWhatGoWrites) {
  const auto read = from_json(
      R"({"name":"go.micro.srv","version":"latest","metadata":null,"endpoints":[{"request":null,)"
      R"("response":{"name":"R","type":"R",)"
      R"("values":null},"metadata":{},"name":"A.B"}],"nodes":[{"metadata":null,"id":"x","address":"1.2.3.4:5"}],"later":[1,2]})");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, (Service{.name = "go.micro.srv",
                            .version = "latest",
                            .endpoints = {{.name = "A.B", .response = {.name = "R", .type = "R"}}},
                            .nodes = {{.id = "x", .address = "1.2.3.4:5"}}}));
}

TEST(Record, FieldsWithoutANameOrType) {
  const Service service{.name = "a", .endpoints = {{.name = "B.C", .request = {.name = "R", .values = {{}, {.type = "T"}}}}}};
  EXPECT_EQ(from_json(to_json(service)).value(), service);
}

TEST(Record, NilPointersOfGoAreLeftOut) {
  const auto read =
      from_json(R"({"name":"a","endpoints":[null,{"name":"B.C","request":{"values":[null,{"name":"x"}]}}],"nodes":[null]})");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, (Service{.name = "a", .endpoints = {{.name = "B.C", .request = {.values = {{.name = "x"}}}}}}));
}

struct BadCase {
  std::string json;
  const char* says;
};

class BadRecord : public testing::TestWithParam<BadCase> {};

TEST_P(BadRecord, IsRefusedWithTheReason) {
  const auto read = from_json(GetParam().json);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
  EXPECT_NE(read.error().message().find(GetParam().says), std::string::npos) << read.error().message();
}

std::string nested(int levels) {
  std::string json = R"({"name":"a","endpoints":[{"name":"b","request":)";
  for (int i = 0; i < levels; ++i) json += R"({"name":"n","values":[)";
  json += "{}";
  for (int i = 0; i < levels; ++i) json += "]}";
  return json + "}]}";
}

INSTANTIATE_TEST_SUITE_P(
    Record, BadRecord,
    testing::Values(BadCase{"", "is not JSON"}, BadCase{"{", "is not JSON"}, BadCase{R"({"name":1e999})", "is not JSON"},
                    BadCase{"{} x", "is not JSON"}, BadCase{"null", "expected an object"},
                    BadCase{"[]", "the record: expected an object, found array"}, BadCase{"{}", "name: is missing or empty"},
                    BadCase{R"({"name":""})", "name: is missing or empty"},
                    BadCase{R"({"name":7})", "name: expected a string, found number"},
                    BadCase{R"({"name":"a","version":true})", "version: expected a string"},
                    BadCase{R"({"name":"a","metadata":[]})", "metadata: expected an object"},
                    BadCase{R"({"name":"a","metadata":{"k":1}})", "metadata.k: expected a string"},
                    BadCase{R"({"name":"a","nodes":{}})", "nodes: expected an array"},
                    BadCase{R"({"name":"a","nodes":[{"id":"x"},"y"]})", "nodes[1]: expected an object"},
                    BadCase{R"({"name":"a","nodes":[{"id":"x","address":4}]})", "nodes[0].address: expected a string"},
                    BadCase{R"({"name":"a","endpoints":[{"request":"x"}]})", "endpoints[0].request: expected an object"},
                    BadCase{R"({"name":"a","endpoints":[{"request":{"values":[{"name":1}]}}]})",
                            "endpoints[0].request.values[0].name"},
                    BadCase{nested(100), "nested deeper than 32 levels"}));

TEST(Record, DeepSchemasUpToTheLimitAreRead) { EXPECT_TRUE(from_json(nested(31))); }

TEST(Record, InvalidUtf8IsReplaced) {
  const auto back = from_json(to_json({.name = "a\xff"}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->name, "a\xEF\xBF\xBD");
}

TEST(Properties, AreFoundAndReplaced) {
  Properties properties{{"a", "1"}};
  set_property(properties, "b", "2");
  set_property(properties, "a", "3");
  EXPECT_EQ(properties, (Properties{{"a", "3"}, {"b", "2"}}));
  EXPECT_EQ(property(properties, "a"), "3");
  EXPECT_EQ(property(properties, "c"), "");
  EXPECT_EQ(property(properties, "c", "none"), "none");
}

TEST(Records, MergeTakesMetadataAndEndpointsFromTheFirstThatHasThem) {
  const Service bare{.name = "a", .version = "1", .nodes = {{.id = "n1", .address = "x"}}};
  const Service rich{.name = "a",
                     .version = "1",
                     .metadata = {{"k", "v"}},
                     .endpoints = {{.name = "E"}},
                     .nodes = {{.id = "n2", .address = "x"}}};
  const Service other{.name = "a", .version = "1", .metadata = {{"k", "w"}}, .nodes = {{.id = "n3", .address = "x"}}};
  const auto merged = merge({other, rich, bare, Service{.name = "empty"}});
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_EQ(merged[0].metadata, rich.metadata);
  EXPECT_EQ(merged[0].endpoints, rich.endpoints);
  ASSERT_EQ(merged[0].nodes.size(), 3u);
  EXPECT_EQ(merged[0].nodes[0].id, "n1");
}

TEST(Records, ANodeListHoldsAllVersionsByNodeId) {
  const auto list = make_node_list("a", {{.name = "a", .version = "1", .nodes = {{.id = "z"}, {.id = "b"}}},
                                         {.name = "a", .version = "2", .nodes = {{.id = "c"}}}});
  EXPECT_EQ(list.service, "a");
  ASSERT_EQ(list.candidates.size(), 3u);
  EXPECT_EQ(list.candidates[0].node.id, "b");
  EXPECT_EQ(list.candidates[1].node.id, "c");
  EXPECT_EQ(list.candidates[1].version, "2");
  EXPECT_EQ(list.candidates[2].node.id, "z");
}

}  // namespace
}  // namespace micro::registry
