// The server of gRPC's interoperability suite. Takes the flags of every service.
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <micro/coro/sleep.hpp>
#include <micro/service/service.hpp>

#include "grpc/testing/test.micro.hpp"

namespace {

namespace testing = grpc::testing;
using micro::Context;
using micro::Result;
using micro::Task;

constexpr std::size_t kMaxMessage = std::size_t{64} << 20;
constexpr std::string_view kEchoInitial = "x-grpc-test-echo-initial";
constexpr std::string_view kEchoTrailing = "x-grpc-test-echo-trailing-bin";

void echo_metadata(Context& context) {
  for (const std::string_view value : context.metadata().values(kEchoInitial)) context.reply_headers().add(kEchoInitial, value);
  for (const std::string_view value : context.metadata().values(kEchoTrailing))
    context.reply_trailers().add(kEchoTrailing, value);
}

Result<void> fill(testing::Payload& payload, testing::PayloadType type, int size) {
  if (!testing::PayloadType_IsValid(type)) {
    return micro::fail(micro::invalid_argument("response_type " + std::to_string(type) + " is not known here"));
  }
  if (size < 0 || static_cast<std::size_t>(size) >= kMaxMessage) {
    return micro::fail(micro::invalid_argument("a payload of " + std::to_string(size) + " bytes: 0 to 64 MiB can be had"));
  }
  payload.set_type(type);
  payload.mutable_body()->assign(static_cast<std::size_t>(size), '\0');
  return {};
}

// The status the caller asked for, if it did.
template <class Request>
Result<void> wanted_status(const Request& request) {
  const testing::EchoStatus& status = request.response_status();
  if (status.code() == 0) return {};
  if (status.code() < 0 || status.code() > 16) {
    return micro::fail(micro::invalid_argument("response_status.code is " + std::to_string(status.code()) + ": 0 to 16 exist"));
  }
  return micro::fail(micro::Error(static_cast<micro::Code>(status.code()), status.message()));
}

template <class Request>
Result<void> check_compressed(const Context& context, const Request& request) {
  if (!request.has_expect_compressed() || request.expect_compressed().value() == context.request_was_compressed()) return {};
  return micro::fail(micro::invalid_argument(context.request_was_compressed()
                                                 ? "expect_compressed is false, but the request came compressed"
                                                 : "expect_compressed is true, but the request came as it is"));
}

void compress_reply(Context& context, const testing::BoolValue& wanted) {
  context.set_reply_compression(wanted.value() ? micro::Compress::kOn : micro::Compress::kOff);
}

class TestService final : public testing::TestService::Handler {
 public:
  Task<Result<testing::Empty>> EmptyCall(Context&, const testing::Empty& request) override { co_return request; }

  Task<Result<testing::SimpleResponse>> UnaryCall(Context& context, const testing::SimpleRequest& request) override {
    echo_metadata(context);
    testing::SimpleResponse reply;
    Result<void> done = check_compressed(context, request);
    if (done) done = wanted_status(request);
    if (done) done = fill(*reply.mutable_payload(), request.response_type(), request.response_size());
    if (!done) co_return micro::fail(std::move(done.error()));
    if (request.has_response_compressed()) compress_reply(context, request.response_compressed());
    if (request.fill_server_id()) reply.set_server_id(std::to_string(::getpid()));
    co_return reply;
  }

  Task<Result<testing::SimpleResponse>> CacheableUnaryCall(Context& context, const testing::SimpleRequest&) override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    context.reply_headers().add("cache-control", "max-age=60, public");
    testing::SimpleResponse reply;
    reply.mutable_payload()->set_body(std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
    co_return reply;
  }

  Task<Result<void>> StreamingOutputCall(Context& context, const testing::StreamingOutputCallRequest& request,
                                         micro::Writer<testing::StreamingOutputCallResponse>& writer) override {
    co_return co_await answer(context, request, writer);
  }

  Task<Result<testing::StreamingInputCallResponse>> StreamingInputCall(
      Context& context, micro::Reader<testing::StreamingInputCallRequest>& reader) override {
    testing::StreamingInputCallResponse reply;
    testing::StreamingInputCallRequest request;
    while (true) {
      Result<bool> more = co_await reader.read(request);
      if (!more) co_return micro::fail(std::move(more.error()));
      if (!*more) co_return reply;
      Result<void> agreed = check_compressed(context, request);
      if (!agreed) co_return micro::fail(std::move(agreed.error()));
      reply.set_aggregated_payload_size(reply.aggregated_payload_size() + static_cast<int>(request.payload().body().size()));
    }
  }

  Task<Result<void>> FullDuplexCall(
      Context& context,
      micro::ReaderWriter<testing::StreamingOutputCallRequest, testing::StreamingOutputCallResponse>& stream) override {
    echo_metadata(context);
    testing::StreamingOutputCallRequest request;
    while (true) {
      Result<bool> more = co_await stream.read(request);
      if (!more) co_return micro::fail(std::move(more.error()));
      if (!*more) co_return Result<void>{};
      Result<void> answered = co_await answer(context, request, stream);
      if (!answered) co_return answered;
    }
  }

  Task<Result<void>> HalfDuplexCall(
      Context& context,
      micro::ReaderWriter<testing::StreamingOutputCallRequest, testing::StreamingOutputCallResponse>& stream) override {
    std::vector<testing::StreamingOutputCallRequest> requests(1);
    while (true) {
      Result<bool> more = co_await stream.read(requests.back());
      if (!more) co_return micro::fail(std::move(more.error()));
      if (!*more) break;
      requests.emplace_back();
    }
    requests.pop_back();
    for (const testing::StreamingOutputCallRequest& request : requests) {
      Result<void> answered = co_await answer(context, request, stream);
      if (!answered) co_return answered;
    }
    co_return Result<void>{};
  }

 private:
  template <class Stream>
  static Task<Result<void>> answer(Context& context, const testing::StreamingOutputCallRequest& request, Stream& stream) {
    if (Result<void> status = wanted_status(request); !status) co_return status;
    testing::StreamingOutputCallResponse reply;
    for (const testing::ResponseParameters& wanted : request.response_parameters()) {
      if (Result<void> filled = fill(*reply.mutable_payload(), request.response_type(), wanted.size()); !filled) co_return filled;
      if (wanted.interval_us() > 0) {
        Result<void> slept = co_await micro::sleep(context, std::chrono::microseconds(wanted.interval_us()));
        if (!slept) co_return slept;
      }
      if (wanted.has_compressed()) compress_reply(context, wanted.compressed());
      Result<void> written = co_await stream.write(reply);
      if (!written) co_return written;
    }
    co_return Result<void>{};
  }
};

}  // namespace

int main(int argc, char** argv) {
  micro::ServiceOptions options;
  options.name = "interop_server";
  options.description = "The server of gRPC's interoperability suite.";
  options.server.max_receive_message_size = kMaxMessage;
  micro::Service service(options);
  service.handle(std::make_shared<TestService>());
  return service.run(argc, argv);
}
