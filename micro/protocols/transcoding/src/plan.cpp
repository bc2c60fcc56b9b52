#include "plan.hpp"

#include <algorithm>
#include <utility>

#include <micro/codecs/fields.hpp>

namespace micro::transcoding {
namespace {

// Names in a rule go as deep as their author wrote them.
constexpr std::size_t kAnyDepth = 1000;

auto refuse(std::string text) { return fail(invalid_argument(std::move(text))); }

// RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != kMarks.npos;
  });
}

Result<FieldPath> variable_path(const Template::Variable& variable, const Descriptor& request) {
  const std::string what = "variable {" + variable.field + "}: ";
  auto path = find_path(request, variable.field, kAnyDepth);
  if (!path) return refuse(what + path.error().message());
  const FieldDescriptor& field = *path->back();
  if (field.is_repeated()) return refuse(what + "a " + (field.is_map() ? "map" : "repeated field") + " cannot be in a path");
  if (std::string why = no_text_form(field); !why.empty()) return refuse(what + why);
  return path;
}

Result<const FieldDescriptor*> top_level(std::string_view option, std::string_view name, const Descriptor& message) {
  const std::string what(option);
  if (name.find('.') != name.npos) {
    return refuse(what + " \"" + std::string(name) + "\" must be a field of " + message.full_name() +
                  " itself, not one inside another");
  }
  auto field = codec::find_field(message, name);
  if (!field) return refuse(what + ": " + field.error().message());
  return field;
}

}  // namespace

Result<Plan> Plan::make(const Rule& rule, const Descriptor& request, const Descriptor& reply) {
  if (!is_token(rule.method)) {
    return refuse("\"" + std::string(rule.method) + "\" is no HTTP method; write one such as \"HEAD\", or \"*\" for all");
  }
  auto path = Template::parse(rule.path);
  if (!path) return fail(std::move(path).error());
  Plan plan;
  plan.path = *std::move(path);
  for (const Template::Variable& variable : plan.path.variables) {
    auto found = variable_path(variable, request);
    if (!found) return fail(std::move(found).error());
    for (std::size_t i = 0; i < plan.variables.size(); ++i) {
      if (!overlap(plan.variables[i], *found)) continue;
      return refuse("variables {" + plan.path.variables[i].field + "} and {" + variable.field + "} are about the same field");
    }
    plan.variables.push_back(*std::move(found));
  }
  plan.whole_body = rule.body == "*";
  if (!rule.body.empty() && (rule.method == "GET" || rule.method == "HEAD")) {
    return refuse(std::string(rule.method) + " has no body; leave out body: \"" + std::string(rule.body) + "\"");
  }
  if (!rule.body.empty() && !plan.whole_body) {
    const auto body = top_level("body", rule.body, request);
    if (!body) return fail(body.error());
    plan.body = *body;
    const auto same = [&](const FieldPath& variable) { return variable.size() == 1 && variable[0] == plan.body; };
    if (std::ranges::any_of(plan.variables, same)) {
      return refuse("field \"" + plan.body->name() + "\" is the body and a variable of the path; it can be one of them");
    }
  }
  if (!rule.response_body.empty()) {
    const auto body = top_level("response_body", rule.response_body, reply);
    if (!body) return fail(body.error());
    plan.response_body = *body;
  }
  return plan;
}

Result<void> check(const Rule& rule, const Descriptor& request, const Descriptor& reply) {
  auto plan = Plan::make(rule, request, reply);
  if (!plan) return fail(std::move(plan).error());
  return {};
}

}  // namespace micro::transcoding
