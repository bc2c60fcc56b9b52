// google.api.http: templates are read, written and read again as the same; the router finds what a plain search through all
// templates finds; what a binding reads is stable.
//
// The input: lines "METHOD template", then an empty one; then a line each for method, path and query; the rest is the body.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/protobuf.hpp>
#include <micro/transcoding/router.hpp>
#include <micro/transcoding/template.hpp>

#include "fuzz.hpp"
#include "messaging.pb.h"
#include "percent.hpp"

namespace {

using namespace micro::transcoding;
using micro::fuzz::require;
using micro::fuzz::require_equal;
using Kind = Template::Kind;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string escaped(std::string_view plain) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : plain) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

std::string written(const Template& path) {
  std::string out;
  for (std::size_t i = 0; i < path.segments.size(); ++i) {
    out += '/';
    const auto begins = std::ranges::find(path.variables, i, &Template::Variable::first);
    if (begins != path.variables.end()) out.append("{").append(begins->field).append("=");
    const Template::Segment& segment = path.segments[i];
    out += segment.kind == Kind::kAny ? "*" : segment.kind == Kind::kRest ? "**" : escaped(segment.literal);
    for (const Template::Variable& variable : path.variables) {
      if (variable.first + variable.count == i + 1) out += '}';
    }
  }
  if (path.segments.empty()) out = "/";
  if (!path.verb.empty()) out.append(":").append(escaped(path.verb));
  return out;
}

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    segments.push_back(path.substr(1, end - 1));
    path.remove_prefix(end);
  }
  return segments;
}

bool equals(std::string_view encoded, std::string_view plain) { return decode(encoded, Slashes::kDecoded) == plain; }

// The segments of the path when the template matches it.
std::optional<std::vector<std::string_view>> match(const Template& path, std::string_view text) {
  if (!text.starts_with('/')) return std::nullopt;
  if (!path.verb.empty()) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos || text.find('/', colon) != text.npos || !equals(text.substr(colon + 1), path.verb))
      return std::nullopt;
    text = text.substr(0, colon);
  } else if (text == "/") {
    text = {};
  }
  std::vector<std::string_view> segments = segments_of(text);
  for (std::size_t i = 0; i < path.segments.size(); ++i) {
    const Template::Segment& wanted = path.segments[i];
    if (wanted.kind == Kind::kRest) return segments;
    if (i >= segments.size()) return std::nullopt;
    if (wanted.kind == Kind::kAny ? segments[i].empty() : !equals(segments[i], wanted.literal)) return std::nullopt;
  }
  if (segments.size() != path.segments.size()) return std::nullopt;
  return segments;
}

struct Candidate {
  std::string method;
  Template path;

  // Smaller wins.
  auto rank(std::string_view method_asked) const {
    std::vector<Kind> kinds;
    for (const Template::Segment& segment : path.segments) kinds.push_back(segment.kind);
    return std::tuple(path.verb.empty(), kinds, method != method_asked, method == "*");
  }
  bool answers(std::string_view asked) const { return method == asked || method == "*" || (method == "GET" && asked == "HEAD"); }
};

void check_template(std::string_view text) {
  const auto parsed = Template::parse(text);
  if (!parsed) {
    require(parsed.error().code() == micro::Code::kInvalidArgument, "an undocumented error of a template");
    return;
  }
  const std::string again_text = written(*parsed);
  const auto again = Template::parse(again_text);
  require(again.has_value(), "a template that was written cannot be read: " + again_text);
  require(again->segments == parsed->segments && again->variables == parsed->variables && again->verb == parsed->verb,
          "a template changes when it is written and read again: " + again_text);
}

void check_read(const Binding& binding, const Candidate& candidate, const std::vector<std::string_view>& segments,
                const RequestParts& parts) {
  const micro::codec::JsonCodec json({.max_depth = 20});
  messaging::Kinds request;
  const auto done = binding.read(parts, json, json, micro::codec::ref(request));
  if (!done) {
    const std::string& reason = done.error().reason();
    require(done.error().code() == micro::Code::kInvalidArgument && (reason == "INVALID_PATH" || reason == "INVALID_QUERY" ||
                                                                     reason == "INVALID_JSON" || reason == "UNEXPECTED_BODY"),
            "an undocumented error of a request: " + done.error().message());
    return;
  }
  messaging::Kinds again;
  require(binding.read(parts, json, json, micro::codec::ref(again)).has_value(), "a request is refused the second time");
  require_equal(request.DebugString(), again.DebugString(), "a request is read differently the second time");
  for (const Template::Variable& variable : candidate.path.variables) {
    if (variable.field != "a_string" || variable.many) continue;
    require(decode(segments.at(variable.first), Slashes::kDecoded) == request.a_string(), "a variable has another value");
  }
  micro::Buffer out;
  const auto type = binding.write(micro::codec::ref(request), json, json, out);
  require(!type || *type == "application/json", "an undocumented type of a reply");
}

}  // namespace

MICRO_FUZZ_TARGET(transcoding) {
  const auto& type = micro::codec::message_type<messaging::Kinds>();
  Router router;
  std::vector<Candidate> candidates;
  for (std::string_view line = take_line(input); !line.empty() && candidates.size() < 20; line = take_line(input)) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view method = line.substr(0, blank);
    const std::string_view path = line.substr(std::min(blank + 1, line.size()));
    check_template(path);
    const bool with_body = method != "GET" && method != "DELETE";
    if (!router.add("test.Service/Method", {method, path, with_body ? "*" : "", {}}, type, type, candidates.size())) continue;
    candidates.push_back({std::string(method), Template::parse(path).value()});
  }
  const std::string_view method = take_line(input);
  const std::string_view path = take_line(input);
  const std::string_view query = take_line(input);

  const Candidate* best = nullptr;
  bool any = false;
  for (const Candidate& candidate : candidates) {
    if (!match(candidate.path, path)) continue;
    any = true;
    if (!candidate.answers(method)) continue;
    if (best == nullptr || candidate.rank(method) < best->rank(method)) best = &candidate;
  }
  const Binding* const found = router.find(method, path);
  require((found == nullptr) == (best == nullptr), "the router does not find what a plain search finds, or the reverse");
  require(router.allowed_methods(path).empty() == !any, "the allowed methods are not those of the templates that match");
  if (found == nullptr) return;
  require_equal(found->path(), best->path.text, "the router prefers another template");
  require_equal(found->method(), best->method, "the router prefers another method");
  require(found->target() == static_cast<std::size_t>(best - candidates.data()), "a binding has another target");
  check_read(*found, *best, *match(best->path, path), {path, query, input});
}
