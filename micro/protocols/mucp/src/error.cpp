#include <micro/mucp/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include <micro/grpc/proto_wire.hpp>
#include <micro/http/error.hpp>
#include <micro/http/status.hpp>
#include <micro/mucp/head.hpp>

#include "json_text.hpp"

namespace micro::mucp {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDetailUrl = "type.googleapis.com/errors.Error";
constexpr std::string_view kDetailName = "/errors.Error";

// What go-micro's server says itself, as plain text.
constexpr std::string_view kUnknownName = "rpc: can't find ";
constexpr std::string_view kBadName = "rpc: service/endpoint request ill-formed: ";
constexpr std::string_view kBadRequest = "rpc: router cannot decode request: ";

// The four members of errors.Error.
struct GoError {
  std::string id;
  std::int32_t code = 0;
  std::string detail;
  std::string status;
};

// http.StatusText of Go, where it differs from the registry's phrases.
std::string_view phrase(int status) noexcept {
  switch (status) {
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "Request URI Too Long";
    case 416:
      return "Requested Range Not Satisfiable";
    case 418:
      return "I'm a teapot";
    case 422:
      return "Unprocessable Entity";
    case 499:
      return {};
    default:
      return http::reason_phrase(status);
  }
}

int implied_status(Code code) noexcept {
  switch (code) {
    case Code::kDeadlineExceeded:
      return http::status::kRequestTimeout;
    case Code::kFailedPrecondition:
      return http::status::kPreconditionFailed;
    default:
      return http::status_from(code);
  }
}

std::optional<std::int32_t> number_in(const Error& error) noexcept {
  const std::string* const text = error.find(http::kStatusKey);
  if (text == nullptr) return std::nullopt;
  std::int32_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, failure] = std::from_chars(text->data(), end, number);
  if (text->empty() || failure != std::errc{} || rest != end || std::to_string(number) != *text) return std::nullopt;
  return number;
}

// A word for programs, as reasons are; ids of go-micro are names of services.
bool is_reason(std::string_view text) noexcept {
  return !text.empty() && text.front() >= 'A' && text.front() <= 'Z' &&
         std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
}

GoError to_go(const Error& error) {
  GoError go;
  go.code = status_from(error);
  go.detail = error.message();
  if (const std::string* const id = error.find(kIdKey)) {
    go.id = *id;
  } else if (is_reason(error.reason())) {
    go.id = error.reason();
  }
  const std::string* const text = error.find(kPhraseKey);
  go.status = text != nullptr ? *text : std::string(phrase(go.code));
  return go;
}

// `canonical` is what the sender said besides.
Error from_go(GoError go, std::optional<Code> canonical, std::string reason) {
  const Code code = canonical.value_or(code_from_status(go.code));
  const bool is_word = is_reason(go.id) && (reason.empty() || reason == go.id);
  Error error(code, is_word ? go.id : std::move(reason), std::move(go.detail));
  if (implied_status(error.code()) != go.code) error.with(std::string(http::kStatusKey), std::to_string(go.code));
  if (!is_word && !go.id.empty()) error.with(std::string(kIdKey), std::move(go.id));
  if (go.status != phrase(go.code)) error.with(std::string(kPhraseKey), std::move(go.status));
  return error;
}

bool told_by_members(std::string_view key, const Error& error) {
  return key == kIdKey || key == kPhraseKey || (key == http::kStatusKey && number_in(error));
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(out.size() == 1 ? "\"" : ",\"").append(name).append("\":");
  append_go_string(out, value);
}

std::string to_json(const Error& error) {
  const GoError go = to_go(error);
  std::string out = "{";
  append_member(out, "id", go.id);
  if (go.code != 0) out.append(out.size() == 1 ? "\"code\":" : ",\"code\":").append(std::to_string(go.code));
  append_member(out, "detail", go.detail);
  append_member(out, "status", go.status);
  if (error.reason() != go.id) append_member(out, "reason", error.reason());
  if (code_from_status(go.code) != error.code()) append_member(out, "grpc_status", micro::to_string(error.code()));
  bool begun = false;
  for (const auto& [key, value] : error.metadata()) {
    if (told_by_members(key, error) || error.find(key) != &value) continue;
    out += begun ? "," : out.size() == 1 ? "\"metadata\":{" : ",\"metadata\":{";
    begun = true;
    append_go_string(out, key);
    out.push_back(':');
    append_go_string(out, value);
  }
  if (begun) out.push_back('}');
  out.push_back('}');
  return out;
}

// Absent is as good as the right type. Go refuses the whole text over a wrong one.
bool take_text(const Json& json, const char* name, std::string& out) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return true;
  if (!found->is_string()) return false;
  out = found->get<std::string>();
  return true;
}

bool take_code(const Json& json, std::int32_t& out) {
  const auto found = json.find("code");
  if (found == json.end() || found->is_null()) return true;
  if (!found->is_number_integer()) return false;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max()) return false;
  const auto number = found->get<std::int64_t>();
  if (number < std::numeric_limits<std::int32_t>::min() || number > std::numeric_limits<std::int32_t>::max()) return false;
  out = static_cast<std::int32_t>(number);
  return true;
}

