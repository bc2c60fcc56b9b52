#include <micro/mucp/grpc.hpp>

#include <micro/mucp/head.hpp>

namespace micro::mucp {
namespace {

constexpr std::string_view kContentTypeKey = "x-content-type";
constexpr std::string_view kTimeoutKey = "timeout";
constexpr Duration kShortestOfOthers = std::chrono::milliseconds(1);

}  // namespace

PluginFields take_plugin_fields(Metadata& metadata) {
  PluginFields fields;
  if (metadata.empty()) return fields;
  fields.go_micro = metadata.remove(kContentTypeKey) > 0;
  const auto text = metadata.find(kTimeoutKey);
  if (!text) return fields;
  const std::optional<Duration> timeout = parse_timeout(*text);
  if (!timeout || (!fields.go_micro && *timeout < kShortestOfOthers)) return fields;
  fields.timeout = timeout;
  metadata.remove(kTimeoutKey);
  return fields;
}

}  // namespace micro::mucp
