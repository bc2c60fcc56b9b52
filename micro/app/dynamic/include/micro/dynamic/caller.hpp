#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/call/call.hpp>
#include <micro/client/options.hpp>
#include <micro/codec/message.hpp>
#include <micro/context/context.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/task/task.hpp>

namespace micro::registry {
class Cache;
}
namespace micro::rpc {
class Client;
}

namespace micro {

// One method of a service, as its node describes it.
struct MethodInfo {
  std::string service;  // "greeter.Greeter"
  std::string method;   // "Hello"
  rpc::MethodKind kind = rpc::MethodKind::kUnary;
  codec::Schema request;
  codec::Schema reply;

  // "Greeter.Hello"
  std::string name() const;
};

// Where the messages of a stream come from: JSON, one message a time, nullopt after the last. `context` ends when the call does.
class JsonSource {
 public:
  virtual ~JsonSource() = default;
  virtual Task<Result<std::optional<std::string>>> next(Context& context) = 0;
};

// Where the messages of a stream go to. An error ends the call with that error.
class JsonSink {
 public:
  virtual ~JsonSink() = default;
  virtual Task<Result<void>> put(Context& context, std::string json) = 0;
};

struct DynamicCallerOptions {
  // Replies have every field, also those with zero values.
  bool json_zero_values = true;
  // Field names of replies as in the .proto instead of lowerCamelCase.
  bool proto_field_names = false;
  // What does not fit the schema known is looked up in a fresh one, but never more often than this for one service.
  Duration refresh_interval = std::chrono::seconds(1);
};

// Calls services without generated code, JSON in and JSON out: what gateways and command-line tools are made of.
//
// The schema comes from a node of the service by gRPC server reflection (v1, else v1alpha), is kept per service and loop, and is
// fetched again when another version of the service appears or leaves and when an endpoint or a request does not fit it. Calls
// that need the same schema at the same time share one fetch. While no node can be asked, the schema known goes on being used.
//
// A service whose nodes speak go-micro's own RPC alone has no schema to be had: what was written goes to it as it is, in its
// content type for JSON, and its replies come back so. Of a stream it is not known which kind it is: after one message replies
// are awaited to their end, after several as many as there were messages.
//
// `service` is the name in the registry. `endpoint` is "Greeter.Hello", "greeter.Greeter/Hello", or "Hello" when only one service
// has it. CallOptions::addresses names the nodes to call and to ask for the schema instead of those in the registry. The time
// limit of the options holds for the fetch (5 s if there is none) and for the call each; that of the context for both together.
//
// Errors: those of the registry ("no node of service X in ..."), of the client and of the service unchanged; NOT_FOUND, reason
// NO_ENDPOINT, with what there is and the nearest name; INVALID_ARGUMENT for an ambiguous endpoint and, with field and position,
// for JSON that does not fit; FAILED_PRECONDITION, reason NO_REFLECTION, for nodes that do not offer reflection.
//
// Thread safety: any loop of the client's group may call; a call stays on its loop. Arguments live until the task has been
// awaited.
class DynamicCaller {
 public:
  // Both must outlive the caller, and the caller its calls.
  DynamicCaller(rpc::Client& client, registry::Cache& registry, const DynamicCallerOptions& options = {});
  // Without a registry: every call names addresses.
  explicit DynamicCaller(rpc::Client& client, const DynamicCallerOptions& options = {});
  DynamicCaller(const DynamicCaller&) = delete;
  DynamicCaller& operator=(const DynamicCaller&) = delete;
  ~DynamicCaller();

  // A unary call. An empty `json` is "{}". Reply metadata and the peer are put into the context.
  // Other kinds of method are FAILED_PRECONDITION, reason STREAMING.
  Task<Result<std::string>> call_json(Context& context, std::string_view service, std::string_view endpoint,
                                      std::string_view json, const rpc::CallOptions& options);

  // A call of any kind. Methods that take one request take exactly one message from `source`. Both directions of a stream flow at
  // the same time; when the call has ended, `source` is not asked again and a pending question is cancelled.
  Task<Result<void>> stream_json(Context& context, std::string_view service, std::string_view endpoint, JsonSource& source,
                                 JsonSink& sink, const rpc::CallOptions& options);

  // All methods, in the order of the node's services, those of health and reflection included.
  Task<Result<std::vector<MethodInfo>>> methods(Context& context, std::string_view service, const rpc::CallOptions& options);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro
