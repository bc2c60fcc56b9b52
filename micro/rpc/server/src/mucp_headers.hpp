#pragma once

#include <string_view>

#include <micro/context/context.hpp>
#include <micro/metadata/metadata.hpp>
#include <micro/mucp/format.hpp>
#include <micro/mucp/head.hpp>

namespace micro::rpc {

// Deadline, metadata and request id of a call of go-micro RPC.
void take_mucp_headers(const Metadata& headers, const mucp::Head& head, Context& context, TimePoint now);

// What a reply repeats of its request; `twins`: also with X- before the names, as messages of streams have it.
void append_mucp_names(const mucp::Head& head, bool twins, Metadata& out);
// How it went: Micro-Error and its twin unless `error` is empty, and what gRPC's framing has besides.
void append_mucp_outcome(mucp::Format format, std::string_view error, Metadata& out);
// A handler's metadata, as far as it can be sent.
void append_mucp_metadata(const Metadata& metadata, Metadata& out);

}  // namespace micro::rpc
