#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <micro/builtin/health.hpp>
#include <micro/builtin/reflection.hpp>
#include <micro/builtin/reflection_messages.hpp>
#include <micro/call/typed.hpp>
#include <micro/client/client.hpp>
#include <micro/codecs/dynamic_types.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/coro/event.hpp>
#include <micro/coro/run_on.hpp>
#include <micro/dynamic/caller.hpp>
#include <micro/health/health.hpp>
#include <micro/loop/group.hpp>
#include <micro/registry/cache.hpp>
#include <micro/registry/memory.hpp>
#include <micro/server/server.hpp>

#include "greeting.pb.h"
#include "greeting_messages.pb.h"

namespace micro::dynamic {

using greeting::messages::HelloReply;
using greeting::messages::HelloRequest;

// The service of testdata/greeting.proto.
class Greeting final : public rpc::Handler {
 public:
  explicit Greeting(std::string node, bool with_admin = false) : node_(std::move(node)), with_admin_(with_admin) {}
  std::vector<rpc::Endpoint> endpoints() override;

  std::string last_tenant;

 private:
  using In = HelloRequest;
  using Out = HelloReply;
  Task<Result<Out>> hello(Context& context, const In& request);
  Task<Result<Out>> fail_always(Context& context, const In& request);
  Task<Result<void>> count(Context& context, const In& request, Writer<Out>& writer);
  Task<Result<Out>> collect(Context& context, Reader<In>& reader);
  // Echoes; "bye" ends the call, "boom" fails it.
  Task<Result<void>> chat(Context& context, ReaderWriter<In, Out>& stream);

  const std::string node_;
  const bool with_admin_;
};

// A service greeting.Greeter of another age: Hello has the additional field "title", there is a method Wave, and no other. Every
// reply is "new".
class NewGreeting final : public rpc::Handler {
 public:
  NewGreeting();
  std::vector<rpc::Endpoint> endpoints() override;

 private:
  codec::DynamicTypes types_;
};

// How a node offers reflection: versions left out, calls counted and held back.
class Reflection final : public rpc::Handler {
 public:
  enum class Versions { kBoth, kAlphaOnly };
  Reflection(const std::vector<rpc::Endpoint>& endpoints, Versions versions)
      : service_(rpc::reflection_service(endpoints)), versions_(versions) {}
  std::vector<rpc::Endpoint> endpoints() override;

  int calls = 0;
  // Calls wait until it is set; on the loop.
  Event may_go;
  Event has_come;

 private:
  std::shared_ptr<rpc::Handler> service_;
  const Versions versions_;
};

// Answers reflection questions by a table: question and answer as JSON; anything else is NOT_FOUND.
class ScriptedReflection final : public rpc::Handler {
 public:
  using Script = std::vector<std::pair<std::string, std::string>>;
  explicit ScriptedReflection(Script script) : script_(std::move(script)) {}
  std::vector<rpc::Endpoint> endpoints() override;

 private:
  class Answer;
  const Script script_;
};

// A server on loopback that is in the registry as `service`.
struct Node {
  rpc::Server server;
  std::shared_ptr<Reflection> reflection;
  registry::Service record;
  std::string address() const { return record.nodes.front().address; }
};

// A registry, a client, and any number of nodes, all on one loop unless told otherwise.
class DynamicTest : public testing::Test, private registry::CacheObserver {
 protected:
  explicit DynamicTest(std::size_t loops = 1);
  ~DynamicTest() override;

  void on(Task<void> task) { run_on(loops_.loop(0), std::move(task)); }

  // Handlers, then reflection (unless null), on a server that listens.
  std::unique_ptr<Node> make_node(const std::vector<std::shared_ptr<rpc::Handler>>& handlers,
                                  Reflection::Versions versions = Reflection::Versions::kBoth);
  std::unique_ptr<Node> make_node_without_reflection(const std::vector<std::shared_ptr<rpc::Handler>>& handlers);
  // Adds it to the registry, or takes it out, and waits until the cache has seen that when it follows the service already.
  void join(Node& node, std::string version = "1", std::string service = "greeter");
  void leave(Node& node);
  void stop(Node& node);

  Result<std::string> call(DynamicCaller& caller, std::string_view endpoint, std::string_view json,
                           const rpc::CallOptions& options = {}, std::string_view service = "greeter");
  static rpc::CallOptions at(const Node& node);

  LoopGroup loops_;
  const std::shared_ptr<registry::Memory> registry_ = std::make_shared<registry::Memory>();
  registry::Cache cache_;
  rpc::Client client_;
  Health health_;

 private:
  std::unique_ptr<Node> make(const std::vector<std::shared_ptr<rpc::Handler>>& handlers, const Reflection::Versions* versions);
  void on_change(const registry::Event&) override;
  void await_change(Task<Result<void>> change);

  int changes_ = 0;
  Event changed_;
  bool follows_ = false;
};

}  // namespace micro::dynamic
