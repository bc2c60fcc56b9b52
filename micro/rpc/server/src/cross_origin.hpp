#pragma once

#include <string_view>

#include <micro/error/error.hpp>
#include <micro/metadata/metadata.hpp>

namespace micro::rpc {

// The headers by which a request is dispatched, empty when it has none: the first value of each, found in one pass because every
// request pays for it. Valid as long as the headers.
struct DispatchFields {
  explicit DispatchFields(const Metadata& headers) noexcept;

  std::string_view origin;
  std::string_view content_type;
  std::string_view fetch_site;
  // A message of go-micro RPC: it has one of Micro-Endpoint, Micro-Method and Micro-Topic, or its X- form.
  bool micro = false;
  // Looked for when it is wanted, as it seldom is.
  std::string_view host() const noexcept { return all_.get("host"); }

 private:
  const Metadata& all_;
};

// Whether a browser sent it for a page of another origin. Browsers say so in Sec-Fetch-Site (Fetch Metadata, section 2.4), but
// not over plain HTTP, except to their own machine, and not the old ones: then Origin is compared with Host. Without either it
// is no browser, as far as one can tell.
bool is_cross_origin(const DispatchFields& fields) noexcept;

// Whether the pages of `origin`, "https://host:port", come from `host`, as in the Host header. Spelling and default ports do not
// matter.
bool is_origin_of(std::string_view origin, std::string_view host) noexcept;

// PERMISSION_DENIED; `list` is where an origin is added that may call.
Error cross_origin_error(const DispatchFields& fields, std::string_view list);

}  // namespace micro::rpc
