#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/duration/chrono.hpp>
#include <micro/retry/retry.hpp>
#include <micro/selector/selector.hpp>

namespace micro::tls {
class ClientCredentials;
}

namespace micro::rpc {

// The property of a node's record that says that it speaks TLS: "true".
inline constexpr std::string_view kTlsProperty = "tls";

// The properties of a node's record by which a client knows what to speak to it. "protocol" is go-micro's: "mucp" for its own
// RPC, "grpc" for gRPC, which is spoken to every other node, too. Nodes of this framework speak more than one and list all in
// "protocols"; where gRPC is among them it is what they are called with.
inline constexpr std::string_view kProtocolProperty = "protocol";
inline constexpr std::string_view kProtocolsProperty = "protocols";
// Whether a node is called with go-micro's RPC: it says that it speaks that, and not that it speaks gRPC.
bool speaks_mucp_only(const registry::Node& node);

// How one client behaves. What a CallOptions sets goes before.
struct ClientOptions {
  // Of a call without an earlier deadline from its context, and of the opening of a stream. Zero: no limit (not advised: a lost
  // peer then holds the call).
  Duration request_timeout = std::chrono::seconds(5);
  // Of one attempt to connect.
  Duration connect_timeout = std::chrono::seconds(2);
  // Connections to one node from one loop. One carries hundreds of calls at a time (HTTP/2), so more seldom pay.
  std::size_t connections_per_node = 1;
  // A connection without calls for this long is closed. Zero: never.
  Duration idle_timeout = std::chrono::minutes(5);
  // A connection with calls that received nothing for this long is asked with a PING, and closed when no answer comes within
  // keepalive_timeout. Zero: never. As long as it stays quiet it is asked again every five minutes only: the gRPC servers of
  // others close connections that ask more often.
  Duration keepalive_interval = std::chrono::seconds(20);
  Duration keepalive_timeout = std::chrono::seconds(10);
  // Larger messages end the call with RESOURCE_EXHAUSTED.
  std::size_t max_receive_message_size = 4 * 1024 * 1024;
  std::size_t max_send_message_size = 64 * 1024 * 1024;
  retry::Options retry;
  // Of messages to nodes that speak go-micro's own RPC: "application/protobuf", "application/json" or another one of
  // docs/reference/mucp.md. gRPC has protobuf always.
  std::string mucp_content_type = "application/protobuf";
  // How a node is chosen for a call: "round_robin", "random", "weighted_round_robin", "p2c", "least_loaded", "consistent_hash" or
  // "rendezvous"; see <micro/balance/strategy.hpp>.
  std::string strategy = "round_robin";
  // Whom to trust and who we are, for nodes that speak TLS (<micro/tls/credentials.hpp>). Null: the authorities of the system,
  // and no certificate of our own. What reload() brings is for connections made after.
  std::shared_ptr<tls::ClientCredentials> tls;
  // TLS to every node and address. Otherwise to the nodes whose record says so (kTlsProperty), which trusts the registry not to
  // leave that out.
  bool require_tls = false;
};

// How one call differs from its client's defaults.
struct CallOptions {
  // Zero: the client's request_timeout (a stream: no limit once it is open). A context with less time left goes before.
  Duration timeout{};
  // Where to call instead of what the registry says: "10.0.0.7:8080", "unix:/run/x.sock". Several are balanced over.
  std::vector<std::string> addresses;
  std::vector<selector::FilterPtr> filters;
  // For the strategies "consistent_hash" and "rendezvous": calls with one key go to one node as long as it is there.
  std::string hash_key;
  // The method may be repeated although it was sent. Generated clients set it from the .proto.
  bool idempotent = false;
  // Instead of the client's mucp_content_type; empty: that.
  std::string mucp_content_type;
  // "identity", "gzip" or "deflate" for the messages we send; Context::set_request_compression() leaves out single ones.
  std::string compression = "identity";
};

}  // namespace micro::rpc
