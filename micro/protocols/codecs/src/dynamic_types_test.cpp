#include <micro/codecs/dynamic_types.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include <google/protobuf/descriptor.pb.h>

#include <micro/bytes/buffer.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/proto_codec.hpp>
#include <micro/codecs/protobuf.hpp>

#include "everything.pb.h"
#include "greeter.pb.h"
#include "legacy.pb.h"
#include "test_support.hpp"

namespace micro::codec {
namespace {

using namespace ::codecs::test;
using google::protobuf::FileDescriptorProto;

DynamicTypes everything() {
  auto types = DynamicTypes::create(message_type<WellKnownTypes>().file_descriptors());
  EXPECT_TRUE(types) << types.error().to_string();
  return *std::move(types);
}

// JSON to protobuf, as the gateway does it.
std::string transcode(const MessageType& type, std::string_view json) {
  const MessagePtr message(type);
  if (const auto read = JsonCodec().unmarshal(json, message.get()); !read) return "error: " + read.error().message();
  Buffer out;
  if (const auto written = ProtoCodec().marshal(message.get(), out); !written) return "error: " + written.error().message();
  return std::string(out.view());
}

std::string transcode_back(const MessageType& type, std::string_view bytes) {
  const MessagePtr message(type);
  if (const auto read = ProtoCodec().unmarshal(bytes, message.get()); !read) return "error: " + read.error().message();
  Buffer out;
  if (const auto written = JsonCodec().marshal(message.get(), out); !written) return "error: " + written.error().message();
  return std::string(out.view());
}

TEST(DynamicTypes, TranscodeWithoutGeneratedCode) {
  const DynamicTypes types = everything();
  const std::pair<std::string, std::string> cases[] = {
      {"codecs.test.HelloRequest", R"({"name":"John"})"},
      {".codecs.test.User", R"({"displayName":"x","tags":[{"name":"a","color":"RED"}],"address":{"floors":{"a":1}}})"},
      {"codecs.test.Scalars", R"({"anInt64":"-5","aDouble":0.5,"aBytes":"AA==","color":"GREEN","maybe":0,"other\"Name":"r"})"},
      {"codecs.test.Maps", R"({"texts":{"a":"b"},"bools":{"true":"RED"},"tags":{"t":{"name":"n"}}})"},
      {"codecs.test.Choice", R"({"anything":null})"},
      {"codecs.test.WellKnownTypes",
       R"({"any":{"@type":"x/codecs.test.Tag","name":"n"},"time":"1970-01-01T00:00:00Z","span":"1s","mask":"aB",)"
       R"("object":{"k":[1,null,{}]},"value":"v","list":[true],"empty":{},"anInt64":"5",)"
       R"("anys":[{"@type":"y/google.protobuf.Duration","value":"1s"}]})"},
  };
  for (const auto& [name, json] : cases) {
    const auto type = types.find(name);
    ASSERT_TRUE(type) << type.error().to_string();
    const std::string bytes = transcode(**type, json);
    EXPECT_EQ(transcode_back(**type, bytes), json);
    // The bytes are those the generated class would have given.
    const auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(std::string((*type)->name())));
    const std::unique_ptr<google::protobuf::Message> generated(prototype->New());
    ASSERT_TRUE(ProtoCodec().unmarshal(bytes, ref(*generated)));
    EXPECT_EQ(to_json(*generated), json);
  }
}

TEST(DynamicTypes, DescribeThemselvesLikeGeneratedOnes) {
  const DynamicTypes types = everything();
  const MessageType& type = **types.find("codecs.test.User");
  EXPECT_EQ(type.family(), Family::kProtobuf);
  EXPECT_EQ(type.name(), "codecs.test.User");
  EXPECT_EQ(type.schema(), message_type<User>().schema());
  EXPECT_EQ(type.file_descriptors(), message_type<User>().file_descriptors());
  EXPECT_EQ(&type, *types.find("codecs.test.User"));
  EXPECT_NE(&type, &message_type<User>());
}

