#pragma once

#include <memory>
#include <vector>

#include <micro/call/endpoint.hpp>

namespace micro::rpc {

// gRPC server reflection, grpc.reflection.v1.ServerReflection and the same as v1alpha: tells clients without generated code, such
// as grpcurl, which services there are and what their messages look like.
//
// Lists the services of `endpoints` (`server.endpoints()`), this one included. Files are found by name and by every name defined
// in them (services, methods, messages, fields, enums, extensions), first among those the endpoints' types need, then among all
// generated code of the program; each comes first in its answer, followed by all it imports. Whatever is not there is an
// error_response with NOT_FOUND inside the stream, which goes on.
//
// Lifetime: `endpoints` is read at the first call and must not change from then on, and must outlive the handler.
std::shared_ptr<Handler> reflection_service(const std::vector<Endpoint>& endpoints);

}  // namespace micro::rpc
