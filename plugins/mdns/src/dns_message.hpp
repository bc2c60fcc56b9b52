#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>

// DNS messages (RFC 1035, section 4), as far as discovery needs them: bytes in, values out, and back.
namespace micro::mdns {

// The labels of a name, without the root: {"greeter", "micro"}. Any bytes, 1 to 63 a label.
using Name = std::vector<std::string>;

// "greeter.micro." for messages; what is not a plain character is written as \DDD.
std::string to_text(const Name& name);
// Whether `name` ends with `suffix` and has more in front of it.
bool is_below(const Name& name, const Name& suffix);
Name operator+(Name front, const Name& back);

enum class Type : std::uint16_t { kA = 1, kPtr = 12, kTxt = 16, kAaaa = 28, kSrv = 33, kAny = 255 };

constexpr std::uint16_t kInternet = 1;              // class IN
constexpr std::uint16_t kUnicastWanted = 1U << 15;  // of a question's class: RFC 6762, section 5.4
constexpr std::uint16_t kResponse = 0x8000;         // of the flags
constexpr std::uint16_t kAuthoritative = 0x0400;

struct Question {
  Name name;
  Type type = Type::kPtr;
  std::uint16_t cls = kInternet;
  friend bool operator==(const Question&, const Question&) = default;
};

struct Record {
  Name name;
  Type type = Type::kPtr;
  std::uint16_t cls = kInternet;
  std::uint32_t ttl = 0;             // seconds
  Name target{};                     // PTR, SRV
  std::uint16_t priority = 0;        // SRV
  std::uint16_t weight = 0;          // SRV
  std::uint16_t port = 0;            // SRV
  std::vector<std::string> texts{};  // TXT: each at most 255 bytes
  std::string data{};                // A: 4 bytes, AAAA: 16; of other types what is there
  friend bool operator==(const Record&, const Record&) = default;
};

struct Message {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::vector<Question> questions{};
  std::vector<Record> answers{};
  std::vector<Record> authorities{};
  std::vector<Record> additionals{};
  bool is_response() const noexcept { return (flags & kResponse) != 0; }
  friend bool operator==(const Message&, const Message&) = default;
};

// INVALID_ARGUMENT for names and texts that do not fit, RESOURCE_EXHAUSTED for what is larger than a datagram. `compress`: names
// that were there before are written as pointers (RFC 1035, section 4.1.4).
Result<std::string> encode(const Message& message, bool compress);
// INVALID_ARGUMENT says what is wrong at which position. What follows the message is ignored.
Result<Message> decode(std::string_view bytes);

}  // namespace micro::mdns