TEST(DynamicTypes, ListServicesAndMethods) {
  const DynamicTypes types = everything();
  ASSERT_EQ(types.services().size(), 2u);
  const auto method = types.find_method("codecs.test.Everything", "Upload");
  ASSERT_TRUE(method);
  EXPECT_EQ((*method)->input->name(), "codecs.test.Scalars");
  EXPECT_EQ((*method)->output->name(), "codecs.test.Lists");
  EXPECT_TRUE((*method)->client_streaming);
  EXPECT_FALSE((*method)->server_streaming);
  const auto chat = types.find_method("codecs.test.Greeter", "Chat");
  ASSERT_TRUE(chat);
  EXPECT_TRUE((*chat)->client_streaming && (*chat)->server_streaming);
  const auto hello = types.find_method("codecs.test.Greeter", "Hello");
  ASSERT_TRUE(hello);
  EXPECT_FALSE((*hello)->client_streaming || (*hello)->server_streaming);
  EXPECT_TRUE((*hello)->idempotent);
  EXPECT_FALSE((*chat)->idempotent);
  EXPECT_EQ(types.find_method("codecs.test.Greeter", "Helo").error().message(),
            "service codecs.test.Greeter has no method \"Helo\"; did you mean \"Hello\"?");
  EXPECT_EQ(types.find_method("Nothing", "Hello").error().message(),
            "no service \"Nothing\" in the descriptors given; known are \"codecs.test.Greeter\", \"codecs.test.Everything\"");
  EXPECT_EQ(types.find("codecs.test.Nothing").error().code(), Code::kNotFound);
  EXPECT_EQ(types.find("codecs.test.Nothing").error().message(),
            "no message type \"codecs.test.Nothing\" in the descriptors given");
}

TEST(DynamicTypes, TakeFilesInAnyOrderAndTwice) {
  auto files = message_type<WellKnownTypes>().file_descriptors();
  std::ranges::reverse(files);
  files.push_back(files.front());
  const auto types = DynamicTypes::create(files);
  ASSERT_TRUE(types) << types.error().to_string();
  EXPECT_TRUE(types->find("codecs.test.WellKnownTypes"));
  EXPECT_TRUE(DynamicTypes::create({}));
}

TEST(DynamicTypes, StayValidWhenMoved) {
  DynamicTypes first = everything();
  const MessageType* type = *first.find("codecs.test.Tag");
  const DynamicTypes second = std::move(first);
  EXPECT_EQ(*second.find("codecs.test.Tag"), type);
  EXPECT_EQ(transcode_back(*type, transcode(*type, R"({"name":"n"})")), R"({"name":"n"})");
}

// The second set of types may get the addresses of the first; what was remembered about those must be gone.
TEST(DynamicTypes, LeaveNothingBehind) {
  for (int i = 0; i < 20; ++i) {
    const std::string field = "field" + std::to_string(i);
    FileDescriptorProto file;
    file.set_name("x.proto");
    file.set_syntax("proto3");
    auto* message = file.add_message_type();
    message->set_name("X");
    for (int n = 0; n <= i % 3; ++n) {
      auto* added = message->add_field();
      added->set_name(field + (n > 0 ? std::to_string(n) : "x"));
      added->set_number(n + 1);
      added->set_type(n % 2 == 0 ? google::protobuf::FieldDescriptorProto::TYPE_STRING
                                 : google::protobuf::FieldDescriptorProto::TYPE_INT32);
      added->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    }
    const std::vector<std::string> files{file.SerializeAsString()};
    const auto types = DynamicTypes::create(files);
    ASSERT_TRUE(types);
    const MessageType& type = **types->find("X");
    const std::string json = "{\"" + field + "x\":\"v\"}";
    EXPECT_EQ(transcode_back(type, transcode(type, json)), json);
  }
}

TEST(DynamicTypes, WorkFromManyThreads) {
  const DynamicTypes types = everything();
  std::vector<std::string> results(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& mine : results) {
      threads.emplace_back([&] {
        const auto type = types.find("codecs.test.WellKnownTypes");
        if (type) mine = transcode_back(**type, transcode(**type, R"({"any":{"@type":"x/codecs.test.User","tags":[{}]}})"));
      });
    }
  }
  for (const std::string& mine : results) EXPECT_EQ(mine, R"({"any":{"@type":"x/codecs.test.User","tags":[{}]}})");
}

