#include <micro/transcoding/binding.hpp>

#include <optional>
#include <utility>

#include <micro/codecs/fields.hpp>
#include <micro/codecs/protobuf.hpp>
#include <micro/http/error.hpp>
#include <micro/http/status.hpp>

#include "path_parts.hpp"
#include "percent.hpp"
#include "plan.hpp"
#include "query.hpp"

namespace micro::transcoding {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// Clients that always send a body send this when there is nothing to say.
bool says_nothing(std::string_view body) {
  const std::size_t first = body.find_first_not_of(kBlanks);
  if (first == body.npos) return true;
  return body.substr(first, body.find_last_not_of(kBlanks) + 1 - first) == "{}";
}

// The text between the first and the last segment of a variable, as in the request.
std::string_view value_of(std::string_view path, const Template& pattern, const Template::Variable& variable) {
  for (std::size_t i = 0; i < variable.first && !path.empty(); ++i) next_segment(path);
  if (path.empty()) return {};  // a "**" without segments
  const std::string_view from = path.substr(1);
  const bool to_end = variable.many && pattern.segments[variable.first + variable.count - 1].kind == Template::Kind::kRest;
  if (to_end) return from;
  for (std::size_t i = 0; i < variable.count; ++i) next_segment(path);
  return from.substr(0, from.size() - path.size());
}

Error bad_variable(const Template& pattern, const Template::Variable& variable, const std::string& why) {
  return Error(Code::kInvalidArgument, "INVALID_PATH", "path " + pattern.text + ": variable {" + variable.field + "}: " + why)
      .with("field", variable.field);
}

}  // namespace

Binding::Binding(std::string_view name, const Rule& rule, Plan&& plan, std::size_t target)
    : name_(name), method_(rule.method), target_(target), plan_(std::make_unique<const Plan>(std::move(plan))) {}

Binding::~Binding() = default;

const std::string& Binding::path() const noexcept { return plan_->path.text; }

Result<std::unique_ptr<const Binding>> Binding::make(std::string_view name, const Rule& rule, const codec::MessageType& request,
                                                     const codec::MessageType& reply, std::size_t target) {
  const std::string what =
      "HTTP binding " + std::string(rule.method) + " " + std::string(rule.path) + " of " + std::string(name) + ": ";
  if (request.family() != codec::Family::kProtobuf || reply.family() != codec::Family::kProtobuf) {
    return fail(unimplemented(what + "only protobuf messages have fields to bind"));
  }
  const codec::MessagePtr some_request(request);
  const codec::MessagePtr some_reply(reply);
  auto plan = Plan::make(rule, *codec::protobuf_message(some_request.get()).GetDescriptor(),
                         *codec::protobuf_message(some_reply.get()).GetDescriptor());
  if (!plan) return fail(invalid_argument(what + plan.error().message()));
  return std::unique_ptr<const Binding>(new Binding(name, rule, *std::move(plan), target));
}

Result<void> Binding::read(const RequestParts& parts, const codec::Codec& codec, const codec::JsonCodec& json,
                           codec::MessageRef request) const {
  const bool is_json = codec.name() == json.name();
  if (plan_->whole_body) {
    const std::string_view body = is_json && parts.body.find_first_not_of(kBlanks) == parts.body.npos ? "{}" : parts.body;
    Result<void> done = is_json ? json.unmarshal_partial(body, request) : codec.unmarshal(body, request);
    if (!done) return done;
  } else if (plan_->body != nullptr) {
    if (!is_json && !parts.body.empty()) {
      return fail(http::error_with_status(http::status::kUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE",
                                          "the body of " + method_ + " " + path() + " is the field \"" + plan_->body->name() +
                                              "\", which can only be sent as " + std::string(json.content_type())));
    }
    if (parts.body.find_first_not_of(kBlanks) != parts.body.npos) {
      if (Result<void> done = json.unmarshal_field(parts.body, request, plan_->body->json_name()); !done) return done;
    }
  } else if (!says_nothing(parts.body)) {
    return fail(invalid_argument(method_ + " " + path() + " takes no body; send its fields as query parameters")
                    .with_reason("UNEXPECTED_BODY"));
  }

  const std::string_view path_alone = plan_->path.verb.empty() ? parts.path : parts.path.substr(0, parts.path.rfind(':'));
  Message& message = codec::protobuf_message(request);
  for (std::size_t i = 0; i < plan_->variables.size(); ++i) {
    const Template::Variable& variable = plan_->path.variables[i];
    const FieldPath& field = plan_->variables[i];
    const auto text = decode(value_of(path_alone, plan_->path, variable), variable.many ? Slashes::kKept : Slashes::kDecoded);
    if (!text) return fail(bad_variable(plan_->path, variable, "'%' is not followed by two hex digits"));
    if (Result<void> set = codec::set_text(parent_of(message, field), *field.back(), *text); !set) {
      return fail(bad_variable(plan_->path, variable, set.error().message()));
    }
  }
  if (Result<void> done = read_query(parts.query, *plan_, json.options(), message); !done) return done;
  return codec::check_required(message);
}

Result<std::string_view> Binding::write(codec::MessageRef reply, const codec::Codec& codec, const codec::JsonCodec& json,
                                        Buffer& out) const {
  const bool part = plan_->response_body != nullptr;
  Result<void> done = part ? json.marshal_field(reply, plan_->response_body->json_name(), out) : codec.marshal(reply, out);
  if (!done) return fail(std::move(done).error());
  return part ? json.content_type() : codec.content_type();
}

}  // namespace micro::transcoding
