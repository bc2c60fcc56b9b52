#pragma once

#include <string>

#include <micro/codec/message.hpp>

namespace micro::codec {

// The type of messages that pass through as they are: `data` is a std::string* holding the encoded message, in whatever content
// type the call has. Proxies and gateways use it to forward without decoding. name() is "bytes", schema() has no values.
// One object, alive for the whole program.
const MessageType& bytes_type();

// A reference to bytes owned by the caller; from a const string it may be given to marshal() only.
MessageRef ref(const std::string& bytes);

// The bytes behind a reference whose family is kBytes.
inline std::string& bytes_message(MessageRef ref) noexcept { return *static_cast<std::string*>(ref.data); }

}  // namespace micro::codec
