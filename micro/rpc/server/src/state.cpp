#include "state.hpp"

#include <cstdint>

#include <micro/codecs/install.hpp>
#include <micro/mucp/json.hpp>
#include <micro/tls/credentials.hpp>

#include "http2_limits.hpp"

namespace micro::rpc {

ServerState::ServerState(ServerOptions server_options, std::shared_ptr<HttpRoutes> http_routes)
    : options(std::move(server_options)), routes(std::move(http_routes)), go_json(mucp::json_options()) {
  codec::JsonOptions json_options;
  json_options.emit_zero_values = options.json_zero_values;
  // The table is empty, so nothing can be in the way.
  (void)codec::install(codecs, json_options);
  proto = codecs.find("proto");
  json = static_cast<const codec::JsonCodec*>(codecs.find("json"));
  http1_limits.max_header_bytes = options.max_header_bytes;
  // Bodies are limited by what carries them: some are streams of many messages. A size beyond this is a lie.
  http1_limits.max_body = std::uint64_t{1} << 40;
  http2_options.max_concurrent_streams = options.max_concurrent_streams;
  http2_options.enable_connect_protocol = true;
  http2_options.max_header_list_size = options.max_header_bytes;
  unfinished.limit = options.max_buffered_bytes;
  unsent.limit = options.max_unsent_bytes;
  if (options.tls && options.tls->options().client_auth == tls::ClientAuth::kRequire) options.require_tls = true;
  http1_limits.max_header_count = options.max_header_count;
  http2_options.max_header_count = options.max_header_count;
  apply(options.http2, http2_options);
}

}  // namespace micro::rpc
