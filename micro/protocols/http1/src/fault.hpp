#pragma once

#include <cstdint>

#include <micro/error/error.hpp>
#include <micro/http1/limits.hpp>

namespace micro::http1 {

// The ways a message can be wrong. kNone is success; texts, reasons and statuses are in fault.cpp.
enum class Fault : std::uint8_t {
  kNone,
  kStartLine,
  kMethod,
  kTarget,
  kAuthority,
  kTargetForm,
  kVersionSyntax,
  kVersion,
  kStatusLine,
  kStartLineSize,
  kBareLf,
  kBareCr,
  kControlByte,
  kFolded,
  kBlankBeforeColon,
  kEmptyName,
  kFieldName,
  kHeaderBytes,
  kHeaderCount,
  kNoHost,
  kManyHosts,
  kHost,
  kContentLength,
  kManyContentLengths,
  kLengthAndChunked,
  kCoding,
  kManyCodings,
  kChunkedOnOld,
  kExpectation,
  kTrailer,
  kBodySize,
  kChunkSize,
  kChunkExtension,
  kChunkLine,
  kChunkEnd,
  kChunkOverhead,
  kInterim,
  kTruncated,
};

Error error_of(Fault fault, const Limits& limits, bool request);

}  // namespace micro::http1
