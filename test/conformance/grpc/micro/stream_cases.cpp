#include <array>
#include <vector>

#include "cases.hpp"

namespace interop {

using micro::Code;
using micro::Compress;
using micro::Task;
using Request = testing::StreamingOutputCallRequest;
using Reply = testing::StreamingOutputCallResponse;
using Duplex = micro::BidiStream<Reply, Request>;

namespace {

constexpr std::array kRequestSizes{27182, 8, 1828, 45904};
constexpr std::array kReplySizes{31415, 9, 2653, 58979};

Request ask(int reply_size, int request_size) {
  Request request;
  if (reply_size >= 0) request.add_response_parameters()->set_size(reply_size);
  request.mutable_payload()->set_body(std::string(static_cast<std::size_t>(request_size), '\0'));
  return request;
}

testing::StreamingInputCallRequest input(int size) {
  testing::StreamingInputCallRequest request;
  request.mutable_payload()->set_body(std::string(static_cast<std::size_t>(size), '\0'));
  return request;
}

template <class Stream>
Task<void> expect_reply(Stream& stream, int size) {
  Reply reply;
  auto more = co_await stream.read(reply);
  expect_ok(more);
  expect(*more, "the stream ended instead of a reply of " + std::to_string(size) + " bytes");
  expect_zeros(reply.payload(), size);
}

template <class Stream>
Task<void> expect_end(Stream& stream) {
  Reply reply;
  auto more = co_await stream.read(reply);
  expect_ok(more);
  expect(!*more, "a reply behind the last");
}

template <class Stream, class Message>
Task<void> write(Stream& stream, const Message& message) {
  auto written = co_await stream.write(message);
  expect_ok(written);
}

}  // namespace

Task<void> Cases::client_streaming() {
  Context context;
  auto stream = co_await service_.StreamingInputCall(context, options_);
  expect_ok(stream);
  for (const int size : kRequestSizes) {
    const auto request = input(size);
    co_await write(*stream, request);
  }
  auto reply = co_await stream->finish();
  expect_ok(reply);
  expect(reply->aggregated_payload_size() == 74922, "the sum is " + std::to_string(reply->aggregated_payload_size()));
}

Task<void> Cases::client_compressed_streaming() {
  auto request = input(27182);
  request.mutable_expect_compressed()->set_value(true);
  {
    Context probe;
    auto stream = co_await service_.StreamingInputCall(probe, options_);
    expect_ok(stream);
    // The server may have refused it before this returns.
    (void)co_await stream->write(request);
    auto reply = co_await stream->finish();
    expect_code(reply, Code::kInvalidArgument);
  }
  Context context;
  micro::rpc::CallOptions gzip = options_;
  gzip.compression = "gzip";
  auto stream = co_await service_.StreamingInputCall(context, gzip);
  expect_ok(stream);
  co_await write(*stream, request);
  request = input(45904);
  request.mutable_expect_compressed()->set_value(false);
  context.set_request_compression(Compress::kOff);
  co_await write(*stream, request);
  auto reply = co_await stream->finish();
  expect_ok(reply);
  expect(reply->aggregated_payload_size() == 73086, "the sum is " + std::to_string(reply->aggregated_payload_size()));
}

Task<void> Cases::server_streaming() {
  Context context;
  Request request;
  for (const int size : kReplySizes) request.add_response_parameters()->set_size(size);
  auto stream = co_await service_.StreamingOutputCall(context, request, options_);
  expect_ok(stream);
  for (const int size : kReplySizes) co_await expect_reply(*stream, size);
  co_await expect_end(*stream);
}

Task<void> Cases::server_compressed_streaming() {
  Context context;
  Request request;
  constexpr std::pair<int, bool> wanted[] = {{31415, true}, {92653, false}};
  for (const auto& [size, compressed] : wanted) {
    testing::ResponseParameters& parameters = *request.add_response_parameters();
    parameters.set_size(size);
    parameters.mutable_compressed()->set_value(compressed);
  }
  auto stream = co_await service_.StreamingOutputCall(context, request, options_);
  expect_ok(stream);
  for (const auto& [size, compressed] : wanted) {
    co_await expect_reply(*stream, size);
    expect(context.reply_was_compressed() == compressed,
           "the reply of " + std::to_string(size) + " bytes is " + (compressed ? "not compressed" : "compressed"));
  }
  co_await expect_end(*stream);
}

Task<void> Cases::ping_pong() {
  Context context;
  auto stream = co_await service_.FullDuplexCall(context, options_);
  expect_ok(stream);
  for (std::size_t i = 0; i < kRequestSizes.size(); ++i) {
    const Request request = ask(kReplySizes[i], kRequestSizes[i]);
    co_await write(*stream, request);
    co_await expect_reply(*stream, kReplySizes[i]);
  }
  auto closed = co_await stream->close_send();
  expect_ok(closed);
  co_await expect_end(*stream);
}

Task<void> Cases::empty_stream() {
  Context context;
  auto stream = co_await service_.FullDuplexCall(context, options_);
  expect_ok(stream);
  auto closed = co_await stream->close_send();
  expect_ok(closed);
  co_await expect_end(*stream);
}

// In the interface of the suite, though no case of its own is described.
Task<void> Cases::half_duplex() {
  Context context;
  auto stream = co_await service_.HalfDuplexCall(context, options_);
  expect_ok(stream);
  for (const int size : kReplySizes) {
    const Request request = ask(size, 8);
    co_await write(*stream, request);
  }
  auto closed = co_await stream->close_send();
  expect_ok(closed);
  for (const int size : kReplySizes) co_await expect_reply(*stream, size);
  co_await expect_end(*stream);
}

Task<void> Cases::cancel_after_begin() {
  Context context;
  auto stream = co_await service_.StreamingInputCall(context, options_);
  expect_ok(stream);
  context.cancel(micro::cancelled("the case wants it so"));
  auto reply = co_await stream->finish();
  expect_code(reply, Code::kCancelled);
}

Task<void> Cases::cancel_after_first_response() {
  Context context;
  auto stream = co_await service_.FullDuplexCall(context, options_);
  expect_ok(stream);
  const Request request = ask(31415, 27182);
  co_await write(*stream, request);
  co_await expect_reply(*stream, 31415);
  context.cancel(micro::cancelled("the case wants it so"));
  Reply reply;
  auto more = co_await stream->read(reply);
  expect_code(more, Code::kCancelled);
}

Task<void> Cases::timeout_on_sleeping_server() {
  micro::Context context;
  context.set_timeout(std::chrono::milliseconds(1));
  auto stream = co_await service_.FullDuplexCall(context, options_);
  if (!stream) {
    expect_code(stream, Code::kDeadlineExceeded);
    co_return;
  }
  const Request request = ask(-1, 27182);
  // The time may be over before this returns.
  (void)co_await stream->write(request);
  Reply reply;
  auto more = co_await stream->read(reply);
  expect_code(more, Code::kDeadlineExceeded);
}

namespace {

constexpr std::string_view kInitial = "x-grpc-test-echo-initial";
constexpr std::string_view kTrailing = "x-grpc-test-echo-trailing-bin";
constexpr std::string_view kInitialValue = "test_initial_metadata_value";
constexpr std::string_view kTrailingValue = "\xab\xab\xab";

void add_metadata(Context& context) {
  context.outgoing().add(kInitial, kInitialValue);
  context.outgoing().add(kTrailing, kTrailingValue);
}

void expect_metadata(const Context& context) {
  expect(context.reply_headers().values(kInitial) == std::vector{kInitialValue}, "the text did not come back in the headers");
  expect(context.reply_trailers().values(kTrailing) == std::vector{kTrailingValue},
         "the bytes did not come back in the trailers");
}

}  // namespace

Task<void> Cases::custom_metadata() {
  {
    Context context;
    add_metadata(context);
    testing::SimpleRequest request;
    request.set_response_size(kLargeReply);
    request.mutable_payload()->set_body(std::string(kLargeRequest, '\0'));
    auto reply = co_await service_.UnaryCall(context, request, options_);
    expect_ok(reply);
    expect_metadata(context);
  }
  Context context;
  add_metadata(context);
  auto stream = co_await service_.FullDuplexCall(context, options_);
  expect_ok(stream);
  const Request request = ask(kLargeReply, kLargeRequest);
  co_await write(*stream, request);
  auto closed = co_await stream->close_send();
  expect_ok(closed);
  co_await expect_reply(*stream, kLargeReply);
  co_await expect_end(*stream);
  expect_metadata(context);
}

Task<void> Cases::status_code_and_message() {
  co_await expect_status("test status message");
  Context context;
  auto stream = co_await service_.FullDuplexCall(context, options_);
  expect_ok(stream);
  Request request;
  request.mutable_response_status()->set_code(static_cast<int>(Code::kUnknown));
  request.mutable_response_status()->set_message("test status message");
  co_await write(*stream, request);
  auto closed = co_await stream->close_send();
  expect_ok(closed);
  Reply reply;
  auto more = co_await stream->read(reply);
  expect_code(more, Code::kUnknown);
  expect(more.error().message() == "test status message", "the message is '" + more.error().message() + "'");
}

}  // namespace interop
