#pragma once

#include <micro/codecs/json_codec.hpp>

namespace micro::mucp {

// How messages are written as JSON to programs of go-micro, so that every version reads them: v4's jsonpb, protojson since v5.14,
// and encoding/json into the structs of protobuf and into users' own, which knows nothing of names for enums and of integers in
// strings. That is, names as in the .proto, numbers for enums and 64-bit integers, padded base64, nothing that is zero.
//
// Reading takes what all of them write; unknown fields are refused, as Go's servers do it. What v4 before v5.14 writes of oneofs
// and well-known types is not JSON of protobuf: such messages need application/protobuf.
codec::JsonOptions json_options();

}  // namespace micro::mucp
