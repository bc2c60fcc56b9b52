#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <micro/duration/chrono.hpp>
#include <micro/metadata/metadata.hpp>

// The headers of go-micro's RPC over HTTP/1.1 ("mucp"): what each message says about itself. Names are compared without regard to
// case; go-micro's peers see them in the spelling of Go's net/http ("Micro-Id").
// Functions without state, safe from any thread.
namespace micro::mucp {

inline constexpr std::string_view kService = "Micro-Service";
inline constexpr std::string_view kEndpoint = "Micro-Endpoint";
inline constexpr std::string_view kMethod = "Micro-Method";
inline constexpr std::string_view kId = "Micro-Id";
inline constexpr std::string_view kStream = "Micro-Stream";
inline constexpr std::string_view kError = "Micro-Error";
inline constexpr std::string_view kTopic = "Micro-Topic";
inline constexpr std::string_view kProtocol = "Micro-Protocol";
inline constexpr std::string_view kTarget = "Micro-Target";
inline constexpr std::string_view kTimeout = "Timeout";
// What servers put before the names of headers they repeat: "X-Micro-Error".
inline constexpr std::string_view kTwinPrefix = "X-";

// The value of Micro-Error that ends a stream without an error.
inline constexpr std::string_view kEndOfStream = "EOS";

// What the headers of one message say; the views are into them. An empty header is an absent one. For all but id, error and
// timeout the X- form counts when the plain one is absent.
struct Head {
  std::string_view service;
  std::string_view endpoint;  // "Greeter.Hello": Micro-Endpoint, else Micro-Method
  std::string_view id;
  std::string_view stream;
  std::string_view error;
  std::string_view topic;
  std::string_view content_type;
  std::optional<Duration> timeout;  // of the call, from now on
  // The codecs of go-micro's first versions are meant: see format.hpp.
  bool legacy = false;

  // A message of a call or an event, whatever its method and path are.
  bool is_message() const noexcept { return !endpoint.empty() || !topic.empty(); }
  bool ends_stream() const noexcept { return error == kEndOfStream; }
};

Head read_head(const Metadata& headers) noexcept;

// True for headers that belong to the protocol or to HTTP's framing: neither are they metadata for handlers, nor does a client
// send them because a user has set them. The others, Micro-Namespace and Authorization among them, are the user's.
bool is_reserved(std::string_view name) noexcept;

// The Timeout header: nanoseconds in decimal, 64 bits without a sign. nullopt for anything else, which means no deadline, and
// so does a time beyond what Duration holds.
std::optional<Duration> parse_timeout(std::string_view text) noexcept;
std::string format_timeout(Duration timeout);

// What may stand in a header's value of `text`: line ends become blanks, as net/http does it, other control bytes too; blanks
// around it are cut, as every reader does.
std::string header_value(std::string_view text);

// A header for one entry of a user's metadata. Values under "-bin" keys are bytes and travel as base64.
std::string encode_metadata(std::string_view key, std::string_view value);
// And back. Of "-bin" keys what is no base64 is taken as it is: go-micro knows no such rule.
std::string decode_metadata(std::string_view key, std::string_view value);

// The parts of "Greeter.Hello"; nullopt unless there are exactly two, neither empty.
struct EndpointName {
  std::string_view service;
  std::string_view method;
};
std::optional<EndpointName> parse_endpoint(std::string_view text) noexcept;

}  // namespace micro::mucp
