#pragma once

#include <concepts>

#include <google/protobuf/message.h>

#include <micro/codec/message.hpp>

// How generated protobuf classes become MessageTypes. Included by generated code; handlers rarely need it.
namespace micro::codec {

// A generated message class. google::protobuf::Message itself and lite messages have no type of their own here.
template <class M>
concept GeneratedMessage = std::derived_from<M, google::protobuf::Message> && !std::same_as<M, google::protobuf::Message> &&
                           requires { M::default_instance(); };

// The MessageType of the generated class `prototype` belongs to: one object a class, alive for the whole program.
// Family kProtobuf: its `data` is always a google::protobuf::Message* converted to void*, never a pointer to the derived class.
// acquire() and release() keep up to 64 cleared messages a type and thread; a message that grew beyond 64 KiB is freed instead.
// Throws std::invalid_argument for a DynamicMessage: its type comes from its DynamicTypes.
// Thread safety: any thread, also while a thread ends.
const MessageType& generated_type(const google::protobuf::Message& prototype);

template <GeneratedMessage M>
const MessageType& message_type() {
  static const MessageType& type = generated_type(M::default_instance());
  return type;
}

// The protobuf message behind a reference whose family is kProtobuf.
inline google::protobuf::Message& protobuf_message(MessageRef ref) noexcept {
  return *static_cast<google::protobuf::Message*>(ref.data);
}

// The message behind a reference of exactly the type M; the caller vouches for that.
template <GeneratedMessage M>
M& message_cast(MessageRef ref) noexcept {
  return static_cast<M&>(protobuf_message(ref));
}

// A reference to a message owned by the caller: `codec.marshal(ref(reply), out)`. From a const message only marshal() may be
// given the reference, which does not change what it points at.
template <GeneratedMessage M>
MessageRef ref(const M& message) {
  return {const_cast<google::protobuf::Message*>(static_cast<const google::protobuf::Message*>(&message)), &message_type<M>()};
}

// The same when only the base class is known. Throws as generated_type() does.
MessageRef ref(const google::protobuf::Message& message);

}  // namespace micro::codec
