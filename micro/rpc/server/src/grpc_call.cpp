#include "grpc_call.hpp"

#include <limits>

#include <micro/call/endpoint.hpp>
#include <micro/grpc/fields.hpp>
#include <micro/grpc/request.hpp>
#include <micro/grpc/status.hpp>
#include <micro/mucp/error.hpp>

#include "connection.hpp"
#include "http2_protocol.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// A writer pauses when this much of its stream waits for the peer's window.
constexpr std::size_t kMaxQueued = 64 * 1024;

// Header sections that never change, encoded once.
struct PreparedBlocks {
  Buffer headers;  // the beginning of every answer
  Buffer ok;       // the end of every call that went well
  PreparedBlocks() {
    const http2::Field head[] = {{":status", "200"}, {"content-type", grpc::kContentType}};
    const http2::Field end[] = {{"grpc-status", "0"}};
    http2::encode_static(head, headers);
    http2::encode_static(end, ok);
  }
};

const PreparedBlocks& prepared() {
  static const PreparedBlocks blocks;
  return blocks;
}

}  // namespace

GrpcCall::GrpcCall(Worker& worker) : worker_(worker), held_(worker.unfinished()) {}

bool GrpcCall::begin(Http2Protocol& protocol, http2::Stream& stream, const http2::HeaderBlock& block, const Endpoint& endpoint,
                     const codec::Codec& codec) {
  protocol_ = &protocol;
  stream_ = &stream;
  endpoint_ = &endpoint;
  messages_.begin(codec, worker_.state().options.max_receive_message_size, context_);
  std::optional<Error> error;
  if (!take_fields(block, error)) {
    const bool unknown_encoding = error->code() == Code::kUnimplemented;
    context_.reset();
    protocol_->reject(stream, *error, unknown_encoding);
    return false;
  }
  context_.begin_serving(protocol.connection().peer(), protocol.connection().identity());
  call_ = Call{.service = endpoint.service,
               .method = endpoint.method,
               .kind = endpoint.kind,
               .protocol = Protocol::kGrpc,
               .idempotent = endpoint.idempotent,
               .endpoint = &endpoint};
  cancelled_.link(
      context_.cancellation(), [](void* self, const Error& reason) { static_cast<GrpcCall*>(self)->on_cancel(reason); }, this);
  worker_.call_begun(open_);
  if (endpoint.kind == MethodKind::kClientStream || endpoint.kind == MethodKind::kBidiStream) {
    start();
  } else {
    request_ = codec::MessagePtr(*endpoint.request_type);
  }
  return true;
}

bool GrpcCall::take_fields(const http2::HeaderBlock& block, std::optional<Error>& error) {
  const TimePoint now = worker_.loop().now();
  for (const http2::Field& field : block.fields) {
    if (Result<void> taken = messages_.take(field.name, field.value, now); !taken) {
      error = std::move(taken.error());
      return false;
    }
  }
  messages_.begin_reading(now);
  return true;
}

void GrpcCall::receive(std::string_view data, bool end_stream) {
  uncredited_ += data.size();
  if (end_stream) remote_ended_ = true;
  if (!data.empty()) messages_.reader().feed(data);
  if (call_.kind == MethodKind::kClientStream || call_.kind == MethodKind::kBidiStream) {
    if (!data.empty()) messages_.reader().keep();
    if (!answered_ && !held_.set(messages_.reader().pending())) return context_.cancel(worker_.no_room());
    wake(reader_waits_);
    return;
  }
  if (running_ || answered_) return;  // the handler runs already: what comes now is nobody's
  if (Result<void> taken = messages_.take_request(*endpoint_, request_.get(), remote_ended_); !taken) {
    worker_.count_refused(taken.error());
    finish(std::move(taken));
    return;  // may be in the pool again
  }
  credit(0);  // one message, bounded by its limit: it may arrive as fast as it comes
  if (remote_ended_) {
    (void)held_.set(0);
    start();
  } else if (!held_.set(messages_.reader().pending())) {
    finish(fail(worker_.no_room()));
  }
}

void GrpcCall::look(TimePoint now) {
  const ServerOptions& limits = worker_.state().options;
  if (answered_) {
    if (stream_->queued() == 0 || limits.write_timeout <= Duration{}) return pace_.restart();
    const std::uint64_t taken = std::numeric_limits<std::uint64_t>::max() - stream_->queued();
    if (pace_.keeps_up(taken, now, limits.write_timeout, limits.min_transfer_rate)) return;
    worker_.counters().write_timeouts.add();
    Http2Protocol& protocol = *protocol_;
    protocol.session().reset(*stream_, http2::ErrorCode::kCancel);  // this call may be in the pool again
    return protocol.output_added();
  }
  if (running_ || limits.body_timeout <= Duration{}) return;
  if (pace_.keeps_up(messages_.reader().pending(), now, limits.body_timeout, limits.min_transfer_rate)) return;
  worker_.counters().body_timeouts.add();
  finish(fail(Error(Code::kDeadlineExceeded, "HTTP_BODY_TIMEOUT",
                    "the request for " + endpoint_->path() + " arrives too slowly (options body_timeout, min_transfer_rate)")));
}

