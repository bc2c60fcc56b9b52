#pragma once

#include <string_view>

#include <micro/codecs/json_codec.hpp>

#include "plan.hpp"

namespace micro::transcoding {

// Reads the parameters of a query into the fields of `request` that are neither in the path nor in the body.
Result<void> read_query(std::string_view query, const Plan& plan, const codec::JsonOptions& options, Message& request);

}  // namespace micro::transcoding
