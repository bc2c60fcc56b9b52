#pragma once

// One call of any kind, by any carrier our clients have, whose answer is checked.
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <micro/client/client.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/web_client/calls.hpp>

#include "soak.micro.hpp"

namespace soak {

enum class Kind : std::uint8_t { kEcho, kCount, kSum, kChat };
enum class Carrier : std::uint8_t { kGrpc, kWebSocket, kEvents };
const char* to_string(Kind kind);
const char* to_string(Carrier carrier);

// What a call is, drawn before it starts.
struct Plan {
  Kind kind = Kind::kEcho;
  Carrier carrier = Carrier::kGrpc;
  std::uint64_t id = 0;
  std::size_t size = 0;
  std::uint32_t count = 1;
  std::uint32_t wait = 0;
  micro::Duration timeout{};
  std::optional<micro::Duration> cancel_after;
  bool drop = false;       // streams: given up in the middle
  bool binary = false;     // over a WebSocket
  std::size_t target = 0;  // of the addresses, for those that do not balance
};

// An answer that no fault excuses.
class Wrong : public std::runtime_error {
  using runtime_error::runtime_error;
};

class Calls {
 public:
  // `web`: the options of the calls that are not gRPC; `secure`: these go by TLS.
  Calls(micro::rpc::Client& client, std::vector<std::string> addresses, micro::web::CallOptions web, bool secure);

  micro::Task<micro::Result<void>> make(micro::Context& context, const Plan& plan);

 private:
  using Stream = std::unique_ptr<micro::rpc::ClientStream>;

  micro::Task<micro::Result<void>> echo(micro::Context& context, const Plan& plan);
  micro::Task<micro::Result<void>> count(micro::Context& context, const Plan& plan);
  micro::Task<micro::Result<void>> sum(micro::Context& context, const Plan& plan);
  micro::Task<micro::Result<void>> chat(micro::Context& context, const Plan& plan);
  micro::Task<micro::Result<Stream>> open_web(micro::Context& context, const Plan& plan, const Ping* request);

  Soak::Client service_;
  std::vector<micro::web::Target> targets_;
  micro::rpc::CallOptions options_;
  micro::rpc::CallOptions idempotent_;
  micro::web::CallOptions web_;
};

}  // namespace soak
