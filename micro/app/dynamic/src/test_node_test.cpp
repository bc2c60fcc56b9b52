#include "test_node.hpp"

#include <google/protobuf/descriptor.pb.h>

// The doubles of test_node.hpp; named so that they belong to the test program.
namespace micro::dynamic {
namespace {

template <class M>
const codec::MessageType* type_of() {
  return &codec::message_type<M>();
}

}  // namespace

std::vector<rpc::Endpoint> Greeting::endpoints() {
  const auto make = [](std::string service, std::string method, rpc::MethodKind kind, std::shared_ptr<rpc::CallHandler> handler) {
    return rpc::Endpoint{.service = std::move(service),
                         .method = std::move(method),
                         .kind = kind,
                         .request_type = type_of<In>(),
                         .reply_type = type_of<Out>(),
                         .handler = std::move(handler)};
  };
  using Unary = rpc::UnaryMethod<Greeting, In, Out>;
  const auto hello_method = std::make_shared<Unary>(*this, &Greeting::hello);
  std::vector<rpc::Endpoint> all{
      make("greeting.Greeter", "Hello", rpc::MethodKind::kUnary, hello_method),
      make("greeting.Greeter", "Fail", rpc::MethodKind::kUnary, std::make_shared<Unary>(*this, &Greeting::fail_always)),
      make("greeting.Greeter", "Count", rpc::MethodKind::kServerStream,
           std::make_shared<rpc::ServerStreamMethod<Greeting, In, Out>>(*this, &Greeting::count)),
      make("greeting.Greeter", "Collect", rpc::MethodKind::kClientStream,
           std::make_shared<rpc::ClientStreamMethod<Greeting, In, Out>>(*this, &Greeting::collect)),
      make("greeting.Greeter", "Chat", rpc::MethodKind::kBidiStream,
           std::make_shared<rpc::BidiStreamMethod<Greeting, In, Out>>(*this, &Greeting::chat))};
  if (with_admin_) {
    all.push_back(make("greeting.Admin", "Hello", rpc::MethodKind::kUnary, hello_method));
    all.push_back(make("greeting.Admin", "Reload", rpc::MethodKind::kUnary, hello_method));
  }
  return all;
}

Task<Result<HelloReply>> Greeting::hello(Context& context, const HelloRequest& request) {
  last_tenant = std::string(context.metadata().get("x-tenant"));
  context.reply_trailers().add("x-cost", "7");
  HelloReply reply;
  reply.set_message("Hello " + request.name());
  reply.set_node_name(node_);
  co_return reply;
}

Task<Result<HelloReply>> Greeting::fail_always(Context&, const HelloRequest& request) {
  co_return fail(permission_denied("not for " + request.name()).with_reason("NO_GREETING"));
}

Task<Result<void>> Greeting::count(Context&, const HelloRequest& request, Writer<HelloReply>& writer) {
  for (int i = 1; i <= 3; ++i) {
    HelloReply reply;
    reply.set_message(request.name());
    reply.set_count(i);
    Result<void> written = co_await writer.write(reply);
    if (!written) co_return written;
  }
  co_return Result<void>{};
}

Task<Result<HelloReply>> Greeting::collect(Context&, Reader<HelloRequest>& reader) {
  HelloReply reply;
  HelloRequest request;
  while (true) {
    const Result<bool> more = co_await reader.read(request);
    if (!more) co_return fail(more.error());
    if (!*more) break;
    if (request.name() == "boom") co_return fail(out_of_range("boom"));
    reply.mutable_message()->append(request.name());
    reply.set_count(reply.count() + 1);
  }
  co_return reply;
}

Task<Result<void>> Greeting::chat(Context&, ReaderWriter<HelloRequest, HelloReply>& stream) {
  HelloRequest request;
  while (true) {
    const Result<bool> more = co_await stream.read(request);
    if (!more) co_return fail(more.error());
    if (!*more || request.name() == "bye") co_return Result<void>{};
    if (request.name() == "boom") co_return fail(out_of_range("boom"));
    HelloReply reply;
    reply.set_message("echo " + request.name());
    Result<void> written = co_await stream.write(reply);
    if (!written) co_return written;
  }
}

namespace {

using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;

void add_string(google::protobuf::DescriptorProto& message, const char* name, int number) {
  FieldDescriptorProto& field = *message.add_field();
  field.set_name(name);
  field.set_number(number);
  field.set_type(FieldDescriptorProto::TYPE_STRING);
  field.set_label(FieldDescriptorProto::LABEL_OPTIONAL);
}

codec::DynamicTypes new_types() {
  FileDescriptorProto file;
  file.set_name("new_greeting.proto");
  file.set_package("greeting");
  file.set_syntax("proto3");
  auto& request = *file.add_message_type();
  request.set_name("NewRequest");
  add_string(request, "name", 1);
  add_string(request, "title", 2);
  auto& reply = *file.add_message_type();
  reply.set_name("NewReply");
  add_string(reply, "message", 1);
  auto& service = *file.add_service();
  service.set_name("Greeter");
  for (const char* name : {"Hello", "Wave"}) {
    auto& method = *service.add_method();
    method.set_name(name);
    method.set_input_type(".greeting.NewRequest");
    method.set_output_type(".greeting.NewReply");
  }
  const std::vector<std::string> files{file.SerializeAsString()};
  return std::move(codec::DynamicTypes::create(files).value());
}

class SayNew final : public rpc::CallHandler {
  Task<rpc::Reply> handle(Context&, rpc::Call& call) override {
    co_return codec::JsonCodec().unmarshal(R"({"message":"new"})", call.reply);
  }
};

}  // namespace

NewGreeting::NewGreeting() : types_(new_types()) {}

std::vector<rpc::Endpoint> NewGreeting::endpoints() {
  std::vector<rpc::Endpoint> all;
  for (const char* method : {"Hello", "Wave"}) {
    all.push_back({.service = "greeting.Greeter",
                   .method = method,
                   .request_type = types_.find("greeting.NewRequest").value(),
                   .reply_type = types_.find("greeting.NewReply").value(),
                   .handler = std::make_shared<SayNew>()});
  }
  return all;
}

namespace {

class Held final : public rpc::CallHandler {
 public:
  Held(Reflection& owner, std::shared_ptr<rpc::CallHandler> next) : owner_(owner), next_(std::move(next)) {}
  Task<rpc::Reply> handle(Context& context, rpc::Call& call) override {
    ++owner_.calls;
    owner_.has_come.set();
    Result<void> waited = co_await owner_.may_go.wait(context);
    if (!waited) co_return waited;
    co_return co_await next_->handle(context, call);
  }

