// Metadata on its way from the wire and back: "-bin" values, reserved names. One field a line: name, colon, value.
#include <micro/grpc/base64.hpp>
#include <micro/grpc/fields.hpp>

#include "fuzz.hpp"

namespace {

using micro::fuzz::require;
using micro::fuzz::require_equal;

void check_base64(std::string_view input) {
  std::string encoded;
  micro::grpc::base64_encode(input, encoded);
  std::string decoded;
  require(micro::grpc::base64_decode(encoded, decoded), "what was encoded as base64 cannot be decoded");
  require_equal(decoded, input, "base64 loses something");
  std::string kept = "kept";
  if (!micro::grpc::base64_decode(input, kept)) require_equal(kept, "kept", "a failed decoding left something behind");
}

}  // namespace

MICRO_FUZZ_TARGET(grpc_metadata) {
  using namespace micro;
  check_base64(input);
  Metadata metadata;
  for (std::string_view rest = input; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto colon = std::min(line.find(':', 1), line.size());
    (void)grpc::take_field(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())), metadata);
  }
  grpc::FieldList fields;
  fields.add("first", "1");
  if (!grpc::append_metadata(metadata, fields)) {
    require(fields.size() == 1, "metadata that was refused left fields behind");
    return;
  }
  Metadata again;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const auto [name, value] = fields[i];
    require(grpc::is_valid_key(name) && grpc::is_valid_value(value) && !grpc::is_reserved(name), "a field that may not be sent");
    require(value.empty() || (value.front() != ' ' && value.back() != ' '), "a value with a blank at its end");
    require(grpc::take_field(name, value, again).has_value(), "a field that was sent is not taken");
  }
  grpc::FieldList more;
  require(grpc::append_metadata(again, more).has_value(), "metadata that was sent once cannot be sent on");
  require(more.size() + 1 == fields.size(), "metadata loses fields on its way");
  for (std::size_t i = 0; i < more.size(); ++i) {
    require_equal(more[i].name, fields[i + 1].name, "a name changes on its way");
    require_equal(more[i].value, fields[i + 1].value, "a value changes on its way");
  }
}
