#include "web_flags.hpp"

#include <string_view>

#include <micro/flags/flags.hpp>
#include <micro/uri/uri.hpp>

namespace micro {
namespace {

// As browsers send it; "null" is what they send for files and for frames in a sandbox.
bool is_origin(std::string_view text) {
  if (text == "*" || text == "null") return true;
  const Result<Uri> uri = Uri::parse(text);
  return uri && !uri->scheme.empty() && !uri->host.empty() && uri->userinfo.empty() && uri->path.empty() &&
         text.find_first_of("?#") == std::string_view::npos;
}

}  // namespace

void WebFlags::add(Flags& flags, rpc::ServerOptions& options) {
  for (const std::string& origin : options.cors.allowed_origins) origins_.append(origins_.empty() ? "" : ",").append(origin);
  flags.add("cors_origins", origins_, "origins whose pages may call, with commas between them: https://example.com; * for all");
  flags.add("cross_origin_protection", options.cross_origin_protection,
            "refuse requests of pages of other origins; on, =false switches it off");
}

std::vector<std::string> WebFlags::apply(rpc::ServerOptions& options) const {
  std::vector<std::string>& origins = options.cors.allowed_origins;
  if (!origins_.empty()) {
    origins.clear();
    for (std::string_view rest = origins_; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      if (comma != 0) origins.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  std::vector<std::string> faults;
  for (const std::string& origin : origins) {
    if (!is_origin(origin)) {
      faults.push_back("--cors_origins " + origin +
                       ": an origin is a scheme, a host and perhaps a port, https://example.com:8443, " +
                       "without a slash or path behind them; * stands for all");
    }
  }
  return faults;
}

}  // namespace micro
