#pragma once

#include <micro/codec/table.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/error/error.hpp>

namespace micro::codec {

// Adds ProtoCodec and a JsonCodec with `json` to the table.
// Errors: ALREADY_EXISTS when the table has a codec of that name or content type; add your own under other names, or instead.
Result<void> install(Table& table, const JsonOptions& json = {});

}  // namespace micro::codec
