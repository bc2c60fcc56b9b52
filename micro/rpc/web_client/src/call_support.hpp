#pragma once

#include <optional>
#include <string>

#include <micro/codec/codec.hpp>
#include <micro/web_client/calls.hpp>

namespace micro::web {

const codec::Codec& codec_of(Encoding encoding);

// "greeter.Greeter/Chat"
std::string call_name(const Method& method);
// The target with the method's path behind its own.
Target call_target(const Method& method);
// The end of the call: the earlier of the context's and the options'.
std::optional<TimePoint> call_deadline(const Context& context, const CallOptions& options, TimePoint now);
// Headers every call has: the time that is left, and the user's metadata.
Result<Metadata> call_headers(const Context& context, std::optional<TimePoint> deadline, TimePoint now);

// Fails with RESOURCE_EXHAUSTED above the limit, as the codec does otherwise.
Result<void> encode(const codec::Codec& codec, codec::MessageRef message, const CallOptions& options, const std::string& name,
                    Buffer& out);
// The codec blames whoever gave it the bytes; here that is the service, not the caller.
Result<void> decode(const codec::Codec& codec, std::string_view bytes, codec::MessageRef message, const std::string& name);

// Reads the one reply of a call that is to have one, and its end.
Task<Result<void>> read_only_reply(rpc::MessageStream& stream, codec::MessageRef reply, const std::string& name);

}  // namespace micro::web
