#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace micro::codec {

// What a message looks like, for people and generic tools: a name, a type and the fields inside. Published in the registry with
// every endpoint, in the shape go-micro gives its Value records.
struct Schema {
  std::string name;  // field name; for a whole message its short type name ("HelloRequest")
  std::string type;  // "string", "int64", "[]string", "map[string]int32", or a message's short name
  std::vector<Schema> values;
  friend bool operator==(const Schema&, const Schema&) = default;
};

// How the objects of a MessageType are represented, which tells a codec what it may cast to.
enum class Family : std::uint8_t {
  kProtobuf,  // data is a google::protobuf::Message*
  kBytes,     // data is a std::string* that holds an encoded message as it is
};

// A C++ type that can be an argument or a reply: how to make, clear and destroy one. One object a type, alive for the whole
// program. Thread safety: all members may be called from any thread.
class MessageType {
 public:
  virtual ~MessageType() = default;
  virtual Family family() const noexcept = 0;
  // The full name on the wire: "greeter.HelloRequest".
  virtual std::string_view name() const noexcept = 0;
  // An empty message. acquire() prefers one released earlier on this thread, whose memory is warm.
  virtual void* acquire() const = 0;
  // Takes back what acquire() gave.
  virtual void release(void* message) const noexcept = 0;
  virtual Schema schema() const = 0;
  // The serialised google.protobuf.FileDescriptorProtos this type needs, dependencies first; empty outside protobuf.
  virtual std::vector<std::string> file_descriptors() const { return {}; }
};

// A message and its type, without ownership. Null when default constructed.
struct MessageRef {
  void* data = nullptr;
  const MessageType* type = nullptr;
  explicit operator bool() const noexcept { return data != nullptr; }
};

// Owns one message between acquire() and release().
class MessagePtr {
 public:
  MessagePtr() = default;
  explicit MessagePtr(const MessageType& type) : ref_{type.acquire(), &type} {}
  MessagePtr(MessagePtr&& other) noexcept : ref_(other.ref_) { other.ref_ = {}; }
  MessagePtr& operator=(MessagePtr&& other) noexcept {
    if (this != &other) {
      reset();
      ref_ = other.ref_;
      other.ref_ = {};
    }
    return *this;
  }
  ~MessagePtr() { reset(); }
  void reset() noexcept {
    if (ref_.data != nullptr) ref_.type->release(ref_.data);
    ref_ = {};
  }
  MessageRef get() const noexcept { return ref_; }
  void* data() const noexcept { return ref_.data; }
  explicit operator bool() const noexcept { return ref_.data != nullptr; }

 private:
  MessageRef ref_;
};

}  // namespace micro::codec
