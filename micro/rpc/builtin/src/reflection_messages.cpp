#include <micro/builtin/reflection_messages.hpp>

#include "fields.hpp"
#include "types.hpp"

namespace micro::rpc::reflection {
namespace {

using google::protobuf::Message;

void ask(codec::MessageRef request, const char* question, std::string_view value) {
  Message& message = codec::protobuf_message(request);
  message.Clear();
  builtin::set_string(message, question, value);
}

// The answer in `response` when it is of kind `wanted`.
Result<const Message*> answer_in(codec::MessageRef response, const char* wanted) {
  const Message& message = codec::protobuf_message(response);
  const auto* answer =
      message.GetReflection()->GetOneofFieldDescriptor(message, message.GetDescriptor()->FindOneofByName("message_response"));
  if (answer != nullptr && answer->name() == wanted) return &builtin::get_message(message, wanted);
  if (answer != nullptr && answer->name() == "error_response") {
    const Message& error = builtin::get_message(message, "error_response");
    const int code = error.GetReflection()->GetInt32(error, builtin::field(error, "error_code"));
    return fail(Error(code_from_number(code), builtin::get_string(error, "error_message")));
  }
  return fail(internal("the reflection service answered " + (answer == nullptr ? std::string("nothing") : answer->name()) +
                       " where " + wanted + " was asked for"));
}

}  // namespace

const Protocol& protocol(Version version) {
  static const Protocol v1{"grpc.reflection.v1.ServerReflection", &builtin::type("grpc.reflection.v1.ServerReflectionRequest"),
                           &builtin::type("grpc.reflection.v1.ServerReflectionResponse")};
  static const Protocol v1alpha{"grpc.reflection.v1alpha.ServerReflection",
                                &builtin::type("grpc.reflection.v1alpha.ServerReflectionRequest"),
                                &builtin::type("grpc.reflection.v1alpha.ServerReflectionResponse")};
  return version == Version::kV1 ? v1 : v1alpha;
}

void ask_services(codec::MessageRef request) { ask(request, "list_services", "*"); }
void ask_file_with_symbol(codec::MessageRef request, std::string_view symbol) { ask(request, "file_containing_symbol", symbol); }
void ask_file(codec::MessageRef request, std::string_view name) { ask(request, "file_by_filename", name); }

Result<std::vector<std::string>> services_in(codec::MessageRef response) {
  const Result<const Message*> list = answer_in(response, "list_services_response");
  if (!list) return fail(list.error());
  const auto* repeated = builtin::field(**list, "service");
  std::vector<std::string> names;
  for (int i = 0; i < (*list)->GetReflection()->FieldSize(**list, repeated); ++i) {
    names.push_back(builtin::get_string((*list)->GetReflection()->GetRepeatedMessage(**list, repeated, i), "name"));
  }
  return names;
}

Result<std::vector<std::string>> files_in(codec::MessageRef response) {
  const Result<const Message*> list = answer_in(response, "file_descriptor_response");
  if (!list) return fail(list.error());
  const auto* repeated = builtin::field(**list, "file_descriptor_proto");
  std::vector<std::string> files;
  for (int i = 0; i < (*list)->GetReflection()->FieldSize(**list, repeated); ++i) {
    files.push_back((*list)->GetReflection()->GetRepeatedString(**list, repeated, i));
  }
  return files;
}

}  // namespace micro::rpc::reflection
