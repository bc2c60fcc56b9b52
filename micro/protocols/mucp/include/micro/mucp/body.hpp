#pragma once

#include <string>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/error/error.hpp>
#include <micro/mucp/format.hpp>

// The bodies of messages in each Format. Nothing is copied of a payload that is read: it is a view into the body.
// Functions without state, safe from any thread.
namespace micro::mucp {

// A request without its payload. In the formats without an envelope these travel in headers alone.
struct RequestEnvelope {
  std::string id;      // of kJsonRpc any JSON scalar, as text; of kProtoRpc a number
  std::string method;  // "Greeter.Hello"
};
struct ReplyEnvelope {
  std::string id;
  std::string error;  // the text of Micro-Error; empty for success
};

// Appends the body of a request or reply. A reply with an error has no payload: in kJson, kProto, kBytes and gRPC's formats its
// body is empty, because Micro-Error says it all.
void write_request(Format format, const RequestEnvelope& envelope, std::string_view payload, Buffer& out);
void write_reply(Format format, const ReplyEnvelope& envelope, std::string_view payload, Buffer& out);

// Takes a body apart. An empty body is an empty payload in every format. Of JSON the first value counts and what follows is
// ignored; "null" is an empty payload.
// Errors: INVALID_ARGUMENT that says what is wrong with the envelope or frame. The payload itself is not looked at.
Result<std::string_view> read_request(Format format, std::string_view body, RequestEnvelope& envelope);
Result<std::string_view> read_reply(Format format, std::string_view body, ReplyEnvelope& envelope);

}  // namespace micro::mucp