 private:
  Reflection& owner_;
  std::shared_ptr<rpc::CallHandler> next_;
};

}  // namespace

std::vector<rpc::Endpoint> Reflection::endpoints() {
  std::vector<rpc::Endpoint> all;
  for (rpc::Endpoint& endpoint : service_->endpoints()) {
    if (versions_ == Versions::kAlphaOnly && endpoint.service.find("v1alpha") == std::string::npos) continue;
    endpoint.handler = std::make_shared<Held>(*this, std::move(endpoint.handler));
    all.push_back(std::move(endpoint));
  }
  return all;
}

class ScriptedReflection::Answer final : public rpc::CallHandler {
 public:
  explicit Answer(const Script& script) : script_(script) {}
  Task<rpc::Reply> handle(Context&, rpc::Call& call) override {
    const rpc::reflection::Protocol& protocol = rpc::reflection::protocol(rpc::reflection::Version::kV1);
    const codec::MessagePtr request(*protocol.request);
    const codec::MessagePtr response(*protocol.response);
    const codec::JsonCodec json;
    while (true) {
      const Result<bool> more = co_await call.stream->read(request.get());
      if (!more) co_return fail(more.error());
      if (!*more) co_return rpc::Reply{};
      Buffer question;
      (void)json.marshal(request.get(), question);
      std::string answer = R"({"errorResponse":{"errorCode":5,"errorMessage":"not in the script"}})";
      for (const auto& [asked, scripted] : script_) {
        if (asked == question.view()) answer = scripted;
      }
      if (answer == "end") co_return rpc::Reply{};
      Result<void> made = json.unmarshal(answer, response.get());
      if (!made) co_return made;
      Result<void> written = co_await call.stream->write(response.get());
      if (!written) co_return written;
    }
  }

