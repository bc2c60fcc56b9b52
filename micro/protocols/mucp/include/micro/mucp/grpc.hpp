#pragma once

#include <optional>

#include <micro/duration/chrono.hpp>
#include <micro/metadata/metadata.hpp>

namespace micro::mucp {

// What go-micro's gRPC client says beside gRPC's own headers.
struct PluginFields {
  // It is that client: it sends x-content-type with every call, and reads errors.Error in a status.
  bool go_micro = false;
  // Of the call, in nanoseconds on the wire: also when there is no grpc-timeout.
  std::optional<Duration> timeout;
};

// Takes these fields, "x-content-type" and "timeout", out of the metadata of a call. A "timeout" from anybody else is taken only
// when it is a number no person would write for seconds or milliseconds: a million or more.
PluginFields take_plugin_fields(Metadata& metadata);

}  // namespace micro::mucp
