#include "fault.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <micro/http/error.hpp>

namespace micro::http1 {

namespace {

struct Description {
  int status;
  std::string_view reason;
  std::string_view message;
};

Description describe(Fault fault) noexcept {
  switch (fault) {
    case Fault::kNone:
      break;
    case Fault::kStartLine:
      return {400, "HTTP_REQUEST_LINE", "the request line is not 'METHOD target HTTP/1.1' with single blanks"};
    case Fault::kMethod:
      return {400, "HTTP_METHOD", "the method is not a token"};
    case Fault::kTarget:
      return {400, "HTTP_TARGET", "the request target holds blanks, control bytes, '#' or bytes that need percent-encoding"};
    case Fault::kAuthority:
      return {400, "HTTP_TARGET", "the authority of the request target is not host[:port] (user information is not allowed)"};
    case Fault::kTargetForm:
      return {400, "HTTP_TARGET",
              "the request target does not fit the method: use /path, http://host/path, host:port with CONNECT, "
              "or * with OPTIONS"};
    case Fault::kVersionSyntax:
      return {400, "HTTP_VERSION", "the HTTP version is not of the form HTTP/1.1"};
    case Fault::kVersion:
      return {505, "HTTP_VERSION", "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    case Fault::kStatusLine:
      return {400, "HTTP_STATUS_LINE", "the status line is not 'HTTP/1.1 200 reason'"};
    case Fault::kStartLineSize:
      return {414, "HTTP_START_LINE_SIZE", "the request line or status line is too long"};
    case Fault::kBareLf:
      return {400, "HTTP_LINE_END", "a line ends in LF without CR"};
    case Fault::kBareCr:
      return {400, "HTTP_LINE_END", "a CR stands within a line"};
    case Fault::kControlByte:
      return {400, "HTTP_CONTROL_BYTE", "a line holds a control byte"};
    case Fault::kFolded:
      return {400, "HTTP_FOLDED_HEADER", "a header line begins with a blank (folded headers are obsolete)"};
    case Fault::kBlankBeforeColon:
      return {400, "HTTP_HEADER_NAME", "a blank stands between a header name and its colon"};
    case Fault::kEmptyName:
      return {400, "HTTP_HEADER_NAME", "a header line has no name"};
    case Fault::kFieldName:
      return {400, "HTTP_HEADER_NAME", "a header name is not a token followed by a colon"};
    case Fault::kHeaderBytes:
      return {431, "HTTP_HEADER_BYTES", "the headers are too long"};
    case Fault::kHeaderCount:
      return {431, "HTTP_HEADER_COUNT", "there are too many headers"};
    case Fault::kNoHost:
      return {400, "HTTP_HOST", "an HTTP/1.1 request needs a Host header"};
    case Fault::kManyHosts:
      return {400, "HTTP_HOST", "there is more than one Host header"};
    case Fault::kHost:
      return {400, "HTTP_HOST", "the Host header is not host[:port]"};
    case Fault::kContentLength:
      return {400, "HTTP_CONTENT_LENGTH", "Content-Length is not one plain decimal number of 64 bits"};
    case Fault::kManyContentLengths:
      return {400, "HTTP_CONTENT_LENGTH", "there is more than one Content-Length"};
    case Fault::kLengthAndChunked:
      return {400, "HTTP_TRANSFER_ENCODING", "Transfer-Encoding and Content-Length exclude each other"};
    case Fault::kCoding:
      return {501, "HTTP_TRANSFER_ENCODING", "the only transfer coding known here is chunked"};
    case Fault::kManyCodings:
      return {400, "HTTP_TRANSFER_ENCODING", "Transfer-Encoding is empty or lists chunked more than once"};
    case Fault::kChunkedOnOld:
      return {400, "HTTP_TRANSFER_ENCODING", "HTTP/1.0 has no Transfer-Encoding"};
    case Fault::kExpectation:
      return {417, "HTTP_EXPECTATION", "the only expectation known here is 100-continue"};
    case Fault::kTrailer:
      return {400, "HTTP_TRAILER", "a trailer holds a header that frames or routes the message"};
    case Fault::kBodySize:
      return {413, "HTTP_BODY_SIZE", "the body is too large"};
    case Fault::kChunkSize:
      return {400, "HTTP_CHUNK", "a chunk size is not a hexadecimal number of 64 bits"};
    case Fault::kChunkExtension:
      return {400, "HTTP_CHUNK", "a chunk extension is not ;name or ;name=value"};
    case Fault::kChunkLine:
      return {400, "HTTP_CHUNK", "the line with a chunk size is too long"};
    case Fault::kChunkEnd:
      return {400, "HTTP_CHUNK", "no CRLF stands after the data of a chunk"};
    case Fault::kChunkOverhead:
      return {400, "HTTP_CHUNK", "the chunk lines are out of proportion to the body they bring"};
    case Fault::kInterim:
      return {400, "HTTP_INTERIM", "too many 1xx responses came before the final one"};
    case Fault::kTruncated:
      return {400, "HTTP_TRUNCATED", "the connection was closed in the middle of it"};
  }
  return {500, "HTTP_INTERNAL", "no fault was recorded"};
}

std::optional<std::uint64_t> limit_of(Fault fault, const Limits& limits) noexcept {
  switch (fault) {
    case Fault::kStartLineSize:
      return limits.max_start_line;
    case Fault::kHeaderBytes:
      return limits.max_header_bytes;
    case Fault::kHeaderCount:
      return limits.max_header_count;
    case Fault::kBodySize:
      return limits.max_body;
    case Fault::kChunkLine:
      return limits.max_chunk_line;
    case Fault::kInterim:
      return limits.max_interim;
    default:
      return std::nullopt;
  }
}

}  // namespace

Error error_of(Fault fault, const Limits& limits, bool request) {
  const Description description = describe(fault);
  const auto limit = limit_of(fault, limits);
  std::string message = request ? "cannot read the HTTP request: " : "cannot read the HTTP response: ";
  message += description.message;
  if (limit) message.append(" (the limit is ").append(std::to_string(*limit)).append(")");
  std::string reason(description.reason);
  if (request) return http::error_with_status(description.status, std::move(reason), std::move(message));
  const Code code = fault == Fault::kTruncated ? Code::kUnavailable : limit ? Code::kResourceExhausted : Code::kInternal;
  return Error(code, std::move(reason), std::move(message));
}

}  // namespace micro::http1