// A message may be called like a well-known type and have other fields: it is an ordinary message then, and nothing breaks.
TEST(DynamicTypes, TreatFalseWellKnownTypesAsOrdinary) {
  for (const char* name : {"Timestamp", "Duration", "Any", "FieldMask", "Struct", "Value", "ListValue", "Int32Value", "Empty"}) {
    FileDescriptorProto file;
    file.set_name("x.proto");
    file.set_package("google.protobuf");
    file.set_syntax("proto3");
    auto* message = file.add_message_type();
    message->set_name(name);
    for (int number : {1, 2}) {
      auto* field = message->add_field();
      field->set_name("x" + std::to_string(number));
      field->set_number(number);
      field->set_type(google::protobuf::FieldDescriptorProto::TYPE_BOOL);
      field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    }
    const std::vector<std::string> files{file.SerializeAsString()};
    const auto types = DynamicTypes::create(files);
    ASSERT_TRUE(types) << types.error().to_string();
    const MessageType& type = **types->find("google.protobuf." + std::string(name));
    EXPECT_EQ(transcode_back(type, transcode(type, R"({"x2":true})")), R"({"x2":true})") << name;
  }
}

struct BadFiles {
  std::vector<FileDescriptorProto> files;
  std::string text;
};

FileDescriptorProto file(std::string name, const std::vector<std::string>& imports = {}) {
  FileDescriptorProto out;
  out.set_name(std::move(name));
  for (const std::string& import : imports) out.add_dependency(import);
  return out;
}

TEST(DynamicTypes, NameWhatIsWrong) {
  FileDescriptorProto dangling = file("a.proto");
  dangling.add_message_type()->set_name("A");
  auto* field = dangling.mutable_message_type(0)->add_field();
  field->set_name("b");
  field->set_number(1);
  field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
  field->set_type_name(".B");
  FileDescriptorProto unprintable = file("a.proto");
  auto* inner = unprintable.add_message_type();
  inner->set_name("A");
  inner = inner->add_nested_type();
  inner->set_name("B");
  *inner->add_field() = *field;
  inner->mutable_field(0)->set_type_name(".A");
  inner->mutable_field(0)->set_json_name("\x96");
  FileDescriptorProto doubled = file("b.proto");
  doubled.add_message_type()->set_name("A");
  FileDescriptorProto other_a = file("a.proto");
  other_a.set_package("other");

  const BadFiles cases[] = {
      {{file("a.proto", {"b.proto"})},
       R"(descriptor "a.proto" imports "b.proto", which is not among those given; send it along)"},
      {{file("a.proto", {"google/protobuf/any.proto"})},
       R"(descriptor "a.proto" imports "google/protobuf/any.proto", which is not among those given; send it along)"},
      {{file("a.proto", {"b.proto"}), file("b.proto", {"a.proto"})},
       R"(descriptor "a.proto" imports itself by way of its imports)"},
      {{file("a.proto", {"a.proto"})}, R"(descriptor "a.proto" imports itself by way of its imports)"},
      {{file("a.proto"), other_a}, R"(two different descriptors are called "a.proto")"},
      {{file("")}, "descriptor 1 of 0 bytes is no google.protobuf.FileDescriptorProto with a name"},
      {{dangling}, R"(descriptor "a.proto": A.b: ".B" is not defined.)"},
      {{unprintable}, R"(descriptor "a.proto": the JSON name of A.B.b is not UTF-8)"},
      {{file("c.proto"), doubled,
        [] {
          auto a = file("a.proto");
          a.add_message_type()->set_name("A");
          return a;
        }()},
       R"(descriptor "a.proto": A: "A" is already defined in file "b.proto".)"},
  };
  for (const BadFiles& c : cases) {
    std::vector<std::string> bytes;
    for (const FileDescriptorProto& f : c.files) bytes.push_back(f.name().empty() ? "" : f.SerializeAsString());
    const auto types = DynamicTypes::create(bytes);
    ASSERT_FALSE(types) << c.text;
    EXPECT_EQ(types.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(types.error().message(), c.text);
  }
  const std::vector<std::string> garbage{"\xff\xff"};
  EXPECT_EQ(DynamicTypes::create(garbage).error().message(),
            "descriptor 1 of 2 bytes is no google.protobuf.FileDescriptorProto with a name");
}

}  // namespace
}  // namespace micro::codec
