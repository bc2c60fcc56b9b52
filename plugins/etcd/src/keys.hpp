#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <micro/registry/layout.hpp>

#include "counters.hpp"
#include "etcd.pb.h"
#include "session.hpp"

namespace micro::etcd {

// Everything that begins with `prefix`; everything there is when it is empty.
wire::RangeRequest range_of(std::string_view prefix);

// From keys and values to records. What cannot be read is skipped, counted, and told once.
class Decoder {
 public:
  Decoder(std::shared_ptr<const registry::Layout> layout, Session& session) : layout_(std::move(layout)), session_(session) {}

  // The record under a key of `service` (empty: of any); nullopt when it is another's or none.
  std::optional<registry::Service> read(const wire::KeyValue& pair, std::string_view service);
  const registry::Layout& layout() const noexcept { return *layout_; }

 private:
  const std::shared_ptr<const registry::Layout> layout_;
  Session& session_;
  std::set<std::pair<std::string, std::int64_t>> told_;  // keys with the revision of what was wrong with them
};

}  // namespace micro::etcd