void GrpcCall::start() {
  call_.request = request_.get();
  if (call_.kind == MethodKind::kUnary || call_.kind == MethodKind::kClientStream) {
    reply_ = codec::MessagePtr(*endpoint_->reply_type);
    call_.reply = reply_.get();
  }
  if (call_.kind != MethodKind::kUnary) call_.stream = this;
  running_ = true;
  const KeepResumeDepth keep;  // each call of a read batch has the budget to itself
  drive();
}

Detached GrpcCall::drive() {
  Reply reply;
  try {
    reply = co_await worker_.state().chain.run(context_, call_, *endpoint_->handler);
  } catch (...) {
    // The recovery middleware says more in the log; this is the net below it.
    reply = fail(internal("the handler of " + endpoint_->path() + " failed with an exception"));
  }
  running_ = false;
  finish(std::move(reply));
}

// The handler has returned, or the call ends without one.
void GrpcCall::finish(Reply reply) {
  failed_ = failed_ || !reply;
  (void)held_.set(0);
  if (stream_ != nullptr && !answered_) {
    finishing_ = true;
    answer(reply);
    finishing_ = false;
  }
  if (stream_ == nullptr) return release();
  // The answer may wait long for the peer's window; the messages need not.
  call_.request = {};
  call_.reply = {};
  request_.reset();
  reply_.reset();
  messages_.reader().reset({});
}

void GrpcCall::on_cancel(const Error& reason) {
  failed_ = true;
  worker_.count_cancelled(reason);
  if (stream_ != nullptr && !answered_) answer_error(reason);
  wake(reader_waits_);
  wake(writer_waits_);
}

// Sends the end of the call. The stream may close inside, which detaches this call.
void GrpcCall::answer(const Reply& reply) {
  if (!reply) return answer_error(reply.error());
  if (call_.reply) {
    if (!send_headers()) return;
    if (Result<void> sent = send_message(call_.reply); !sent) {
      failed_ = true;
      return answer_error(sent.error());
    }
  }
  if (!send_headers()) return;
  answered_ = true;
  http2::Session& session = protocol_->session();
  http2::Stream& stream = *stream_;
  Http2Protocol& protocol = *protocol_;
  if (context_.reply_trailers().empty()) {
    session.submit_encoded_headers(stream, prepared().ok.view(), true);
  } else {
    grpc::FieldList list;
    grpc::append_ok(list);
    if (Result<void> appended = grpc::append_metadata(context_.reply_trailers(), list); !appended) {
      answered_ = false;
      failed_ = true;
      return answer_error(appended.error());
    }
    std::vector<http2::Field> fields;
    for (const grpc::Field field : list) fields.push_back({field.name, field.value});
    session.submit_headers(stream, fields, true);
  }
  stop_caller();
  protocol.output_added();
}

void GrpcCall::answer_error(const Error& error) {
  answered_ = true;
  grpc::FieldList list;
  if (messages_.go_micro()) {
    grpc::append_status(mucp::with_detail(error), list);
  } else {
    grpc::append_status(error, list);
  }
  // What the handler put into the trailers goes along as far as it can be sent.
  (void)grpc::append_metadata(context_.reply_trailers(), list);
  std::vector<http2::Field> fields;
  if (!headers_sent_) {
    fields.push_back({":status", "200"});
    fields.push_back({"content-type", grpc::kContentType});
    if (!context_.reply_headers().empty()) (void)grpc::append_metadata(context_.reply_headers(), list);
  }
  for (const grpc::Field field : list) fields.push_back({field.name, field.value});
  headers_sent_ = true;
  Http2Protocol& protocol = *protocol_;
  protocol.session().submit_headers(*stream_, fields, true);
  stop_caller();
  protocol.output_added();
}

// The answer is complete and the caller still sends: it may stop (RFC 9113, section 8.1). Not before the answer has left the
// queue, because a reset would drop it.
void GrpcCall::stop_caller() {
  if (stream_ != nullptr && !remote_ended_ && stream_->queued() == 0) {
    protocol_->session().reset(*stream_, http2::ErrorCode::kNoError);
  }
}

