#include "rpc_status.hpp"

#include <algorithm>
#include <cstdint>
#include <ranges>

#include <micro/grpc/proto_wire.hpp>
#include <micro/grpc/status.hpp>

namespace micro::grpc::rpc_status {
namespace {

using proto::kBytes;
using proto::kVarint;
using proto::put_bytes;
using proto::put_string;
using proto::Reader;
using proto::to_utf8;

constexpr std::string_view kErrorInfoUrl = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr std::string_view kErrorInfoName = "/google.rpc.ErrorInfo";

struct ErrorInfo {
  std::string_view reason;
  std::string_view domain;
  Error::Metadata metadata;
};

bool contains(const Error::Metadata& metadata, std::string_view key) {
  return std::ranges::find(metadata, key, &Error::Metadata::value_type::first) != metadata.end();
}

bool parse_entry(std::string_view bytes, Error::Metadata& out) {
  std::string_view key;
  std::string_view value;
  Reader reader(bytes);
  while (reader.next()) {
    if (reader.is(1, kBytes)) key = reader.bytes;
    if (reader.is(2, kBytes)) value = reader.bytes;
  }
  // Of two entries with one key the last counts, as in any protobuf map.
  std::erase_if(out, [&](const auto& entry) { return entry.first == key; });
  out.emplace_back(key, value);
  return reader.good();
}

// nullopt when the Any holds something else, or is damaged.
std::optional<ErrorInfo> parse_error_info(std::string_view any) {
  std::string_view url;
  std::string_view value;
  Reader outer(any);
  while (outer.next()) {
    if (outer.is(1, kBytes)) url = outer.bytes;
    if (outer.is(2, kBytes)) value = outer.bytes;
  }
  if (!outer.good() || !url.ends_with(kErrorInfoName)) return std::nullopt;
  ErrorInfo info;
  Reader inner(value);
  while (inner.next()) {
    if (inner.is(1, kBytes)) info.reason = inner.bytes;
    if (inner.is(2, kBytes)) info.domain = inner.bytes;
    if (inner.is(3, kBytes) && !parse_entry(inner.bytes, info.metadata)) return std::nullopt;
  }
  if (!inner.good()) return std::nullopt;
  return info;
}

// Of go-micro: package errors, message Error.
bool is_go_error(std::string_view any) {
  Reader reader(any);
  while (reader.next()) {
    if (reader.is(1, kBytes)) return reader.bytes.ends_with("/errors.Error");
  }
  return false;
}

// A map holds a key once; the first value is the one Error::find() gives.
Error::Metadata unique_keys(const Error::Metadata& metadata) {
  Error::Metadata out;
  for (const auto& [key, value] : metadata) {
    if (!contains(out, key)) out.emplace_back(key, value);
  }
  return out;
}

std::string encode_error_info(std::string_view reason, const Error::Metadata& metadata) {
  std::string info;
  put_string(info, 1, reason);
  put_string(info, 2, kErrorDomain);
  for (const auto& [key, value] : metadata) {
    std::string entry;  // map entries always have both fields
    put_bytes(entry, 1, to_utf8(key));
    put_bytes(entry, 2, to_utf8(value));
    put_bytes(info, 3, entry);
  }
  std::string any;
  put_string(any, 1, kErrorInfoUrl);
  put_bytes(any, 2, info);
  return any;
}

// An error that came from elsewhere keeps its ErrorInfo among the details; saying the same twice would hide its domain.
bool told_by_details(const Error& error, const Error::Metadata& metadata) {
  for (const std::string& detail : error.details()) {
    if (const auto info = parse_error_info(detail)) return info->reason == error.reason() && info->metadata == metadata;
  }
  return false;
}

}  // namespace

std::string encode(const Error& error, std::string_view message, Content content) {
  std::string out;
  proto::put_number(out, 1, static_cast<std::uint64_t>(error.code()));
  put_string(out, 2, message);
  const bool foreign = content == Content::kAll;
  for (const std::string& detail : error.details()) {
    if (is_go_error(detail)) put_bytes(out, 3, detail);
  }
  if (!error.reason().empty() || !error.metadata().empty()) {
    const Error::Metadata metadata = unique_keys(error.metadata());
    if (!foreign || !told_by_details(error, metadata)) put_bytes(out, 3, encode_error_info(error.reason(), metadata));
  }
  if (foreign) {
    for (const std::string& detail : error.details()) {
      if (!is_go_error(detail)) put_bytes(out, 3, detail);
    }
  }
  return out;
}

std::optional<Status> decode(std::string_view bytes) {
  Status status;
  bool has_info = false;
  Reader reader(bytes);
  while (reader.next()) {
    if (reader.is(1, kVarint)) status.code = static_cast<std::int32_t>(reader.value);
    if (reader.is(2, kBytes)) status.message = reader.bytes;
    if (!reader.is(3, kBytes)) continue;
    auto info = has_info ? std::nullopt : parse_error_info(reader.bytes);
    if (info) {
      has_info = true;
      status.reason = info->reason;
      status.metadata = std::move(info->metadata);
    }
    if (!info || info->domain != kErrorDomain) status.details.emplace_back(reader.bytes);
  }
  if (!reader.good()) return std::nullopt;
  return status;
}

}  // namespace micro::grpc::rpc_status
