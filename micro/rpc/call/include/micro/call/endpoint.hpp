#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/call/call.hpp>
#include <micro/codec/message.hpp>
#include <micro/duration/chrono.hpp>

namespace micro::rpc {

// One way to call a method with plain HTTP: option google.api.http in the .proto, see <micro/transcoding/rule.hpp>.
struct HttpBinding {
  std::string method;         // "GET"; "*" for every method
  std::string path;           // "/v1/{name=shelves/*}/books"
  std::string body;           // "*", the name of a field, or empty for no body
  std::string response_body;  // a field of the reply; empty for the whole reply
};

// Everything known about one method, in one record: it feeds routing, the registry, reflection and documentation. Made by
// generated code, owned by the server, immutable once the server runs.
struct Endpoint {
  std::string service;  // full name: "greeter.Greeter"
  std::string method;   // "Hello"
  MethodKind kind = MethodKind::kUnary;
  const codec::MessageType* request_type = nullptr;
  const codec::MessageType* reply_type = nullptr;
  // The comment above the method in its .proto.
  std::string description;
  // May be repeated without harm (option idempotency_level in the .proto): clients retry it after it was sent.
  bool idempotent = false;
  // How it is called with plain HTTP, besides POST to path().
  std::vector<HttpBinding> http;
  // The longest one call may take on this server; zero: the server's default.
  Duration timeout{};
  // The end of the chain: calls the user's code.
  std::shared_ptr<CallHandler> handler;

  // "/greeter.Greeter/Hello": the path on every protocol.
  std::string path() const { return "/" + service + "/" + method; }
  // "Greeter.Hello": the name in the registry and at the gateway, without the package, as go-micro writes it.
  std::string name() const;
};

// What a user's handler object is to the server: a list of endpoints. Generated base classes implement it. The server keeps
// the object alive as long as it may be called; one object serves every loop at the same time, so it must be safe for that.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual std::vector<Endpoint> endpoints() = 0;
};

}  // namespace micro::rpc
