#include "method_blocks.hpp"

#include <algorithm>

#include <micro/grpc/compression.hpp>
#include <micro/grpc/request.hpp>
#include <micro/grpc/timeout.hpp>
#include <micro/http2/field.hpp>

namespace micro::client {

bool MethodBlocks::is_last(std::string_view service, std::string_view method) const noexcept {
  if (last_ == nullptr) return false;
  const std::string_view path = last_->first;
  return path.size() == service.size() + method.size() + 2 && path.ends_with(method) &&
         path.substr(1, service.size()) == service && path[service.size() + 1] == '/';
}

Result<MethodBlocks::Method*> MethodBlocks::find(std::string_view service, std::string_view method) {
  if (is_last(service, method)) [[likely]]
    return &last_->second;
  key_.assign(1, '/').append(service).append(1, '/').append(method);
  if (const auto found = methods_.find(key_); found != methods_.end()) {
    last_ = &*found;
    return &found->second;
  }

  if (service.empty() || method.empty() || !std::ranges::all_of(key_, [](char c) { return c > ' ' && c < '\x7f'; })) {
    return fail(
        invalid_argument("\"" + key_ + "\" is no path of a method: it has the form /package.Service/Method, in visible ASCII"));
  }
  last_ = nullptr;
  if (methods_.size() >= kMostMethods) methods_.clear();
  last_ = &*methods_.try_emplace(key_).first;
  const http2::Field fields[] = {{":method", "POST"},
                                 {":scheme", scheme_},
                                 {":path", key_},
                                 {":authority", authority_},
                                 {"te", "trailers"},
                                 {"content-type", grpc::kContentType},
                                 {"user-agent", grpc::kUserAgent},
                                 {"grpc-accept-encoding", grpc::kAcceptEncoding}};
  http2::encode_static(fields, last_->second.block);
  return &last_->second;
}

Result<std::string_view> MethodBlocks::get(std::string_view service, std::string_view method, std::optional<Duration> timeout) {
  Result<Method*> found = find(service, method);
  if (!found) return fail(std::move(found.error()));
  Method& entry = **found;
  if (!timeout) return entry.block.view();
  if (entry.timed.empty() || entry.timeout != *timeout) {
    entry.timeout = *timeout;
    entry.timed.clear();
    entry.timed.append(entry.block.view());
    const grpc::TimeoutText text = grpc::format_timeout(*timeout);
    const http2::Field field[] = {{"grpc-timeout", text}};
    http2::encode_static(field, entry.timed);
  }
  return entry.timed.view();
}

}  // namespace micro::client
