#include <micro/dynamic/caller.hpp>

#include <google/protobuf/descriptor.pb.h>

#include "test_node.hpp"

namespace micro::dynamic {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CallerTest : public DynamicTest {
 protected:
  CallerTest() { join(*node_); }
  ~CallerTest() override { stop(*node_); }

  std::string error(std::string_view endpoint, std::string_view json, std::string_view service = "greeter") {
    const Result<std::string> reply = call(caller_, endpoint, json, {}, service);
    return reply ? "no error: " + *reply : reply.error().to_string();
  }

  const std::shared_ptr<Greeting> greeting_ = std::make_shared<Greeting>("one", true);
  const std::unique_ptr<Node> node_ = make_node({greeting_});
  DynamicCaller caller_{client_, cache_};
};

TEST_F(CallerTest, CallsByEveryFormOfName) {
  for (const char* endpoint : {"Greeter.Hello", "greeting.Greeter/Hello", "/greeting.Greeter/Hello", "greeting.Greeter.Hello"}) {
    EXPECT_EQ(call(caller_, endpoint, R"({"name":"John"})").value_or("error"),
              R"({"message":"Hello John","count":0,"nodeName":"one"})");
  }
  EXPECT_EQ(call(caller_, "Reload", "").value_or("error"), R"({"message":"Hello ","count":0,"nodeName":"one"})");
  EXPECT_EQ(call(caller_, "Health.Check", "{}").value_or("error"), R"({"status":"SERVING"})");
  EXPECT_EQ(node_->reflection->calls, 1) << "one fetch for all of them";
}

TEST_F(CallerTest, WritesRepliesAsAsked) {
  DynamicCaller terse(client_, cache_, {.json_zero_values = false, .proto_field_names = true});
  EXPECT_EQ(call(terse, "Greeter.Hello", R"({"name":"John","patience":"1.5s"})").value_or("error"),
            R"({"message":"Hello John","node_name":"one"})");
}

TEST_F(CallerTest, MetadataTravelsBothWaysAndOnlyThatOfTheCallComesBack) {
  auto run = [&]() -> Task<void> {
    Context context;
    context.outgoing().add("x-tenant", "acme");
    const rpc::CallOptions options;
    const Result<std::string> reply = co_await caller_.call_json(context, "greeter", "Greeter.Hello", "{}", options);
    EXPECT_TRUE(reply);
    EXPECT_EQ(context.reply_trailers(), (Metadata{{"x-cost", "7"}}));
    EXPECT_EQ(context.peer(), node_->address());
  };
  on(run());
  EXPECT_EQ(greeting_->last_tenant, "acme");
}

TEST_F(CallerTest, ErrorsSayWhatToDo) {
  EXPECT_EQ(error("Greeter.Hello", "{}", "nobody"),
            R"(NOT_FOUND [NO_NODE]: no node of service "nobody" in memory registry of this process {service=nobody})");
  EXPECT_EQ(
      error("Greeter.Helo", "{}"),
      "NOT_FOUND [NO_ENDPOINT]: service \"greeter\" has no endpoint \"Greeter.Helo\"; did you mean \"Greeter.Hello\"?; it has "
      "Admin.Hello, Admin.Reload, Greeter.Hello, Greeter.Fail, Greeter.Count, Greeter.Collect, Greeter.Chat");
  EXPECT_EQ(error("Hello", "{}"),
            "INVALID_ARGUMENT: endpoint \"Hello\" of service \"greeter\" is ambiguous; name one of "
            "greeting.Admin/Hello, greeting.Greeter/Hello");
  EXPECT_THAT(error("Greeter.Hello", R"({"name":7})"),
              StartsWith("INVALID_ARGUMENT [INVALID_JSON]: JSON for greeting.messages.HelloRequest: line 1, column 9: field "
                         "\"name\": expected a string"));
  EXPECT_THAT(error("Greeter.Hello", "{"),
              StartsWith("INVALID_ARGUMENT [INVALID_JSON]: JSON for greeting.messages.HelloRequest: line 1, column 2"));
  EXPECT_THAT(error("Greeter.Hello", R"({"nme":"x"})"), HasSubstr("nme"));
  EXPECT_EQ(error("Greeter.Count", "{}"),
            "FAILED_PRECONDITION [STREAMING]: Greeter.Count of service \"greeter\" is a streaming method "
            "(server_stream) and has no single reply; call it as a stream");
  EXPECT_EQ(error("Greeter.Fail", R"({"name":"John"})"), "PERMISSION_DENIED [NO_GREETING]: not for John");
}

TEST_F(CallerTest, ListsMethodsInOrder) {
  auto run = [&]() -> Task<void> {
    Context context;
    const rpc::CallOptions options;
    const auto methods = co_await caller_.methods(context, "greeter", options);
    EXPECT_TRUE(methods);
    std::vector<std::string> names;
    for (const MethodInfo& method : methods.value_or(std::vector<MethodInfo>())) {
      names.push_back(method.service + " " + method.name() + " " + std::string(to_string(method.kind)) + " " +
                      method.request.name);
    }
    EXPECT_THAT(
        names,
        testing::ElementsAre(
            "greeting.Admin Admin.Hello unary HelloRequest", "greeting.Admin Admin.Reload unary HelloRequest",
            "greeting.Greeter Greeter.Hello unary HelloRequest", "greeting.Greeter Greeter.Fail unary HelloRequest",
            "greeting.Greeter Greeter.Count server_stream HelloRequest",
            "greeting.Greeter Greeter.Collect client_stream HelloRequest",
            "greeting.Greeter Greeter.Chat bidi_stream HelloRequest",
            "grpc.health.v1.Health Health.Check unary HealthCheckRequest",
            "grpc.health.v1.Health Health.List unary HealthListRequest",
            "grpc.health.v1.Health Health.Watch server_stream HealthCheckRequest",
            "grpc.reflection.v1.ServerReflection ServerReflection.ServerReflectionInfo bidi_stream ServerReflectionRequest",
            "grpc.reflection.v1alpha.ServerReflection ServerReflection.ServerReflectionInfo bidi_stream "
            "ServerReflectionRequest"));
    const auto nobody = co_await caller_.methods(context, "nobody", options);
    EXPECT_FALSE(nobody);
  };
  on(run());
}

TEST_F(CallerTest, CallsAddressesWithoutARegistry) {
  DynamicCaller direct(client_);
  EXPECT_TRUE(call(direct, "Greeter.Hello", "{}", at(*node_), "whatever"));
  EXPECT_EQ(call(direct, "Greeter.Hello", "{}").error().message(),
            "no registry here to find service \"greeter\" in; give its addresses");
  rpc::CallOptions nowhere;
  nowhere.addresses.push_back("127.0.0.1:1");
  const auto reply = call(direct, "Greeter.Hello", "{}", nowhere);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kUnavailable);
  EXPECT_THAT(reply.error().message(), StartsWith("schema of service \"greeter\": "));
}

