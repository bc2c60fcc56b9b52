#include <micro/mucp/json.hpp>

namespace micro::mucp {

codec::JsonOptions json_options() {
  codec::JsonOptions options;
  options.int64_as_string = false;
  options.enum_as_number = true;
  options.proto_field_names = true;
  return options;
}

}  // namespace micro::mucp
