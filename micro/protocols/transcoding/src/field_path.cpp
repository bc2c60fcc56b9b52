#include "field_path.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <micro/codecs/fields.hpp>

namespace micro::transcoding {

Result<FieldPath> find_path(const Descriptor& message, std::string_view path, std::size_t max_depth) {
  FieldPath found;
  const Descriptor* within = &message;
  while (true) {
    const std::string_view name = path.substr(0, path.find('.'));
    auto field = codec::find_field(*within, name);
    if (!field) return fail(std::move(field).error());
    found.push_back(*field);
    if (name.size() == path.size()) return found;
    path.remove_prefix(name.size() + 1);
    within = (*field)->message_type();
    const auto refuse = [&](std::string why) {
      return fail(invalid_argument("field \"" + std::string(name) + "\" " + std::move(why)));
    };
    if ((*field)->is_map()) return refuse("is a map, and has no fields inside");
    if (within == nullptr) return refuse("is no message, and has no fields inside");
    if ((*field)->is_repeated()) return refuse("is repeated: which of its messages is meant cannot be said");
    if (found.size() == max_depth) return refuse("is nested deeper than " + std::to_string(max_depth) + " levels");
  }
}

std::string no_text_form(const FieldDescriptor& field) {
  if (codec::has_text_form(field)) return {};
  if (field.is_map()) return "a map cannot be given outside of a body";
  const std::string& type = field.message_type()->full_name();
  if (field.is_repeated()) return "a list of messages (" + type + ") cannot be given outside of a body";
  const bool has_fields =
      field.message_type()->field_count() > 0 && field.message_type()->well_known_type() == Descriptor::WELLKNOWNTYPE_UNSPECIFIED;
  if (!has_fields) return "a " + type + " cannot be given outside of a body";
  return "it is a " + type + ": name a field inside, such as \"" + field.name() + "." + field.message_type()->field(0)->name() +
         "\"";
}

bool overlap(const FieldPath& a, const FieldPath& b) {
  const std::size_t common = std::min(a.size(), b.size());
  return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin());
}

Message& parent_of(Message& root, const FieldPath& path) {
  Message* message = &root;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) message = message->GetReflection()->MutableMessage(message, path[i]);
  return *message;
}

}  // namespace micro::transcoding
