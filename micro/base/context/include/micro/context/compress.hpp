#pragma once

#include <cstdint>

namespace micro {

// Whether messages are compressed on their way. See Context::set_reply_compression() and set_request_compression().
enum class Compress : std::uint8_t {
  kDefault,  // a reply as its request was; a request as the options of the call say
  kOff,
  kOn,  // if the other side reads any encoding of ours; else as they are
};

}  // namespace micro