// False when the headers cannot be sent, and the call has been answered with the reason.
bool GrpcCall::send_headers() {
  if (headers_sent_) return true;
  http2::Session& session = protocol_->session();
  const grpc::Compression encoding = messages_.reply_encoding();
  if (context_.reply_headers().empty() && encoding == grpc::Compression::kIdentity &&
      &messages_.codec() == worker_.state().proto) {
    headers_sent_ = true;
    session.submit_encoded_headers(*stream_, prepared().headers.view(), false);
    return true;
  }
  grpc::FieldList list;
  if (Result<void> appended = grpc::append_metadata(context_.reply_headers(), list); !appended) {
    failed_ = true;
    context_.reply_headers().clear();
    answer_error(appended.error());
    return false;
  }
  std::string content_type(grpc::kContentType);
  if (&messages_.codec() != worker_.state().proto) content_type += "+" + std::string(messages_.codec().name());
  std::vector<http2::Field> fields{{":status", "200"}, {"content-type", content_type}};
  if (encoding != grpc::Compression::kIdentity) {
    fields.push_back({"grpc-encoding", grpc::to_string(encoding)});
    fields.push_back({"grpc-accept-encoding", grpc::kAcceptEncoding});
  }
  for (const grpc::Field field : list) fields.push_back({field.name, field.value});
  headers_sent_ = true;
  session.submit_headers(*stream_, fields, false);
  return true;
}

Result<void> GrpcCall::send_message(codec::MessageRef message) {
  Buffer& out = worker_.encode_buffer();
  out.clear();
  if (Result<void> encoded = messages_.encode(message, out); !encoded) return encoded;
  if (out.size() >= Chain::kCopyThreshold) {
    protocol_->session().submit_data(*stream_, std::move(out), false);
    out = Buffer();
  } else {
    protocol_->session().submit_data(*stream_, out.view(), false);
  }
  return {};
}

// Lets the peer send again what has arrived, but for `unread` bytes.
void GrpcCall::credit(std::size_t unread) {
  if (uncredited_ <= unread) return;
  protocol_->session().consumed(*stream_, uncredited_ - unread);
  uncredited_ = unread;
}

void GrpcCall::wake(std::coroutine_handle<>& slot) {
  if (slot) worker_.loop().post(std::exchange(slot, {}));
}

void GrpcCall::detach(const Error& reason) {
  if (stream_ == nullptr) return;
  stream_ = nullptr;
  if (running_) abandoned_ = protocol_->abandoned().add();
  protocol_->forget(*this);
  protocol_ = nullptr;
  if (running_) {
    if (!answered_) context_.cancel(reason);
    wake(reader_waits_);
    wake(writer_waits_);
    return;
  }
  if (!finishing_) release();
}

void GrpcCall::writable() {
  wake(writer_waits_);
  if (answered_) stop_caller();
}

bool GrpcCall::output_full() const noexcept { return stream_->queued() > kMaxQueued || protocol_->congested(); }

Task<Result<bool>> GrpcCall::read(codec::MessageRef message) {
  while (true) {
    if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
    const Result<bool> next = messages_.next(message);
    if (!next) {
      worker_.count_refused(next.error());
      co_return std::unexpected(next.error());
    }
    if (*next) {
      if (stream_ != nullptr) {
        (void)held_.set(messages_.reader().pending());
        credit(messages_.reader().pending());
        protocol_->output_added();
      }
      co_return true;
    }
    if (remote_ended_) {
      Result<void> ended = messages_.reader().finish();
      if (!ended) co_return std::unexpected(std::move(ended.error()));
      co_return false;
    }
    if (stream_ != nullptr && uncredited_ > 0) {
      // The rest of a message that is wanted now may be larger than the window.
      credit(0);
      protocol_->output_added();
    }
    Wait wait{reader_waits_};
    co_await wait;
  }
}

Task<Result<void>> GrpcCall::write(codec::MessageRef message) {
  if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
  if (stream_ == nullptr || answered_) co_return fail(cancelled("the call has ended"));
  if (!send_headers()) co_return fail(internal("the reply headers cannot be sent"));
  if (Result<void> sent = send_message(message); !sent) co_return std::unexpected(std::move(sent.error()));
  protocol_->output_added();
  while (stream_ != nullptr && !context_.cancelled() && output_full()) {
    if (protocol_->congested()) protocol_->wake_when_flushed(*this);
    Wait wait{writer_waits_};
    co_await wait;
  }
  if (std::optional<Error> reason = context_.error()) co_return fail(std::move(*reason));
  co_return Result<void>{};
}

Task<Result<void>> GrpcCall::close_send() { co_return Result<void>{}; }

// Both ends are done: back to the pool.
void GrpcCall::release() {
  worker_.call_ended(open_, failed_);
  abandoned_.reset();
  cancelled_.unlink();
  request_.reset();
  reply_.reset();
  context_.reset();
  call_ = {};
  uncredited_ = 0;
  pace_.restart();
  (void)held_.set(0);
  remote_ended_ = headers_sent_ = answered_ = running_ = finishing_ = failed_ = false;
  protocol_ = nullptr;
  endpoint_ = nullptr;
  worker_.give_back(std::unique_ptr<GrpcCall>(this));
}

}  // namespace micro::rpc