 private:
  const Script& script_;
};

std::vector<rpc::Endpoint> ScriptedReflection::endpoints() {
  const rpc::reflection::Protocol& protocol = rpc::reflection::protocol(rpc::reflection::Version::kV1);
  return {{.service = std::string(protocol.service),
           .method = std::string(rpc::reflection::kMethod),
           .kind = rpc::MethodKind::kBidiStream,
           .request_type = protocol.request,
           .reply_type = protocol.response,
           .handler = std::make_shared<Answer>(script_)}};
}

DynamicTest::DynamicTest(std::size_t loops)
    : loops_({.size = loops}), cache_(registry_, {.observer = this}), client_(loops_, &cache_, {}) {
  loops_.start();
  auto start = [this]() -> Task<void> {
    cache_.start(loops_.loop(0));
    co_return;
  };
  on(start());
}

DynamicTest::~DynamicTest() {
  auto end = [this]() -> Task<void> {
    co_await client_.stop(Clock::now());
    co_await cache_.stop();
  };
  on(end());
  loops_.stop();
  loops_.join();
}

std::unique_ptr<Node> DynamicTest::make_node(const std::vector<std::shared_ptr<rpc::Handler>>& handlers,
                                             Reflection::Versions versions) {
  return make(handlers, &versions);
}
std::unique_ptr<Node> DynamicTest::make_node_without_reflection(const std::vector<std::shared_ptr<rpc::Handler>>& handlers) {
  return make(handlers, nullptr);
}

std::unique_ptr<Node> DynamicTest::make(const std::vector<std::shared_ptr<rpc::Handler>>& handlers,
                                        const Reflection::Versions* versions) {
  rpc::ServerOptions options;
  options.address.host = "127.0.0.1";
  std::unique_ptr<Node> node(new Node{.server = rpc::Server(loops_, options)});
  for (const auto& handler : handlers) EXPECT_TRUE(node->server.handle(handler));
  if (versions != nullptr) {
    node->reflection = std::make_shared<Reflection>(node->server.endpoints(), *versions);
    auto open = [&]() -> Task<void> {
      node->reflection->may_go.set();
      co_return;
    };
    on(open());
    EXPECT_TRUE(node->server.handle(node->reflection));
    EXPECT_TRUE(node->server.handle(rpc::health_service(health_)));
  }
  EXPECT_TRUE(node->server.listen());
  node->server.accept();
  node->record.nodes.push_back({.address = node->server.address().to_string()});
  node->record.nodes.front().id = node->address();
  return node;
}

void DynamicTest::join(Node& node, std::string version, std::string service) {
  node.record.name = std::move(service);
  node.record.version = std::move(version);
  auto change = [&]() -> Task<Result<void>> {
    Context context;
    registry::RegisterOptions options;
    co_return co_await registry_->register_service(context, node.record, options);
  };
  await_change(change());
}

void DynamicTest::leave(Node& node) {
  auto change = [&]() -> Task<Result<void>> {
    Context context;
    co_return co_await registry_->deregister_service(context, node.record);
  };
  await_change(change());
}

void DynamicTest::on_change(const registry::Event&) {
  ++changes_;
  changed_.set();
}

void DynamicTest::await_change(Task<Result<void>> change) {
  auto seen = [&]() -> Task<void> {
    const int before = changes_;
    const Result<void> done = co_await change;
    EXPECT_TRUE(done);
    while (follows_ && changes_ == before) {
      changed_.reset();
      co_await changed_.wait();
    }
  };
  on(seen());
}

void DynamicTest::stop(Node& node) {
  auto end = [&]() -> Task<void> { co_await node.server.stop(Clock::now()); };
  on(end());
}

Result<std::string> DynamicTest::call(DynamicCaller& caller, std::string_view endpoint, std::string_view json,
                                      const rpc::CallOptions& options, std::string_view service) {
  Result<std::string> reply;
  auto run = [&]() -> Task<void> {
    Context context;
    reply = co_await caller.call_json(context, service, endpoint, json, options);
  };
  on(run());
  follows_ = follows_ || (options.addresses.empty() && service == "greeter" && reply);
  return reply;
}

rpc::CallOptions DynamicTest::at(const Node& node) {
  rpc::CallOptions options;
  options.addresses.push_back(node.address());
  return options;
}

}  // namespace micro::dynamic
