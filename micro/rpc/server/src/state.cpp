#include "state.hpp"

#include <cstdint>

#include <micro/codecs/install.hpp>
#include <micro/tls/credentials.hpp>

#include "http2_limits.hpp"

namespace micro::rpc {
namespace {

// Read by protojson and jsonpb, as the names of the .proto, numbers and padded base64 are, and by encoding/json into the structs
// of protobuf and into users' own, which know nothing of names for enums and strings for integers.
codec::JsonOptions go_json_options() {
  codec::JsonOptions options;
  options.int64_as_string = false;
  options.enum_as_number = true;
  options.proto_field_names = true;
  return options;
}

}  // namespace

ServerState::ServerState(ServerOptions server_options, std::shared_ptr<HttpRoutes> http_routes)
    : options(std::move(server_options)), routes(std::move(http_routes)), go_json(go_json_options()) {
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