TEST_F(DynamicTest, FallsBackToTheOlderReflection) {
  const auto node = make_node({std::make_shared<Greeting>("old")}, Reflection::Versions::kAlphaOnly);
  join(*node);
  DynamicCaller caller(client_, cache_);
  EXPECT_TRUE(call(caller, "Greeter.Hello", "{}"));
  stop(*node);
}

TEST_F(DynamicTest, ANodeWithoutReflectionIsExplained) {
  const auto node = make_node_without_reflection({std::make_shared<Greeting>("mute")});
  join(*node);
  DynamicCaller caller(client_, cache_);
  const auto reply = call(caller, "Greeter.Hello", "{}");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(reply.error().reason(), "NO_REFLECTION");
  EXPECT_EQ(reply.error().message(),
            "service \"greeter\" at " + node->address() +
                " does not offer gRPC server reflection, so its endpoints are not known here; switch reflection "
                "on in that program, or call it with generated code");
  stop(*node);
}

// A response with these bytes as the file asked for, as JSON.
std::string serve_bytes(const std::string& bytes) {
  const codec::MessagePtr response(*rpc::reflection::protocol(rpc::reflection::Version::kV1).response);
  google::protobuf::Message& message = codec::protobuf_message(response.get());
  google::protobuf::Message* files =
      message.GetReflection()->MutableMessage(&message, message.GetDescriptor()->FindFieldByName("file_descriptor_response"));
  files->GetReflection()->AddString(files, files->GetDescriptor()->field(0), bytes);
  Buffer out;
  EXPECT_TRUE(codec::JsonCodec().marshal(response.get(), out));
  return std::string(out.view());
}