std::optional<Error> from_json(std::string_view text) {
  if (!text.starts_with('{')) return std::nullopt;
  // What is nested more deeply than our metadata is dropped on the way: ordered_json copies itself recursively while it grows.
  const auto keep = [](int depth, Json::parse_event_t, const Json&) { return depth <= 2; };
  const Json json = Json::parse(text, keep, false);
  if (!json.is_object()) return std::nullopt;
  const bool is_error = json.contains("code") || json.contains("detail") || json.contains("id") || json.contains("status");
  GoError go;
  std::string reason;
  std::string canonical;
  if (!is_error || !take_text(json, "id", go.id) || !take_text(json, "detail", go.detail) ||
      !take_text(json, "status", go.status) || !take_code(json, go.code)) {
    return std::nullopt;
  }
  (void)take_text(json, "reason", reason);
  (void)take_text(json, "grpc_status", canonical);
  std::optional<Code> code = code_from_string(canonical);
  if (code == Code::kOk) code.reset();
  Error error = from_go(std::move(go), code, std::move(reason));
  if (const auto metadata = json.find("metadata"); metadata != json.end() && metadata->is_object()) {
    for (const auto& [key, value] : metadata->items()) {
      if (value.is_string() && error.find(key) == nullptr && !told_by_members(key, error))
        error.with(key, value.get<std::string>());
    }
  }
  return error;
}

Code code_of_text(std::string_view text) noexcept {
  if (text.starts_with(kUnknownName)) return Code::kUnimplemented;
  return text.starts_with(kBadName) || text.starts_with(kBadRequest) ? Code::kInvalidArgument : Code::kUnknown;
}

}  // namespace

int status_from(const Error& error) noexcept { return number_in(error).value_or(implied_status(error.code())); }

Code code_from_status(int status) noexcept {
  switch (status) {
    case http::status::kRequestTimeout:
      return Code::kDeadlineExceeded;
    case http::status::kConflict:
      return Code::kAlreadyExists;
    case http::status::kPreconditionFailed:
      return Code::kFailedPrecondition;
    default:
      break;
  }
  const Code code = http::code_from_status(status);
  return code == Code::kOk ? Code::kUnknown : code;
}

std::string encode_error(const Error& error) {
  // Plain text where that says all of it. A header cannot carry every text, and EOS means something else there.
  const std::string& message = error.message();
  const bool plain = error.code() == code_of_text(message) && error.reason().empty() && error.metadata().empty() &&
                     !message.empty() && message != kEndOfStream && header_value(message) == message && !from_json(message);
  return plain ? message : to_json(error);
}

Error decode_error(std::string_view text) {
  if (std::optional<Error> error = from_json(text)) return std::move(*error);
  return Error(code_of_text(text), std::string(text));
}

std::string encode_detail(const Error& error) {
  const GoError go = to_go(error);
  std::string value;
  grpc::proto::put_string(value, 1, go.id);
  if (go.code != 0) grpc::proto::put_number(value, 2, static_cast<std::uint64_t>(std::int64_t{go.code}));
  grpc::proto::put_string(value, 3, go.detail);
  grpc::proto::put_string(value, 4, go.status);
  std::string any;
  grpc::proto::put_string(any, 1, kDetailUrl);
  grpc::proto::put_bytes(any, 2, value);
  return any;
}

namespace {

std::optional<GoError> decode_detail(std::string_view any) {
  std::string_view url;
  std::string_view value;
  grpc::proto::Reader outer(any);
  while (outer.next()) {
    if (outer.is(1, grpc::proto::kBytes)) url = outer.bytes;
    if (outer.is(2, grpc::proto::kBytes)) value = outer.bytes;
  }
  if (!outer.good() || !url.ends_with(kDetailName)) return std::nullopt;
  GoError go;
  grpc::proto::Reader inner(value);
  while (inner.next()) {
    if (inner.is(1, grpc::proto::kBytes)) go.id = inner.bytes;
    if (inner.is(2, grpc::proto::kVarint)) go.code = static_cast<std::int32_t>(inner.value);
    if (inner.is(3, grpc::proto::kBytes)) go.detail = inner.bytes;
    if (inner.is(4, grpc::proto::kBytes)) go.status = inner.bytes;
  }
  if (!inner.good()) return std::nullopt;
  return go;
}

}  // namespace

Error with_detail(const Error& error) {
  Error out(error.code(), error.reason(), error.message());
  for (const auto& [key, value] : error.metadata()) out.with(key, value);
  out.add_detail(encode_detail(error));
  for (const std::string& detail : error.details()) {
    if (!decode_detail(detail)) out.add_detail(detail);
  }
  return out;
}

Error refine(Error error) {
  std::optional<Error> told;
  for (const std::string& detail : error.details()) {
    std::optional<GoError> go = decode_detail(detail);
    if (!go) continue;
    // Of the codes that share a number, the status said which.
    const bool same = implied_status(error.code()) == go->code;
    told = from_go(std::move(*go), same ? std::optional(error.code()) : std::nullopt, error.reason());
    break;
  }
  if (!told && error.reason().empty() && error.metadata().empty()) {
    told = from_json(error.message());
    if (told && status_from(*told) <= 0) told.reset();
  }
  if (!told) return error;
  for (const auto& [key, value] : error.metadata()) {
    if (told->find(key) == nullptr) told->with(key, value);
  }
  for (const std::string& detail : error.details()) told->add_detail(detail);
  return std::move(*told);
}

}  // namespace micro::mucp
