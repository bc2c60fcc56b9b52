#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <micro/call/call.hpp>
#include <micro/codecs/dynamic_types.hpp>
#include <micro/error/error.hpp>

namespace micro::dynamic {

// What one node says of itself.
struct Schema {
  codec::DynamicTypes types;
  // Those the node offers, in the order it lists them; its files may define more.
  std::vector<const codec::DynamicService*> services;
};
// Shared, so that it outlives the calls that began with it.
using SchemaPtr = std::shared_ptr<const Schema>;

struct Method {
  const codec::DynamicService* service = nullptr;
  const codec::DynamicMethod* method = nullptr;
};

rpc::MethodKind kind_of(const codec::DynamicMethod& method) noexcept;

// "Greeter.Hello" for the service "greeter.Greeter".
std::string short_name(std::string_view service, std::string_view method);

// The method an endpoint name means: "Greeter.Hello", "greeter.Greeter.Hello", "greeter.Greeter/Hello", "/greeter.Greeter/Hello",
// or "Hello" when one service has it (those of grpc itself count only when no other has it). Errors: NOT_FOUND, reason
// NO_ENDPOINT, and INVALID_ARGUMENT for more than one; both name `service`, the service in the registry.
Result<Method> find_method(const Schema& schema, std::string_view service, std::string_view endpoint);

}  // namespace micro::dynamic