std::string serve_file(const google::protobuf::FileDescriptor& descriptor) {
  google::protobuf::FileDescriptorProto proto;
  descriptor.CopyTo(&proto);
  return serve_bytes(proto.SerializeAsString());
}

// Other servers send one file an answer, leave out protobuf's own, or list what they cannot describe.
TEST_F(DynamicTest, CopesWithFrugalServers) {
  const auto& service = *HelloRequest::descriptor()->file()->pool()->FindFileByName("greeting.proto");
  const ScriptedReflection::Script script{
      {R"({"listServices":"*"})", R"({"listServicesResponse":{"service":[{"name":"ghost.Ghost"},{"name":"greeting.Greeter"}]}})"},
      {R"({"fileContainingSymbol":"greeting.Greeter"})", serve_file(service)},
      {R"({"fileByFilename":"greeting_messages.proto"})", serve_file(*HelloRequest::descriptor()->file())}};
  const auto node =
      make_node_without_reflection({std::make_shared<Greeting>("frugal"), std::make_shared<ScriptedReflection>(script)});
  join(*node);
  DynamicCaller caller(client_, cache_);
  EXPECT_EQ(call(caller, "Hello", R"({"name":"John"})").value_or("error"),
            R"({"message":"Hello John","count":0,"nodeName":"frugal"})");
  EXPECT_THAT(call(caller, "Admin.Reload", "{}").error().message(), HasSubstr("it has Greeter.Hello"))
      << "a service of the same file that is not listed is not offered";
  stop(*node);
}

TEST_F(DynamicTest, ExplainsBadSchemas) {
  const auto& service = *HelloRequest::descriptor()->file()->pool()->FindFileByName("greeting.proto");
  const std::string list = R"({"listServicesResponse":{"service":[{"name":"greeting.Greeter"}]}})";
  struct Case {
    ScriptedReflection::Script script;
    std::string error;
  };
  const Case cases[] = {
      {{{R"({"listServices":"*"})", list}, {R"({"fileContainingSymbol":"greeting.Greeter"})", serve_file(service)}},
       R"(FAILED_PRECONDITION [BAD_SCHEMA]: schema of service "greeter": descriptor "greeting.proto" imports )"
       R"("greeting_messages.proto", which is not among those given; send it along)"},
      {{{R"({"listServices":"*"})", list}, {R"({"fileContainingSymbol":"greeting.Greeter"})", serve_bytes("\xff\xff")}},
       R"(FAILED_PRECONDITION [BAD_SCHEMA]: schema of service "greeter": the node's reflection sent 2 bytes that are no )"
       R"(file descriptor)"},
      {{{R"({"listServices":"*"})", R"({"listServicesResponse":{}})"}},
       R"(FAILED_PRECONDITION [BAD_SCHEMA]: schema of service "greeter": the node's reflection lists no service)"},
      {{{R"({"listServices":"*"})", list}},
       R"(NOT_FOUND: schema of service "greeter": service greeting.Greeter: not in the script)"},
      {{{R"({"listServices":"*"})", serve_bytes("x")}},
       R"(INTERNAL: schema of service "greeter": the reflection service answered file_descriptor_response where )"
       R"(list_services_response was asked for)"},
      {{{R"({"listServices":"*"})", "end"}},
       R"(INTERNAL: schema of service "greeter": the node's reflection ended without an answer)"},
  };
  DynamicCaller caller(client_, cache_);
  for (const Case& c : cases) {
    const auto node = make_node_without_reflection({std::make_shared<ScriptedReflection>(c.script)});
    const auto reply = call(caller, "Hello", "{}", at(*node));
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().to_string(), c.error);
    stop(*node);
  }
}

}  // namespace
}  // namespace micro::dynamic
