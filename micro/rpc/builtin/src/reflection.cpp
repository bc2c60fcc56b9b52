#include <micro/builtin/reflection.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <micro/builtin/reflection_messages.hpp>

#include "fields.hpp"
#include "file_index.hpp"

namespace micro::rpc {
namespace {

using builtin::FileIndex;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;

void answer_error(Message& response, Code code, std::string_view message) {
  Message& error = builtin::mutable_message(response, "error_response");
  builtin::set_int32(error, "error_code", static_cast<int>(code));
  builtin::set_string(error, "error_message", message);
}

void answer_file(Message& response, const FileDescriptor* file, const std::string& missing) {
  if (file == nullptr) return answer_error(response, Code::kNotFound, missing);
  Message& files = builtin::mutable_message(response, "file_descriptor_response");
  const auto* repeated = builtin::field(files, "file_descriptor_proto");
  for (std::string& bytes : builtin::with_imports(*file)) files.GetReflection()->AddString(&files, repeated, std::move(bytes));
}

void answer_services(Message& response, const FileIndex& index) {
  Message& list = builtin::mutable_message(response, "list_services_response");
  for (const std::string& service : index.services()) builtin::set_string(builtin::add_message(list, "service"), "name", service);
}

void answer_extension(Message& response, const FileIndex& index, const Message& question) {
  const std::string type = builtin::get_string(question, "containing_type");
  const int number = question.GetReflection()->GetInt32(question, builtin::field(question, "extension_number"));
  answer_file(response, index.by_extension(type, number),
              "message \"" + type + "\" has no extension " + std::to_string(number) + " here");
}

void answer_extension_numbers(Message& response, const FileIndex& index, const std::string& type) {
  const std::optional<std::vector<int>> numbers = index.extension_numbers(type);
  if (!numbers) return answer_error(response, Code::kNotFound, "no message \"" + type + "\" here");
  Message& list = builtin::mutable_message(response, "all_extension_numbers_response");
  builtin::set_string(list, "base_type_name", type);
  const auto* repeated = builtin::field(list, "extension_number");
  for (const int number : *numbers) list.GetReflection()->AddInt32(&list, repeated, number);
}

void answer(const FileIndex& index, const Message& request, Message& response) {
  response.Clear();
  builtin::set_string(response, "valid_host", builtin::get_string(request, "host"));
  builtin::mutable_message(response, "original_request").CopyFrom(request);
  const auto* question =
      request.GetReflection()->GetOneofFieldDescriptor(request, request.GetDescriptor()->FindOneofByName("message_request"));
  if (question == nullptr) {
    return answer_error(response, Code::kInvalidArgument, "a reflection request must set one field of message_request");
  }
  const std::string& kind = question->name();
  if (kind == "list_services") return answer_services(response, index);
  if (kind == "file_containing_extension") return answer_extension(response, index, builtin::get_message(request, kind.c_str()));
  const std::string name = builtin::get_string(request, kind.c_str());
  if (kind == "file_by_filename") return answer_file(response, index.by_name(name), "no file \"" + name + "\" here");
  if (kind == "all_extension_numbers_of_type") return answer_extension_numbers(response, index, name);
  answer_file(response, index.by_symbol(name), "no symbol \"" + name + "\" here; list_services names the services");
}

// What both versions tell; built at the first question, when all endpoints are there.
class LazyIndex {
 public:
  explicit LazyIndex(const std::vector<Endpoint>& endpoints) : endpoints_(endpoints) {}
  const FileIndex& get() {
    std::call_once(once_, [this] { index_.emplace(endpoints_); });
    return *index_;
  }

 private:
  const std::vector<Endpoint>& endpoints_;
  std::once_flag once_;
  std::optional<FileIndex> index_;
};

class Info final : public CallHandler {
 public:
  Info(std::shared_ptr<LazyIndex> index, const reflection::Protocol& protocol) : index_(std::move(index)), protocol_(protocol) {}

  Task<Reply> handle(Context&, Call& call) override {
    const codec::MessagePtr request(*protocol_.request);
    const codec::MessagePtr response(*protocol_.response);
    while (true) {
      const Result<bool> more = co_await call.stream->read(request.get());
      if (!more) co_return fail(more.error());
      if (!*more) co_return Reply{};
      answer(index_->get(), codec::protobuf_message(request.get()), codec::protobuf_message(response.get()));
      Result<void> written = co_await call.stream->write(response.get());
      if (!written) co_return written;
    }
  }

 private:
  const std::shared_ptr<LazyIndex> index_;
  const reflection::Protocol& protocol_;
};

class ReflectionService final : public Handler {
 public:
  explicit ReflectionService(const std::vector<Endpoint>& endpoints) : index_(std::make_shared<LazyIndex>(endpoints)) {}

  std::vector<Endpoint> endpoints() override {
    std::vector<Endpoint> out;
    for (const reflection::Version version : {reflection::Version::kV1, reflection::Version::kV1Alpha}) {
      const reflection::Protocol& protocol = reflection::protocol(version);
      out.push_back({.service = std::string(protocol.service),
                     .method = std::string(reflection::kMethod),
                     .kind = MethodKind::kBidiStream,
                     .request_type = protocol.request,
                     .reply_type = protocol.response,
                     .description = "Answers questions about the services of this server, in the order they are asked.",
                     .handler = std::make_shared<Info>(index_, protocol)});
    }
    return out;
  }

 private:
  std::shared_ptr<LazyIndex> index_;
};

}  // namespace

std::shared_ptr<Handler> reflection_service(const std::vector<Endpoint>& endpoints) {
  return std::make_shared<ReflectionService>(endpoints);
}

}  // namespace micro::rpc
