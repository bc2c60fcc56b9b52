#pragma once

#include <string_view>

#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/http/message.hpp>
#include <micro/metadata/metadata.hpp>
#include <micro/server/path_parameters.hpp>
#include <micro/task/task.hpp>

namespace micro::rpc {

// A response that is sent piece by piece, as long as the handler likes: chunked on HTTP/1.1, DATA frames on HTTP/2.
//
// Flow control: write() waits while the caller does not take what was written before, so a handler never holds more than a piece.
// Cancellation: when the caller goes away, or the deadline passes, the context is cancelled and write() fails with its error.
// Thread safety: the loop of the call; one write at a time. Valid until the handler's task has ended.
class ResponseWriter {
 public:
  // Status and headers go out with the first piece; later changes have no effect. Content-Type is the handler's affair.
  int status = 200;
  Metadata headers;
  // Sent behind the body (RFC 9110, section 6.5). Many callers do not look at them.
  Metadata trailers;

  // Sends status and headers now, for callers that wait for them. INVALID_ARGUMENT when a header cannot be sent.
  virtual Result<void> begin() = 0;
  // Sends a piece of the body; an empty one only sends status and headers. `bytes` need not outlive the call that makes the task.
  virtual Task<Result<void>> write(std::string_view bytes) = 0;
  // Status and headers are out: an error can no longer be told as a status.
  virtual bool begun() const noexcept = 0;

 protected:
  ~ResponseWriter() = default;
};

// Answers a plain HTTP request with a body of any length. One object serves every loop at once.
class StreamingHttpHandler {
 public:
  virtual ~StreamingHttpHandler() = default;
  // The response ends when the task does. An Error before the first piece becomes its HTTP status with a JSON body; later it
  // breaks the response off, so that the caller sees that it is not complete. The request is there with its whole body.
  // `request`, `parameters` and `response` live until the task has ended.
  virtual Task<Result<void>> handle(Context& context, const http::Request& request, const PathParameters& parameters,
                                    ResponseWriter& response) = 0;
};

}  // namespace micro::rpc
