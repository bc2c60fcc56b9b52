#include "fetch.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <micro/builtin/reflection_messages.hpp>

#include "file_set.hpp"

namespace micro::dynamic {
namespace {

namespace reflection = rpc::reflection;

// A stream has no time limit of its own, and a node that does not answer must not hold all who wait for the schema.
constexpr Duration kUsualTimeout = std::chrono::seconds(5);

// Questions and answers on one reflection stream.
class Conversation {
 public:
  Conversation(rpc::MessageStream& stream, const reflection::Protocol& protocol)
      : stream_(stream), request_(*protocol.request), response_(*protocol.response) {}

  Task<Result<std::vector<std::string>>> services() {
    reflection::ask_services(request_.get());
    Result<void> answered = co_await ask();
    if (!answered) co_return fail(std::move(answered.error()));
    co_return reflection::services_in(response_.get());
  }
  // `refused` tells an answer that says no from a stream that broke.
  Task<Result<void>> file_with_symbol(const std::string& symbol, FileSet& files, bool& refused) {
    reflection::ask_file_with_symbol(request_.get(), symbol);
    return take_files(files, refused);
  }
  Task<Result<void>> file(const std::string& name, FileSet& files, bool& refused) {
    reflection::ask_file(request_.get(), name);
    return take_files(files, refused);
  }
  // So that the node sees a call that ended well.
  Task<Result<void>> end() {
    Result<void> closed = co_await stream_.close_send();
    if (!closed) co_return closed;
    const Result<bool> more = co_await stream_.read(response_.get());
    if (!more) co_return fail(more.error());
    co_return Result<void>{};
  }

 private:
  Task<Result<void>> ask() {
    Result<void> written = co_await stream_.write(request_.get());
    if (!written) co_return written;
    const Result<bool> answered = co_await stream_.read(response_.get());
    if (!answered) co_return fail(answered.error());
    if (!*answered) co_return fail(internal("the node's reflection ended without an answer"));
    co_return Result<void>{};
  }
  Task<Result<void>> take_files(FileSet& files, bool& refused) {
    refused = false;
    Result<void> answered = co_await ask();
    if (!answered) co_return answered;
    Result<std::vector<std::string>> got = reflection::files_in(response_.get());
    refused = !got;
    if (!got) co_return fail(std::move(got.error()));
    co_return files.add(std::move(*got));
  }

  rpc::MessageStream& stream_;
  const codec::MessagePtr request_;
  const codec::MessagePtr response_;
};

Task<Result<SchemaPtr>> gather(Conversation& conversation) {
  Result<std::vector<std::string>> services = co_await conversation.services();
  if (!services) co_return fail(std::move(services.error()));
  FileSet files;
  Error refusal = failed_precondition("the node's reflection lists no service").with_reason("BAD_SCHEMA");
  bool refused = false;
  for (const std::string& service : *services) {
    if (files.defines(service)) continue;
    Result<void> got = co_await conversation.file_with_symbol(service, files, refused);
    // A service without a descriptor does not hide the others.
    if (!got && !refused) co_return fail(std::move(got.error()));
    if (!got) refusal = std::move(got.error()).with_context("service " + service);
  }
  while (!files.missing().empty()) {
    const std::string import = *files.missing().begin();
    Result<void> got = co_await conversation.file(import, files, refused);
    if (!got && !refused) co_return fail(std::move(got.error()));
    // Refused, or answered with other files than this: what is missing then is told when the types are made.
    if (files.missing().contains(import)) files.give_up(import);
  }
  Result<codec::DynamicTypes> types = codec::DynamicTypes::create(files.files());
  if (!types) co_return fail(failed_precondition(types.error().message()).with_reason("BAD_SCHEMA"));
  auto schema = std::make_shared<Schema>(Schema{std::move(*types), {}});
  for (const std::string& service : *services) {
    const auto found = std::ranges::find(schema->types.services(), service, &codec::DynamicService::name);
    if (found != schema->types.services().end()) schema->services.push_back(&*found);
  }
  if (schema->services.empty()) co_return fail(std::move(refusal));
  // The schema is complete, whatever becomes of the stream.
  (void)co_await conversation.end();
  co_return SchemaPtr(std::move(schema));
}

Task<Result<SchemaPtr>> fetch_by(reflection::Version version, Context& context, rpc::Client& client, std::string_view service,
                                 const rpc::CallOptions& options) {
  const reflection::Protocol& protocol = reflection::protocol(version);
  const codec::MessageRef none;
  auto stream = co_await client.stream(context, service, protocol.service, reflection::kMethod, rpc::MethodKind::kBidiStream,
                                       none, options);
  if (!stream) co_return fail(std::move(stream.error()));
  Conversation conversation(**stream, protocol);
  co_return co_await gather(conversation);
}

Error no_reflection(std::string_view service, const std::string& peer, Error cause) {
  std::string text = "service \"" + std::string(service) + "\"";
  if (!peer.empty()) text += " at " + peer;
  text +=
      " does not offer gRPC server reflection, so its endpoints are not known here; switch reflection on in that program, or "
      "call it "
      "with generated code";
  return failed_precondition(std::move(text)).with_reason("NO_REFLECTION").with_cause(std::move(cause));
}

}  // namespace

Task<Result<SchemaPtr>> fetch_schema(Context& context, rpc::Client& client, std::string_view service,
                                     const rpc::CallOptions& options) {
  rpc::CallOptions wanted = options;
  wanted.idempotent = true;
  if (wanted.timeout <= Duration::zero()) wanted.timeout = kUsualTimeout;
  // A child: the metadata of these replies is nothing to the caller.
  Context child(context);
  child.set_timeout(wanted.timeout);
  Result<SchemaPtr> schema = co_await fetch_by(reflection::Version::kV1, child, client, service, wanted);
  if (!schema && schema.error().code() == Code::kUnimplemented) {
    Result<SchemaPtr> older = co_await fetch_by(reflection::Version::kV1Alpha, child, client, service, wanted);
    if (older) co_return older;
    if (older.error().code() == Code::kUnimplemented)
      co_return fail(no_reflection(service, child.peer(), std::move(older.error())));
    schema = std::move(older);
  }
  if (!schema) co_return fail(std::move(schema.error()).with_context("schema of service \"" + std::string(service) + "\""));
  co_return schema;
}

}  // namespace micro::dynamic
