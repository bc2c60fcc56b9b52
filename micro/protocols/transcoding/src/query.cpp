#include "query.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <micro/codecs/fields.hpp>
#include <micro/uri/uri.hpp>

namespace micro::transcoding {
namespace {

// A name as an error can carry it: whoever wrote it sent it, so it may be long and hold anything.
std::string shown(std::string_view name) {
  constexpr std::size_t kLongest = 60;
  std::string out;
  for (const char c : name.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 || byte >= 0x7f || c == '"' ? '?' : c);
  }
  return name.size() > kLongest ? out + "..." : out;
}

Error bad_parameter(std::string_view name, const std::string& why) {
  const std::string safe = shown(name);
  return Error(Code::kInvalidArgument, "INVALID_QUERY", "query parameter \"" + safe + "\": " + why).with("field", safe);
}

// Where the field of a parameter is taken from instead; empty when it is the query's.
std::string taken_elsewhere(const Plan& plan, const FieldPath& field) {
  for (std::size_t i = 0; i < plan.variables.size(); ++i) {
    const FieldPath& variable = plan.variables[i];
    if (variable.size() <= field.size() && overlap(variable, field)) {
      return "the field is the variable {" + plan.path.variables[i].field + "} of the path";
    }
  }
  if (plan.whole_body) return "every field that is not in the path is in the body";
  if (field[0] == plan.body) return "the field is in the body";
  return {};
}

// The field of a oneof that is set already where another one is about to be; null when there is none.
const FieldDescriptor* rival(const Message& root, const FieldPath& path) {
  const Message* message = &root;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const FieldDescriptor* field = path[i];
    const auto* reflection = message->GetReflection();
    if (const auto* oneof = field->real_containing_oneof()) {
      const FieldDescriptor* set = reflection->GetOneofFieldDescriptor(*message, oneof);
      if (set != nullptr && set != field) return set;
    }
    if (i + 1 == path.size() || !reflection->HasField(*message, field)) return nullptr;
    message = &reflection->GetMessage(*message, field);
  }
  return nullptr;
}

class QueryReader {
 public:
  QueryReader(const Plan& plan, const codec::JsonOptions& options, Message& request)
      : plan_(plan), options_(options), request_(request) {}

  Result<void> parameter(std::string_view name, std::string_view value) {
    auto found = find_path(*request_.GetDescriptor(), name, static_cast<std::size_t>(options_.max_depth));
    if (!found) {
      if (options_.ignore_unknown_fields) return {};
      return fail(bad_parameter(name, found.error().message()));
    }
    FieldPath& path = *found;
    const FieldDescriptor& field = *path.back();
    if (std::string why = taken_elsewhere(plan_, path); !why.empty()) {
      if (options_.ignore_unknown_fields) return {};
      return fail(bad_parameter(name, why));
    }
    if (std::string why = no_text_form(field); !why.empty()) return fail(bad_parameter(name, why));
    if (!field.is_repeated()) {
      const auto conflicts = [&](const FieldPath& other) { return overlap(other, path); };
      if (std::ranges::any_of(given_, conflicts)) return fail(bad_parameter(name, "given twice, and the field is not repeated"));
    }
    if (const FieldDescriptor* other = rival(request_, path)) {
      return fail(bad_parameter(name, "only one field of oneof \"" + other->containing_oneof()->name() +
                                          "\" may be given, and \"" + other->name() + "\" is already"));
    }
    if (Result<void> set = codec::set_text(parent_of(request_, path), field, value); !set) {
      return fail(bad_parameter(name, set.error().message()));
    }
    if (!field.is_repeated()) given_.push_back(std::move(path));
    return {};
  }

 private:
  const Plan& plan_;
  const codec::JsonOptions& options_;
  Message& request_;
  std::vector<FieldPath> given_;
};

}  // namespace

Result<void> read_query(std::string_view query, const Plan& plan, const codec::JsonOptions& options, Message& request) {
  if (query.empty()) return {};
  const auto parameters = parse_query(query);
  if (!parameters) return fail(Error(Code::kInvalidArgument, "INVALID_QUERY", "query: " + parameters.error().message()));
  QueryReader reader(plan, options, request);
  for (const auto& [name, value] : *parameters) {
    if (Result<void> done = reader.parameter(name, value); !done) return done;
  }
  return {};
}

}  // namespace micro::transcoding
