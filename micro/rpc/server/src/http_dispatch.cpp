#include "http_dispatch.hpp"

#include "http_call.hpp"
#include "streamed_route.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// The pool gets it back when it is over.
HttpCall& take_call(Worker& worker) { return *worker.take_http_call().release(); }

}  // namespace

void dispatch(Worker& worker, HttpExchange& exchange, HttpHead& head) {
  const ServerState& state = worker.state();
  if (const Endpoint* endpoint = state.endpoints.find(head.request.path)) {
    take_call(worker).begin(exchange, head, endpoint, {});
    return;
  }
  HttpRoutes::Match match = state.routes->find(http::to_string(head.request.method), head.request.path);
  if (match.streaming != nullptr) {
    auto* const route = new StreamedRoute(worker);  // deletes itself
    route->begin(exchange, head, std::move(match));
    return;
  }
  take_call(worker).begin(exchange, head, nullptr, std::move(match));
}

}  // namespace micro::rpc
