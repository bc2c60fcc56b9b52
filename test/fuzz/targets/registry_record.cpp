// Records of a registry as JSON: what another process wrote is read or refused; what is read is written and read as the same.
#include <micro/registry/record.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(registry_record) {
  using namespace micro;
  const auto service = registry::from_json(input);
  if (!service) {
    fuzz::require(service.error().code() == Code::kInvalidArgument, "an undocumented code");
    return;
  }
  const std::string text = registry::to_json(*service);
  const auto again = registry::from_json(text);
  fuzz::require(again.has_value(), "a record that was written cannot be read: " + text);
  fuzz::require_equal(registry::to_json(*again), text, "a record changes when it is written and read again");
  fuzz::require(*again == *service, "a record changes when it is written and read again");
}
