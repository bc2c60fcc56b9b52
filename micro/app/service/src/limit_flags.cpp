#include "limit_flags.hpp"

#include <micro/duration/duration.hpp>
#include <micro/flags/flags.hpp>

namespace micro {
namespace {

struct TimeLimit {
  const char* flag;
  Duration rpc::ServerOptions::* value;
  const char* help;
};

constexpr TimeLimit kTimeLimits[] = {
    {"header_timeout", &rpc::ServerOptions::header_timeout, "how long the head of a request may take to arrive"},
    {"body_timeout", &rpc::ServerOptions::body_timeout, "how long a request's body may arrive too slowly"},
    {"write_timeout", &rpc::ServerOptions::write_timeout, "how long a peer may be too slow in taking answers"},
    {"idle_timeout", &rpc::ServerOptions::idle_timeout, "a connection without a call is closed after this"},
    {"keepalive_time", &rpc::ServerOptions::keepalive_time, "a peer with open calls that is silent for this long gets a PING"},
    {"keepalive_timeout", &rpc::ServerOptions::keepalive_timeout, "how long it then gets to answer"},
    {"tls_handshake_timeout", &rpc::ServerOptions::tls_handshake_timeout, "how long a TLS handshake may take"},
    {"max_connection_age", &rpc::ServerOptions::max_connection_age, "a connection this old takes no more calls; 0s: no limit"},
};

}  // namespace

void add_limit_flags(Flags& flags, rpc::ServerOptions& options) {
  flags.add("max_connections", options.max_connections, "connections open at once; 0: as many as there are descriptors for");
  flags.add("max_connections_per_peer", options.max_connections_per_peer, "the same for one address; 0: no limit");
  flags.add_size("max_receive_message_size", options.max_receive_message_size, "the largest request message or body");
  flags.add_size("max_buffered_bytes", options.max_buffered_bytes, "what unfinished requests may take in all");
  flags.add_size("max_unsent_bytes", options.max_unsent_bytes, "what answers that peers do not take may take in all");
  for (const TimeLimit& limit : kTimeLimits) flags.add(limit.flag, options.*limit.value, limit.help);
}

std::vector<std::string> limit_faults(const rpc::ServerOptions& options) {
  std::vector<std::string> faults;
  for (const TimeLimit& limit : kTimeLimits) {
    if (options.*limit.value < Duration{}) {
      faults.push_back("--" + std::string(limit.flag) + " " + format_duration(options.*limit.value) +
                       ": a limit cannot be less than nothing; 0s switches it off");
    }
  }
  return faults;
}

}  // namespace micro
