#include "call_support.hpp"

#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/proto_codec.hpp>
#include <micro/duration/duration.hpp>
#include <micro/grpc/timeout.hpp>

#include "http_exchange.hpp"

namespace micro::web {

const codec::Codec& codec_of(Encoding encoding) {
  // A service may be newer than its client.
  static const codec::JsonCodec json([] {
    codec::JsonOptions options;
    options.ignore_unknown_fields = true;
    return options;
  }());
  static const codec::ProtoCodec proto;
  if (encoding == Encoding::kJson) return json;
  return proto;
}

std::string call_name(const Method& method) { return method.service + "/" + method.method; }

Target call_target(const Method& method) {
  Target target = method.target;
  while (target.path.ends_with('/')) target.path.pop_back();
  target.path += "/" + call_name(method);
  return target;
}

std::optional<TimePoint> call_deadline(const Context& context, const CallOptions& options, TimePoint now) {
  std::optional<TimePoint> deadline = context.deadline();
  if (options.timeout > Duration::zero() && (!deadline || options.timeout < *deadline - now)) deadline = now + options.timeout;
  return deadline;
}

Result<Metadata> call_headers(const Context& context, std::optional<TimePoint> deadline, TimePoint now) {
  Metadata headers;
  if (deadline) headers.add("grpc-timeout", grpc::format_timeout(*deadline - now));
  if (Result<void> added = add_outgoing(context, headers); !added) return fail(std::move(added.error()));
  return headers;
}

Result<void> encode(const codec::Codec& codec, codec::MessageRef message, const CallOptions& options, const std::string& name,
                    Buffer& out) {
  if (Result<void> done = codec.marshal(message, out); !done) return done;
  if (out.size() <= options.max_send_message_size) return {};
  return fail(resource_exhausted(name + ": a message of " + std::to_string(out.size()) + " bytes is larger than the limit of " +
                                 std::to_string(options.max_send_message_size) + " (option max_send_message_size)"));
}

Result<void> decode(const codec::Codec& codec, std::string_view bytes, codec::MessageRef message, const std::string& name) {
  Result<void> done = codec.unmarshal(bytes, message);
  if (done) return done;
  const Code code = done.error().code() == Code::kInvalidArgument ? Code::kInternal : done.error().code();
  return fail(Error(code, name + ": cannot read the reply: " + done.error().message()));
}

Task<Result<void>> read_only_reply(rpc::MessageStream& stream, codec::MessageRef reply, const std::string& name) {
  Result<bool> first = co_await stream.read(reply);
  if (!first) co_return fail(std::move(first.error()));
  if (!*first) co_return fail(internal(name + ": the call ended without a reply"));
  const codec::MessagePtr none(*reply.type);
  Result<bool> second = co_await stream.read(none.get());
  if (!second) co_return fail(std::move(second.error()));
  if (*second) co_return fail(internal(name + ": more than one reply to a call that has one"));
  co_return Result<void>{};
}

}  // namespace micro::web
