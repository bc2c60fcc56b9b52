// Content-Type values, and the short cuts of the hot path against the parser.
#include <micro/http/media_type.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(media_type) {
  using namespace micro;
  const std::string_view essence = http::media_type_essence(input);
  const bool json = http::is_media_type(input, "application/json");
  const auto parsed = http::MediaType::parse(input);
  if (!parsed) return;
  fuzz::require(parsed->suffix().size() <= parsed->subtype.size(), "a suffix longer than the subtype");
  const std::string name = parsed->type + "/" + parsed->subtype;
  fuzz::require(essence.size() == name.size(), "the essence of '" + name + "' is another");
  fuzz::require(json == (name == "application/json"), "is_media_type() and parse() disagree on " + name);
  const std::string text = parsed->to_string();
  const auto again = http::MediaType::parse(text);
  fuzz::require(again.has_value(), "a media type that was written cannot be read: " + text);
  fuzz::require(again->type == parsed->type && again->subtype == parsed->subtype && again->parameters == parsed->parameters,
                "a media type changes when it is written and read again: " + text);
}
