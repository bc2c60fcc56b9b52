#include "schema.hpp"

#include <google/protobuf/descriptor.pb.h>

#include "file_set.hpp"

namespace micro::dynamic {
namespace {

using google::protobuf::FileDescriptorProto;

FileDescriptorProto file(std::string name, const std::vector<std::string>& imports = {}) {
  FileDescriptorProto out;
  out.set_name(std::move(name));
  for (const std::string& import : imports) out.add_dependency(import);
  return out;
}

// A schema with these services and methods, e.g. {"a.Greeter", {"Hello"}}.
Schema make(const std::vector<std::pair<std::string, std::vector<std::string>>>& services) {
  std::vector<std::string> files;
  for (const auto& [full_name, methods] : services) {
    FileDescriptorProto out = file(full_name + ".proto");
    out.set_package(full_name.substr(0, full_name.rfind('.')));
    out.add_message_type()->set_name("Message" + full_name.substr(full_name.rfind('.') + 1));
    auto& service = *out.add_service();
    service.set_name(full_name.substr(full_name.rfind('.') + 1));
    for (const std::string& name : methods) {
      auto& method = *service.add_method();
      method.set_name(name);
      method.set_input_type(out.message_type(0).name());
      method.set_output_type(out.message_type(0).name());
    }
    files.push_back(out.SerializeAsString());
  }
  Schema schema{codec::DynamicTypes::create(files).value(), {}};
  for (const auto& service : schema.types.services()) schema.services.push_back(&service);
  return schema;
}

std::string find(const Schema& schema, std::string_view endpoint) {
  const Result<Method> method = find_method(schema, "greeter", endpoint);
  return method ? method->service->name + "/" + method->method->name : method.error().to_string();
}

TEST(FindMethod, TakesEveryFormOfName) {
  const Schema schema =
      make({{"a.Greeter", {"Hello", "Bye"}}, {"b.v1.Admin", {"Hello", "Reload"}}, {"grpc.health.v1.Health", {"Check", "Bye"}}});
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Greeter.Hello", "a.Greeter/Hello"},
      {"Admin.Hello", "b.v1.Admin/Hello"},
      {"a.Greeter/Hello", "a.Greeter/Hello"},
      {"/b.v1.Admin/Hello", "b.v1.Admin/Hello"},
      {"b.v1.Admin.Reload", "b.v1.Admin/Reload"},
      {"Admin/Reload", "b.v1.Admin/Reload"},
      {"Reload", "b.v1.Admin/Reload"},
      {"Check", "grpc.health.v1.Health/Check"},
      {"Bye", "a.Greeter/Bye"},
      {"Health.Bye", "grpc.health.v1.Health/Bye"},
  };
  for (const auto& [endpoint, method] : cases) EXPECT_EQ(find(schema, endpoint), method) << endpoint;
}

TEST(FindMethod, ExplainsWhatItCannotFind) {
  const Schema schema = make({{"a.Greeter", {"Hello"}}, {"b.Greeter", {"Hello", "Wave"}}, {"grpc.health.v1.Health", {"Check"}}});
  const std::string has = "it has Greeter.Hello, Greeter.Hello, Greeter.Wave";
  const auto none = [&](std::string endpoint, std::string hint) {
    return "NOT_FOUND [NO_ENDPOINT]: service \"greeter\" has no endpoint \"" + endpoint + "\"" + hint + "; " + has;
  };
  const std::pair<std::string_view, std::string> cases[] = {
      {"Greeter.Hello",
       "INVALID_ARGUMENT: endpoint \"Greeter.Hello\" of service \"greeter\" is ambiguous; name one of a.Greeter/Hello, "
       "b.Greeter/Hello"},
      {"Hello",
       "INVALID_ARGUMENT: endpoint \"Hello\" of service \"greeter\" is ambiguous; name one of a.Greeter/Hello, b.Greeter/Hello"},
      {"Greeter.Helo", none("Greeter.Helo", "; did you mean \"Greeter.Hello\"?")},
      {"greeter.hello", none("greeter.hello", "; did you mean \"Greeter.Hello\"?")},
      {"a.Greeter/Wafe", none("a.Greeter/Wafe", "; did you mean \"Greeter.Wave\"?")},
      {"Wav", none("Wav", "; did you mean \"Greeter.Wave\"?")},
      {"Something.Else", none("Something.Else", "")},
      {"", none("", "")},
      {"/", none("/", "")},
      {"Greeter.", none("Greeter.", "")},
  };
  for (const auto& [endpoint, error] : cases) EXPECT_EQ(find(schema, endpoint), error) << endpoint;
  EXPECT_EQ(find(make({{"grpc.health.v1.Health", {"Check"}}}), "Hello"),
            "NOT_FOUND [NO_ENDPOINT]: service \"greeter\" has no endpoint \"Hello\"; it has Health.Check");
  EXPECT_THAT(find(schema, std::string(10000, 'x')), testing::EndsWith(has));
}

TEST(FileSet, KnowsWhatIsMissing) {
  FileSet files;
  FileDescriptorProto first = file("a.proto", {"b.proto", "google/protobuf/any.proto", "none.proto"});
  first.set_package("p");
  first.add_service()->set_name("S");
  ASSERT_TRUE(files.add({first.SerializeAsString(), first.SerializeAsString()}));
  EXPECT_EQ(files.files().size(), 1U);
  EXPECT_TRUE(files.defines("p.S"));
  EXPECT_FALSE(files.defines("S"));
  EXPECT_EQ(files.missing(), (std::set<std::string>{"b.proto", "google/protobuf/any.proto", "none.proto"}));
  ASSERT_TRUE(files.add({file("b.proto", {"c.proto"}).SerializeAsString(), file("c.proto").SerializeAsString()}));
  files.give_up("google/protobuf/any.proto");
  EXPECT_EQ(files.files().size(), 4U) << "protobuf's own file is taken from the program";
  files.give_up(*files.missing().begin());
  EXPECT_TRUE(files.missing().empty());
  ASSERT_TRUE(files.add({file("d.proto", {"none.proto"}).SerializeAsString()}));
  EXPECT_TRUE(files.missing().empty()) << "what was given up is not looked for again";
}

TEST(FileSet, RefusesWhatIsNoSchema) {
  for (const std::string& bytes : {std::string("\xff\xff"), std::string(), file("").SerializeAsString()}) {
    FileSet files;
    const auto added = files.add({bytes});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().reason(), "BAD_SCHEMA");
  }
  FileSet files;
  std::vector<std::string> many;
  for (int i = 0; i < 5001; ++i) many.push_back(file(std::to_string(i)).SerializeAsString());
  EXPECT_EQ(files.add(std::move(many)).error().message(), "the node's reflection sent more than 5000 files");
}

}  // namespace
}  // namespace micro::dynamic
