#include "print.hpp"

#include "text.hpp"

namespace micro::generator {
namespace {

std::string unnamed_parameters(const Method& m) {
  switch (m.kind) {
    case Kind::kUnary:
      return "::micro::Context&, const " + m.request + "&";
    case Kind::kServerStream:
      return "::micro::Context&, const " + m.request + "&, ::micro::Writer<" + m.reply + ">&";
    case Kind::kClientStream:
      return "::micro::Context&, ::micro::Reader<" + m.request + ">&";
    case Kind::kBidiStream:
      return "::micro::Context&, ::micro::ReaderWriter<" + m.request + ", " + m.reply + ">&";
  }
  return {};
}

std::string adapter(Kind kind) {
  switch (kind) {
    case Kind::kUnary:
      return "UnaryMethod";
    case Kind::kServerStream:
      return "ServerStreamMethod";
    case Kind::kClientStream:
      return "ClientStreamMethod";
    case Kind::kBidiStream:
      return "BidiStreamMethod";
  }
  return {};
}

// One literal a line, so that a changed comment is a small difference.
std::string description(const std::vector<std::string>& lines) {
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool last = i + 1 == lines.size();
    out += "\n        " + string_literal(last ? lines[i] : lines[i] + "\n");
  }
  return out;
}

std::string unimplemented(const Service& service, const Method& method) {
  const std::string message = service.full_name + "/" + method.method + ": the server has the service but not this method";
  return handler_result(method) + " " + service.name + "::Handler::" + method.name + "(\n    " + unnamed_parameters(method) +
         ") {\n  co_return ::micro::fail(::micro::unimplemented(" + string_literal(message) + "));\n}\n\n";
}

std::string http_binding(const HttpBinding& binding) {
  std::string out = "    endpoint.http.push_back({.method = " + string_literal(binding.method);
  out += ", .path = " + string_literal(binding.path);
  out += ",\n                             .body = " + string_literal(binding.body);
  out += ", .response_body = " + string_literal(binding.response_body) + "});\n";
  return out;
}

std::string endpoint(const Method& method) {
  std::string out = "  {\n";
  out += "    ::micro::rpc::Endpoint& endpoint = endpoints.emplace_back();\n";
  out += "    endpoint.service = kName;\n";
  out += "    endpoint.method = " + string_literal(method.method) + ";\n";
  out += "    endpoint.kind = ::micro::rpc::MethodKind::" + kind_constant(method.kind) + ";\n";
  out += "    endpoint.request_type = &::micro::codec::message_type<" + method.request + ">();\n";
  out += "    endpoint.reply_type = &::micro::codec::message_type<" + method.reply + ">();\n";
  if (!method.comment.empty()) out += "    endpoint.description =" + description(method.comment) + ";\n";
  if (method.idempotent) out += "    endpoint.idempotent = true;\n";
  for (const HttpBinding& binding : method.http) out += http_binding(binding);
  out += "    endpoint.handler = ::std::make_shared<::micro::rpc::" + adapter(method.kind) + "<Handler, " + method.request +
         ", " + method.reply + ">>(\n        *this, &Handler::" + method.name + ");\n";
  return out + "  }\n";
}

std::string endpoints(const Service& service) {
  std::string out = "::std::vector<::micro::rpc::Endpoint> " + service.name + "::Handler::endpoints() {\n";
  out += "  ::std::vector<::micro::rpc::Endpoint> endpoints;\n";
  if (!service.methods.empty()) out += "  endpoints.reserve(" + std::to_string(service.methods.size()) + ");\n";
  for (const Method& method : service.methods) out += endpoint(method);
  return out + "  return endpoints;\n}\n\n";
}

// The call of TypedClient that makes the task. `message` names what is sent first in streaming calls.
std::string call(const Method& method, const std::string& message, const std::string& options) {
  const std::string name = string_literal(method.method);
  if (method.kind == Kind::kUnary) {
    return "TypedClient::unary<" + method.reply + ", " + method.request + ">(context, " + name + ", request, " + options + ")";
  }
  const std::string result = client_result(method);
  const std::size_t prefix = std::string("::micro::Task<::micro::Result<").size();
  const std::string stream = result.substr(prefix, result.size() - prefix - 2);
  return "TypedClient::open<" + stream + ">(\n      context, " + name +
         ", ::micro::rpc::MethodKind::" + kind_constant(method.kind) + ", " + message + ", " + options + ")";
}

std::string client_methods(const Service& service, const Method& method) {
  const std::string start =
      client_result(method) + " " + service.name + "::Client::" + method.name + "(\n    " + client_parameters(method);
  const std::string message =
      method.kind == Kind::kServerStream ? "::micro::codec::ref(request)" : "::micro::codec::MessageRef{}";
  if (!method.idempotent) {
    return start + ") {\n  return " + call(method, message, "defaults_") + ";\n}\n\n" +  //
           start + ", const ::micro::rpc::CallOptions& options) {\n  return " + call(method, message, "options") + ";\n}\n\n";
  }
  std::string out = start + ") {\n  return " + call(method, message, "idempotent_defaults_") + ";\n}\n\n";
  out += start + ", ::micro::rpc::CallOptions options) {\n  options.idempotent = true;\n";
  // Temporaries with braces inside a co_await expression are destroyed twice by GCC 12.
  if (method.kind != Kind::kUnary) out += "  const ::micro::codec::MessageRef first = " + message + ";\n";
  return out + "  co_return co_await " + call(method, "first", "options") + ";\n}\n\n";
}

std::string client(const Service& service) {
  std::string out = service.name + "::Client::Client(::micro::rpc::Client& client, ::std::string service)\n";
  out += "    : ::micro::rpc::TypedClient(client, ::std::move(service), kName) {}\n\n";
  for (const Method& method : service.methods) out += client_methods(service, method);
  return out;
}

}  // namespace

std::string print_source(const File& file) {
  std::string out = "// Generated by protoc-gen-micro from " + file.proto + ". Do not edit.\n";
  out += "#include \"" + file.stem + ".micro.hpp\"\n";
  if (file.services.empty()) return out;

  out += "\n#include <memory>\n#include <utility>\n\n";
  if (!file.name_space.empty()) out += "namespace " + file.name_space + " {\n\n";
  for (const Service& service : file.services) {
    for (const Method& method : service.methods) out += unimplemented(service, method);
    out += endpoints(service) + client(service);
  }
  if (file.name_space.empty()) {
    out.pop_back();
  } else {
    out += "}  // namespace " + file.name_space + "\n";
  }
  return out;
}

}  // namespace micro::generator
