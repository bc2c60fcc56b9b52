#include <micro/mucp/head.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

#include <micro/grpc/base64.hpp>
#include <micro/grpc/fields.hpp>
#include <micro/http/field.hpp>

namespace micro::mucp {
namespace {

// A header in its plain form and its twin.
struct Pair {
  std::string_view plain;
  std::string_view twin;
  std::string_view value() const noexcept { return plain.empty() ? twin : plain; }
};

}  // namespace

Head read_head(const Metadata& headers) noexcept {
  Pair service;
  Pair endpoint;
  Pair method;
  Pair stream;
  Pair topic;
  Pair protocol;
  Pair target;
  Head head;
  for (const Metadata::Entry entry : headers) {
    std::string_view name = entry.key;
    const auto is = [&name](std::string_view wanted) { return equals_ignore_case(name, wanted); };
    const auto first = [&entry](std::string_view& value) {
      if (value.empty()) value = entry.value;
    };
    if (is("Content-Type")) first(head.content_type);
    if (is(kTimeout)) head.timeout = parse_timeout(entry.value);
    if (is(kId)) first(head.id);
    if (is(kError)) first(head.error);
    const bool twin = name.size() > kTwinPrefix.size() && equals_ignore_case(name.substr(0, 2), kTwinPrefix);
    if (twin) name.remove_prefix(kTwinPrefix.size());
    if (name.size() < 7 || !equals_ignore_case(name.substr(0, 6), "Micro-")) continue;
    const auto take = [&](std::string_view wanted, Pair& into) {
      if (is(wanted)) first(twin ? into.twin : into.plain);
    };
    take(kService, service);
    take(kEndpoint, endpoint);
    take(kMethod, method);
    take(kStream, stream);
    take(kTopic, topic);
    take(kProtocol, protocol);
    take(kTarget, target);
  }
  head.service = service.value();
  head.endpoint = endpoint.value().empty() ? method.value() : endpoint.value();
  head.stream = stream.value();
  head.topic = topic.value();
  if (protocol.value().empty() && head.topic.empty()) {
    head.legacy = (head.service.empty() && head.endpoint.empty()) || !target.value().empty();
  }
  return head;
}

bool is_reserved(std::string_view name) noexcept {
  static constexpr auto kNames =
      std::to_array<std::string_view>({kService, kEndpoint, kMethod, kId, kStream, kError, kTopic, kProtocol, kTarget, kTimeout,
                                       "Accept", "Accept-Encoding", "Local", "Remote", "Expect", "Trailer"});
  const auto is_one = [](std::string_view text) {
    return std::ranges::any_of(kNames, [&](std::string_view each) { return equals_ignore_case(text, each); });
  };
  if (grpc::is_reserved(name) || is_one(name)) return true;
  return name.size() > 8 && equals_ignore_case(name.substr(0, 8), "X-Micro-") && is_one(name.substr(kTwinPrefix.size()));
}

std::optional<Duration> parse_timeout(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  if (text.empty() || failure != std::errc{} || rest != end) return std::nullopt;
  if (value > static_cast<std::uint64_t>(std::numeric_limits<Duration::rep>::max())) return std::nullopt;
  return Duration(static_cast<Duration::rep>(value));
}

std::string format_timeout(Duration timeout) { return std::to_string(std::max<Duration::rep>(timeout.count(), 0)); }

std::string header_value(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return !http::has_class(c, http::kFieldChar); }, ' ');
  return std::string(http::trim_blanks(out));
}

std::string encode_metadata(std::string_view key, std::string_view value) {
  if (!grpc::is_binary(key)) return header_value(value);
  std::string out;
  grpc::base64_encode(value, out);
  return out;
}

std::string decode_metadata(std::string_view key, std::string_view value) {
  std::string out;
  if (grpc::is_binary(key) && grpc::base64_decode(value, out)) return out;
  return std::string(value);
}

std::optional<EndpointName> parse_endpoint(std::string_view text) noexcept {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) return std::nullopt;
  if (text.find('.', dot + 1) != std::string_view::npos) return std::nullopt;
  return EndpointName{text.substr(0, dot), text.substr(dot + 1)};
}

}  // namespace micro::mucp
