#include <micro/dynamic/caller.hpp>

#include <atomic>
#include <stdexcept>
#include <utility>

#include <micro/bytes/buffer.hpp>
#include <micro/client/client.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/loop/loop.hpp>

#include "pump.hpp"
#include "raw.hpp"
#include "schema_store.hpp"

namespace micro {

using dynamic::Method;
using dynamic::Pump;
using dynamic::SchemaPtr;
using dynamic::SchemaStore;

namespace {

// The schema first: it is destroyed after the message.
struct Prepared {
  SchemaPtr schema;
  Method method;
  codec::MessagePtr request;

  rpc::MethodKind kind() const noexcept { return dynamic::kind_of(*method.method); }
  std::string name() const { return dynamic::short_name(method.service->name, method.method->name); }
};

// Whether a newer schema may know better.
bool may_be_outdated(const Error& error) { return error.reason() == "NO_ENDPOINT" || error.find("field") != nullptr; }

}  // namespace

struct DynamicCaller::Impl {
  Impl(rpc::Client& c, registry::Cache* r, const DynamicCallerOptions& o)
      : client(c),
        registry(r),
        options(o),
        json({.emit_zero_values = o.json_zero_values, .proto_field_names = o.proto_field_names}) {}
  ~Impl() {
    for (Seat* seat = seats; seat != nullptr;) delete std::exchange(seat, seat->next);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  SchemaStore& store();
  Result<Prepared> prepare_with(SchemaPtr schema, std::string_view service, std::string_view endpoint,
                                const std::string_view* message) const;
  // `message` is null for methods that are sent a stream.
  Task<Result<Prepared>> prepare(Context& context, std::string_view service, std::string_view endpoint,
                                 const std::string_view* message, const rpc::CallOptions& options);
  Task<Result<std::string>> call(Context& context, std::string_view service, const Prepared& prepared,
                                 const rpc::CallOptions& options) const;
  Task<Result<void>> stream(Context& context, std::string_view service, const Prepared& prepared, JsonSource& source,
                            JsonSink& sink, const rpc::CallOptions& options) const;

  // Whether the service has no schema to be had: addresses are called with gRPC, as everywhere.
  Task<bool> is_raw(Context& context, std::string_view service, const rpc::CallOptions& call_options) const {
    if (registry == nullptr || !call_options.addresses.empty()) co_return false;
    co_return co_await dynamic::speaks_mucp_only(context, *registry, service);
  }

  // What belongs to one loop. Loops are few, so a list that only grows is found through without a lock.
  struct Seat {
    Seat(Loop& l, rpc::Client& client, registry::Cache* registry, Duration refresh_interval)
        : loop(&l), store(client, registry, refresh_interval) {}
    Loop* loop;
    SchemaStore store;
    Seat* next = nullptr;
  };

  rpc::Client& client;
  registry::Cache* registry;
  const DynamicCallerOptions options;
  const codec::JsonCodec json;
  std::atomic<Seat*> seats = nullptr;
};

SchemaStore& DynamicCaller::Impl::store() {
  Loop* const loop = Loop::current();
  if (loop == nullptr) throw std::logic_error("DynamicCaller: a call was made on a thread that runs no loop");
  for (Seat* seat = seats.load(std::memory_order_acquire); seat != nullptr; seat = seat->next) {
    if (seat->loop == loop) return seat->store;
  }
  auto* made = new Seat(*loop, client, registry, options.refresh_interval);
  made->next = seats.load(std::memory_order_relaxed);
  while (!seats.compare_exchange_weak(made->next, made, std::memory_order_release, std::memory_order_relaxed)) {
  }
  return made->store;
}

Result<Prepared> DynamicCaller::Impl::prepare_with(SchemaPtr schema, std::string_view service, std::string_view endpoint,
                                                   const std::string_view* message) const {
  Result<Method> method = find_method(*schema, service, endpoint);
  if (!method) return fail(std::move(method.error()));
  Prepared prepared{std::move(schema), *method, {}};
  if (message == nullptr) return prepared;
  prepared.request = codec::MessagePtr(*method->method->input);
  Result<void> read = json.unmarshal(message->empty() ? std::string_view("{}") : *message, prepared.request.get());
  if (!read) return fail(std::move(read.error()));
  return prepared;
}

Task<Result<Prepared>> DynamicCaller::Impl::prepare(Context& context, std::string_view service, std::string_view endpoint,
                                                    const std::string_view* message, const rpc::CallOptions& call_options) {
  SchemaStore& schemas = store();
  Result<SchemaPtr> schema = co_await schemas.get(context, service, call_options, nullptr);
  if (!schema) co_return fail(std::move(schema.error()));
  Result<Prepared> prepared = prepare_with(*schema, service, endpoint, message);
  if (prepared || !may_be_outdated(prepared.error())) co_return prepared;
  const Result<SchemaPtr> newer = co_await schemas.get(context, service, call_options, schema->get());
  if (!newer || *newer == *schema) co_return prepared;
  co_return prepare_with(*newer, service, endpoint, message);
}

Task<Result<std::string>> DynamicCaller::Impl::call(Context& context, std::string_view service, const Prepared& prepared,
                                                    const rpc::CallOptions& call_options) const {
  const codec::MessagePtr reply(*prepared.method.method->output);
  // Its .proto says that the method may be repeated: a lost node then costs the caller nothing.
  rpc::CallOptions repeatable = call_options;
  repeatable.idempotent = call_options.idempotent || prepared.method.method->idempotent;
  rpc::Reply done = co_await client.call(context, service, prepared.method.service->name, prepared.method.method->name,
                                         prepared.request.get(), reply.get(), repeatable);
  if (!done) co_return fail(std::move(done.error()));
  Buffer text;
  Result<void> encoded = json.marshal(reply.get(), text);
  if (!encoded) co_return fail(std::move(encoded.error()));
  co_return std::string(text.view());
}

Task<Result<void>> DynamicCaller::Impl::stream(Context& context, std::string_view service, const Prepared& prepared,
                                               JsonSource& source, JsonSink& sink, const rpc::CallOptions& call_options) const {
  Context child(context);
  auto opened = co_await client.stream(child, service, prepared.method.service->name, prepared.method.method->name,
                                       prepared.kind(), prepared.request.get(), call_options);
  if (!opened) co_return fail(std::move(opened.error()));
  Pump pump(child, **opened, *prepared.method.method, json, source, sink);
  Result<void> done = co_await pump.run();
  if (!context.serving()) {
    context.begin_calling(child.peer(), child.peer_identity());
    context.reply_headers() = child.reply_headers();
    context.reply_trailers() = child.reply_trailers();
  }
  co_return done;
}

std::string MethodInfo::name() const { return dynamic::short_name(service, method); }

DynamicCaller::DynamicCaller(rpc::Client& client, registry::Cache& registry, const DynamicCallerOptions& options)
    : impl_(std::make_unique<Impl>(client, &registry, options)) {}
DynamicCaller::DynamicCaller(rpc::Client& client, const DynamicCallerOptions& options)
    : impl_(std::make_unique<Impl>(client, nullptr, options)) {}
DynamicCaller::~DynamicCaller() = default;

Task<Result<std::string>> DynamicCaller::call_json(Context& context, std::string_view service, std::string_view endpoint,
                                                   std::string_view json, const rpc::CallOptions& options) {
  if (co_await impl_->is_raw(context, service, options)) {
    co_return co_await dynamic::call_raw(context, impl_->client, service, endpoint, json, options);
  }
  const Result<Prepared> prepared = co_await impl_->prepare(context, service, endpoint, &json, options);
  if (!prepared) co_return fail(prepared.error());
  if (prepared->kind() != rpc::MethodKind::kUnary) {
    co_return fail(failed_precondition(prepared->name() + " of service \"" + std::string(service) + "\" is a streaming method (" +
                                       std::string(to_string(prepared->kind())) +
                                       ") and has no single reply; call it as a stream")
                       .with_reason("STREAMING"));
  }
  co_return co_await impl_->call(context, service, *prepared, options);
}

Task<Result<void>> DynamicCaller::stream_json(Context& context, std::string_view service, std::string_view endpoint,
                                              JsonSource& source, JsonSink& sink, const rpc::CallOptions& options) {
  if (co_await impl_->is_raw(context, service, options)) {
    co_return co_await dynamic::stream_raw(context, impl_->client, service, endpoint, source, sink, options);
  }
  const Result<Prepared> known = co_await impl_->prepare(context, service, endpoint, nullptr, options);
  if (!known) co_return fail(known.error());
  if (known->method.method->client_streaming) co_return co_await impl_->stream(context, service, *known, source, sink, options);

  const std::string name = known->name();
  Result<std::optional<std::string>> first = co_await source.next(context);
  if (!first) co_return fail(std::move(first.error()));
  if (!*first) co_return fail(invalid_argument(name + " takes one request message and was given none"));
  const Result<std::optional<std::string>> second = co_await source.next(context);
  if (!second) co_return fail(second.error());
  if (*second) co_return fail(invalid_argument(name + " takes one request message and was given more"));
  const std::string_view message = **first;
  const Result<Prepared> prepared = co_await impl_->prepare(context, service, endpoint, &message, options);
  if (!prepared) co_return fail(prepared.error());
  if (prepared->method.method->server_streaming)
    co_return co_await impl_->stream(context, service, *prepared, source, sink, options);
  Result<std::string> reply = co_await impl_->call(context, service, *prepared, options);
  if (!reply) co_return fail(std::move(reply.error()));
  co_return co_await sink.put(context, std::move(*reply));
}

Task<Result<std::vector<MethodInfo>>> DynamicCaller::methods(Context& context, std::string_view service,
                                                             const rpc::CallOptions& options) {
  const Result<SchemaPtr> schema = co_await impl_->store().get(context, service, options, nullptr);
  if (!schema) co_return fail(schema.error());
  std::vector<MethodInfo> out;
  for (const codec::DynamicService* each : (*schema)->services) {
    for (const codec::DynamicMethod& method : each->methods) {
      MethodInfo& info = out.emplace_back();
      info.service = each->name;
      info.method = method.name;
      info.kind = dynamic::kind_of(method);
      info.request = method.input->schema();
      info.reply = method.output->schema();
    }
  }
  co_return out;
}

}  // namespace micro
