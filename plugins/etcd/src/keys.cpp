#include "keys.hpp"

namespace micro::etcd {
namespace {

// More than this is somebody else's data, and need not be remembered.
constexpr std::size_t kMostTold = 1024;

// The first key that does not begin with `prefix`.
std::string end_of(std::string prefix) {
  while (!prefix.empty()) {
    if (static_cast<unsigned char>(prefix.back()) != 0xff) {
      ++prefix.back();
      return prefix;
    }
    prefix.pop_back();
  }
  return std::string(1, '\0');
}

}  // namespace

wire::RangeRequest range_of(std::string_view prefix) {
  wire::RangeRequest request;
  request.set_key(prefix.empty() ? std::string(1, '\0') : std::string(prefix));
  request.set_range_end(end_of(std::string(prefix)));
  return request;
}

std::optional<registry::Service> Decoder::read(const wire::KeyValue& pair, std::string_view service) {
  auto record = layout_->decode(pair.key(), pair.value());
  if (!record) {
    ++session_.counters.malformed;
    if (told_.size() >= kMostTold) told_.clear();
    if (told_.emplace(pair.key(), pair.mod_revision()).second)
      session_.logger().warn("skipped a record in etcd", {{"error", record.error().message()}});
    return std::nullopt;
  }
  if (*record && !service.empty() && (*record)->name != service) return std::nullopt;
  return std::move(*record);
}

}  // namespace micro::etcd
