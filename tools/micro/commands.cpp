#include "commands.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <sstream>

#include <micro/dynamic/caller.hpp>

#include "input_lines.hpp"
#include "printable.hpp"

namespace micro::tool {
namespace {

int report(const Error& error) {
  std::fprintf(stderr, "micro: %s\n", printable(error.to_string(), true).c_str());
  return 1;
}

void print_fields(const codec::Schema& schema, int indent) {
  for (const codec::Schema& field : schema.values) {
    std::printf("%*s%s %s\n", indent, "", printable(field.name).c_str(), printable(field.type).c_str());
    print_fields(field, indent + 2);
  }
}

Task<void> list_task(registry::Registry& registry, Duration timeout, Result<std::vector<registry::Service>>& out) {
  Context context;
  context.set_timeout(timeout);
  out = co_await registry.list_services(context);
}

Task<void> get_task(registry::Registry& registry, const std::string& name, Duration timeout,
                    Result<std::vector<registry::Service>>& out) {
  Context context;
  context.set_timeout(timeout);
  out = co_await registry.get_service(context, name);
}

Task<void> call_task(Session& session, const std::string& service, const std::string& endpoint, const std::string& json,
                     Duration timeout, Result<std::string>& out) {
  Context context;
  context.set_timeout(timeout);
  DynamicCaller caller(session.client(), session.cache());
  rpc::CallOptions options;
  options.timeout = timeout;
  out = co_await caller.call_json(context, service, endpoint, json, options);
}

// The messages of the command line.
class Arguments final : public JsonSource {
 public:
  explicit Arguments(const std::vector<std::string>& messages) : messages_(messages) {}
  Task<Result<std::optional<std::string>>> next(Context&) override {
    if (next_ == messages_.size()) co_return std::nullopt;
    co_return messages_[next_++];
  }

 private:
  const std::vector<std::string>& messages_;
  std::size_t next_ = 0;
};

class Printer final : public JsonSink {
 public:
  Task<Result<void>> put(Context&, std::string json) override {
    std::printf("%s\n", printable(json).c_str());
    std::fflush(stdout);
    co_return Result<void>{};
  }
};

Task<void> stream_task(Session& session, const std::string& service, const std::string& endpoint,
                       const std::vector<std::string>& messages, Duration timeout, Result<void>& out) {
  {
    Context context;
    context.set_timeout(timeout);
    auto known = co_await session.cache().lookup(context, service);
    if (!known) {
      out = fail(std::move(known.error()));
      co_return;
    }
  }
  Context context;
  DynamicCaller caller(session.client(), session.cache());
  const rpc::CallOptions options;
  Arguments arguments(messages);
  std::optional<InputLines> lines;
  if (messages == std::vector<std::string>{"-"}) lines.emplace();
  JsonSource& source = lines ? static_cast<JsonSource&>(*lines) : arguments;
  Printer printer;
  out = co_await caller.stream_json(context, service, endpoint, source, printer, options);
}

}  // namespace

int list_services(Session& session, Duration timeout) {
  Result<std::vector<registry::Service>> services;
  session.run(list_task(session.registry(), timeout, services));
  if (!services) return report(services.error());
  if (services->empty()) std::fprintf(stderr, "no service in the %s\n", session.registry().describe().c_str());
  std::size_t widest = 7;
  for (const registry::Service& service : *services) widest = std::max(widest, printable(service.name).size());
  std::printf("%-*s  %-10s  NODES\n", static_cast<int>(widest), "SERVICE", "VERSION");
  for (const registry::Service& service : *services) {
    std::printf("%-*s  %-10s  ", static_cast<int>(widest), printable(service.name).c_str(), printable(service.version).c_str());
    for (std::size_t i = 0; i < service.nodes.size(); ++i) {
      std::printf("%s%s", i == 0 ? "" : " ", printable(service.nodes[i].address).c_str());
    }
    std::printf("\n");
  }
  return 0;
}

int describe_service(Session& session, const std::string& name, Duration timeout) {
  Result<std::vector<registry::Service>> versions;
  session.run(get_task(session.registry(), name, timeout, versions));
  if (!versions) return report(versions.error());
  for (const registry::Service& service : *versions) {
    std::printf("service  %s\nversion  %s\n", printable(service.name).c_str(), printable(service.version).c_str());
    std::printf("\nnodes\n");
    for (const registry::Node& node : service.nodes) {
      std::printf("  %s  %s", printable(node.address).c_str(), printable(node.id).c_str());
      for (const auto& [key, value] : node.metadata) std::printf("  %s=%s", printable(key).c_str(), printable(value).c_str());
      std::printf("\n");
    }
    std::printf("\nendpoints\n");
    for (const registry::Endpoint& endpoint : service.endpoints) {
      // go-micro's records say of a method only that it streams.
      const bool streams = registry::property(endpoint.metadata, "stream") == "true";
      const std::string kind(registry::property(endpoint.metadata, "kind", streams ? "stream" : "unary"));
      std::printf("  %s  (%s)\n", printable(endpoint.name).c_str(), printable(kind).c_str());
      std::istringstream description{std::string(registry::property(endpoint.metadata, "description"))};
      for (std::string line; std::getline(description, line);) std::printf("    %s\n", printable(line).c_str());
      std::istringstream bindings{std::string(registry::property(endpoint.metadata, "http"))};
      for (std::string binding; std::getline(bindings, binding);) std::printf("    %s\n", printable(binding).c_str());
      std::printf("    request %s\n", printable(endpoint.request.type).c_str());
      print_fields(endpoint.request, 6);
      std::printf("    response %s\n", printable(endpoint.response.type).c_str());
      print_fields(endpoint.response, 6);
    }
  }
  return 0;
}

int call_endpoint(Session& session, const std::string& service, const std::string& endpoint, const std::string& json,
                  Duration timeout) {
  Result<std::string> reply;
  session.run(call_task(session, service, endpoint, json.empty() ? "{}" : json, timeout, reply));
  if (!reply) return report(reply.error());
  std::printf("%s\n", printable(*reply).c_str());
  return 0;
}

int stream_endpoint(Session& session, const std::string& service, const std::string& endpoint,
                    const std::vector<std::string>& messages, Duration timeout) {
  Result<void> done;
  session.run(stream_task(session, service, endpoint, messages, timeout, done));
  return done ? 0 : report(done.error());
}

}  // namespace micro::tool
