#include "model.hpp"

#include <set>

#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "http_bindings.hpp"
#include "naming.hpp"
#include "text.hpp"

namespace micro::generator {
namespace {

namespace pb = google::protobuf;
namespace cpp = google::protobuf::compiler::cpp;

// What stands above the element; what stands behind it when there is nothing above.
template <class Descriptor>
std::vector<std::string> comment_of(const Descriptor& descriptor) {
  pb::SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return {};
  std::vector<std::string> lines = comment_lines(location.leading_comments);
  return lines.empty() ? comment_lines(location.trailing_comments) : lines;
}

Kind kind_of(const pb::MethodDescriptor& method) {
  if (method.client_streaming()) return method.server_streaming() ? Kind::kBidiStream : Kind::kClientStream;
  return method.server_streaming() ? Kind::kServerStream : Kind::kUnary;
}

void add_class_names(const pb::Descriptor& message, std::set<std::string>& names) {
  names.insert(cpp::ClassName(&message));
  for (int i = 0; i < message.nested_type_count(); ++i) add_class_names(*message.nested_type(i), names);
  for (int i = 0; i < message.enum_type_count(); ++i) names.insert(cpp::ClassName(message.enum_type(i)));
}

// The names protoc's own C++ code declares in `package`, in `file` and what it imports: a nested message is "Outer_Inner".
void add_class_names(const pb::FileDescriptor& file, const std::string& package, std::set<const pb::FileDescriptor*>& seen,
                     std::set<std::string>& names) {
  if (!seen.insert(&file).second) return;
  if (file.package() == package) {
    for (int i = 0; i < file.message_type_count(); ++i) add_class_names(*file.message_type(i), names);
    for (int i = 0; i < file.enum_type_count(); ++i) names.insert(cpp::ClassName(file.enum_type(i)));
  }
  for (int i = 0; i < file.dependency_count(); ++i) add_class_names(*file.dependency(i), package, seen, names);
}

std::set<std::string> names_beside_services(const pb::FileDescriptor& file) {
  std::set<std::string> names = reserved_names();
  if (file.package().empty()) names.insert({"google", "micro", "std"});
  std::set<const pb::FileDescriptor*> seen;
  add_class_names(file, file.package(), seen, names);
  return names;
}

std::expected<std::string, std::string> message_class(const pb::MethodDescriptor& method, const pb::Descriptor& message) {
  if (message.file()->options().optimize_for() == pb::FileOptions::LITE_RUNTIME) {
    return std::unexpected("method " + method.full_name() + " uses message " + message.full_name() + ", whose file " +
                           message.file()->name() +
                           " has option optimize_for = LITE_RUNTIME: lite messages have no descriptor, " +
                           "which JSON and the registry need; remove the option");
  }
  return cpp::QualifiedClassName(&message);
}

std::expected<Method, std::string> make_method(const pb::MethodDescriptor& descriptor, const std::set<std::string>& taken) {
  Method method;
  method.name = cpp_name(descriptor.name(), taken);
  method.method = descriptor.name();
  method.kind = kind_of(descriptor);
  method.idempotent = descriptor.options().idempotency_level() != pb::MethodOptions::IDEMPOTENCY_UNKNOWN;
  method.comment = comment_of(descriptor);
  auto request = message_class(descriptor, *descriptor.input_type());
  if (!request) return std::unexpected(request.error());
  auto reply = message_class(descriptor, *descriptor.output_type());
  if (!reply) return std::unexpected(reply.error());
  method.request = *std::move(request);
  method.reply = *std::move(reply);
  auto http = http_bindings(descriptor);
  if (!http) return std::unexpected(http.error());
  method.http = *std::move(http);
  return method;
}

std::expected<Service, std::string> make_service(const pb::ServiceDescriptor& descriptor, const std::string& name) {
  Service service;
  service.name = name;
  service.full_name = descriptor.full_name();
  service.registry_name = registry_name(descriptor.file()->package(), descriptor.name());
  service.comment = comment_of(descriptor);
  // A name that has to change must not become that of another method.
  std::set<std::string> names;
  for (int i = 0; i < descriptor.method_count(); ++i) names.insert(descriptor.method(i)->name());
  for (int i = 0; i < descriptor.method_count(); ++i) {
    const pb::MethodDescriptor& method = *descriptor.method(i);
    std::set<std::string> taken = reserved_names();
    if (is_cpp_keyword(method.name()) || taken.contains(method.name())) taken.insert(names.begin(), names.end());
    auto made = make_method(method, taken);
    if (!made) return std::unexpected(made.error());
    names.insert(made->name);
    service.methods.push_back(*std::move(made));
  }
  return service;
}

std::expected<std::string, std::string> make_namespace(const std::string& package) {
  std::string name;
  for (const std::string& part : split_package(package)) {
    if (is_cpp_keyword(part)) {
      return std::unexpected("package " + package + ": '" + part +
                             "' is a C++ keyword, and protoc's own C++ code for it does not compile; rename the package");
    }
    name += name.empty() ? part : "::" + part;
  }
  return name;
}

}  // namespace

std::expected<File, std::string> make_model(const pb::FileDescriptor& file) {
  File model;
  model.proto = file.name();
  model.stem = cpp::StripProto(file.name());
  if (file.service_count() == 0) return model;
  if (file.options().cc_generic_services()) {
    return std::unexpected("option cc_generic_services makes protoc declare a class of the same name as service " +
                           file.service(0)->full_name() + "; remove the option");
  }
  auto name_space = make_namespace(file.package());
  if (!name_space) return std::unexpected(name_space.error());
  model.name_space = *std::move(name_space);

  std::set<std::string> taken = names_beside_services(file);
  for (int i = 0; i < file.service_count(); ++i) {
    const std::string name = cpp_name(file.service(i)->name(), taken);
    taken.insert(name);
    auto service = make_service(*file.service(i), name);
    if (!service) return std::unexpected(service.error());
    model.services.push_back(*std::move(service));
  }
  return model;
}

}  // namespace micro::generator
