#include <micro/gateway/gateway.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include <micro/dynamic/caller.hpp>
#include <micro/http/message.hpp>
#include <micro/server/http_routes.hpp>

namespace micro {
namespace {

// Headers that speak about the connection between the browser and us, or about an encoding we do not pass on. The id of the
// request travels with the context.
bool stays_here(std::string_view name) {
  for (const std::string_view own :
       {"accept-encoding", "content-encoding", "accept", "expect", "origin", "referer", "x-request-id"}) {
    if (equals_ignore_case(name, own)) return true;
  }
  return false;
}

// gRPC carries printable ASCII, and any bytes under names that end in "-bin". A browser's cookie with more in it is no reason to
// refuse the call.
bool travels(const Metadata::Entry& entry) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  return !stays_here(entry.key) && (entry.key.ends_with("-bin") || std::ranges::all_of(entry.value, printable));
}

class ApiRoute final : public rpc::HttpHandler, public Hook {
 public:
  explicit ApiRoute(Service& service) : service_(service) {}

  // The client and the cache exist from here on, and until the end of the last call.
  Task<Result<void>> before_start() override {
    caller_.emplace(service_.client(), service_.cache());
    co_return Result<void>{};
  }
  Task<Result<void>> after_stop() override {
    caller_.reset();
    co_return Result<void>{};
  }

  Task<Result<http::Response>> handle(Context& context, const http::Request& request,
                                      const rpc::PathParameters& parameters) override {
    Context onward(context);
    for (const Metadata::Entry entry : context.metadata()) {
      if (travels(entry)) onward.outgoing().add(entry.key, entry.value);
    }
    const std::string& service = parameters[0].second;
    const std::string& endpoint = parameters[1].second;
    const std::string body = request.body.empty() ? "{}" : request.body;
    const rpc::CallOptions options;
    Result<std::string> reply = co_await caller_->call_json(onward, service, endpoint, body, options);
    if (!reply) {
      http::Response failed = http::Response::from_error(reply.error());
      add_metadata(onward, failed);
      co_return failed;
    }
    http::Response response = http::Response::json(std::move(*reply));
    add_metadata(onward, response);
    co_return response;
  }

 private:
  static void add_metadata(const Context& context, http::Response& response) {
    response.headers.append(context.reply_headers());
    response.headers.append(context.reply_trailers());
    if (!context.peer().empty()) response.headers.set("X-Micro-Node", context.peer());
    response.headers.set("X-Request-Id", context.request_id());
  }

  Service& service_;
  std::optional<DynamicCaller> caller_;
};

// All services with their nodes and endpoints, as the registry has them: a look around for people and scripts.
class ServicesRoute final : public rpc::HttpHandler {
 public:
  explicit ServicesRoute(Service& service) : service_(service) {}

  Task<Result<http::Response>> handle(Context& context, const http::Request&, const rpc::PathParameters&) override {
    Result<std::vector<registry::Service>> services = co_await service_.registry().list_services(context);
    if (!services) co_return std::unexpected(std::move(services.error()));
    std::string body = "[";
    for (const registry::Service& each : *services) {
      if (body.size() > 1) body += ",";
      body += registry::to_json(each);
    }
    body += "]";
    co_return http::Response::json(std::move(body));
  }

 private:
  Service& service_;
};

}  // namespace

void add_gateway(Service& service) {
  // The patterns are well formed and the first of their kind.
  (void)service.http().add("GET", "/services", std::make_shared<ServicesRoute>(service));
  const auto api = std::make_shared<ApiRoute>(service);
  service.add(api);
  (void)service.http().add("POST", "/api/{service}/{endpoint}", api);
}

}  // namespace micro
