#include "http_bindings.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <micro/transcoding/rule.hpp>

#include "google/api/annotations.pb.h"

namespace micro::generator {
namespace {

using google::api::HttpRule;

std::expected<HttpBinding, std::string> binding_of(const HttpRule& rule) {
  HttpBinding binding{.method = {}, .path = {}, .body = rule.body(), .response_body = rule.response_body()};
  const auto set = [&](std::string method, const std::string& path) {
    binding.method = std::move(method);
    binding.path = path;
    return binding;
  };
  switch (rule.pattern_case()) {
    case HttpRule::kGet:
      return set("GET", rule.get());
    case HttpRule::kPut:
      return set("PUT", rule.put());
    case HttpRule::kPost:
      return set("POST", rule.post());
    case HttpRule::kDelete:
      return set("DELETE", rule.delete_());
    case HttpRule::kPatch:
      return set("PATCH", rule.patch());
    case HttpRule::kCustom:
      return set(rule.custom().kind(), rule.custom().path());
    case HttpRule::PATTERN_NOT_SET:
      break;
  }
  return std::unexpected("a binding has no method and path; write get: \"/...\", put, post, delete, patch or custom");
}

}  // namespace

std::expected<std::vector<HttpBinding>, std::string> http_bindings(const google::protobuf::MethodDescriptor& method) {
  std::vector<HttpBinding> bindings;
  if (!method.options().HasExtension(google::api::http)) return bindings;
  const HttpRule& first = method.options().GetExtension(google::api::http);
  const auto refuse = [&](const std::string& why) {
    return std::unexpected("method " + method.full_name() + ": option google.api.http: " + why);
  };
  std::vector<const HttpRule*> rules = {&first};
  for (const HttpRule& rule : first.additional_bindings()) {
    if (rule.additional_bindings_size() > 0)
      return refuse("additional_bindings inside additional_bindings; put them beside each other");
    rules.push_back(&rule);
  }
  for (const HttpRule* rule : rules) {
    auto binding = binding_of(*rule);
    if (!binding) return refuse(binding.error());
    const auto checked = transcoding::check({binding->method, binding->path, binding->body, binding->response_body},
                                            *method.input_type(), *method.output_type());
    if (!checked) return refuse(binding->method + " " + binding->path + ": " + checked.error().message());
    bindings.push_back(*std::move(binding));
  }
  return bindings;
}

}  // namespace micro::generator
