#pragma once

#include <memory>

#include <micro/call/endpoint.hpp>

namespace micro {
class Health;
}

namespace micro::rpc {

// The service grpc.health.v1.Health over `health`, as load balancers, Kubernetes and gRPC clients ask it.
//
// Check answers the status of a service; NOT_FOUND for one nobody has set. List answers all of them; RESOURCE_EXHAUSTED for more
// than 100. Watch sends the present status at once (SERVICE_UNKNOWN for one nobody has set) and each later one; to a reader that
// is slow it sends the newest and leaves out those before it. It ends with its context. When the process shuts down it sends the
// last status and ends with UNAVAILABLE, so that watchers do not hold up the stop; from then on a new Watch is UNAVAILABLE at
// once.
//
// The statuses may be changed from any thread. Lifetime: `health` must outlive the handler and its calls.
std::shared_ptr<Handler> health_service(Health& health);

}  // namespace micro::rpc
