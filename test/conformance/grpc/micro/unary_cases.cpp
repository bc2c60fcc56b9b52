#include <chrono>
#include <vector>

#include <micro/coro/when_all.hpp>
#include <micro/loop/loop.hpp>

#include "cases.hpp"

namespace interop {

using micro::Code;
using micro::Task;

namespace {

testing::SimpleRequest large_request() {
  testing::SimpleRequest request;
  request.set_response_size(kLargeReply);
  request.mutable_payload()->set_body(std::string(kLargeRequest, '\0'));
  return request;
}

}  // namespace

Task<void> Cases::empty_unary() {
  Context context;
  const testing::Empty empty;
  auto reply = co_await service_.EmptyCall(context, empty, options_);
  expect_ok(reply);
  expect(reply->ByteSizeLong() == 0, "the reply is not empty");
}

Task<void> Cases::large_call(micro::rpc::Client& client) {
  testing::TestService::Client service(client);
  Context context;
  const testing::SimpleRequest request = large_request();
  auto reply = co_await service.UnaryCall(context, request, options_);
  expect_ok(reply);
  expect_zeros(reply->payload(), kLargeReply);
}

Task<void> Cases::large_unary() { return large_call(client_); }

// Not one of the suite's own: far beyond the 4 MiB that are the limit by default, and beyond every window.
Task<void> Cases::very_large_unary() {
  constexpr int size = 32 << 20;
  Context context;
  testing::SimpleRequest request;
  request.set_response_size(size);
  request.mutable_payload()->set_body(std::string(size, '\0'));
  auto reply = co_await service_.UnaryCall(context, request, options_);
  expect_ok(reply);
  expect_zeros(reply->payload(), size);
}

Task<void> Cases::large_calls(int count) {
  for (int i = 0; i < count; ++i) co_await large_call(client_);
}

Task<void> Cases::concurrent_large_unary() {
  std::vector<Task<void>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(large_calls(10));
  co_await micro::when_all(std::move(calls));
}

Task<void> Cases::client_compressed_unary() {
  testing::SimpleRequest request = large_request();
  request.mutable_expect_compressed()->set_value(true);
  {
    Context probe;
    auto reply = co_await service_.UnaryCall(probe, request, options_);
    expect_code(reply, Code::kInvalidArgument);
  }
  micro::rpc::CallOptions gzip = options_;
  gzip.compression = "gzip";
  for (const bool compressed : {true, false}) {
    Context context;
    if (!compressed) context.set_request_compression(micro::Compress::kOff);
    request.mutable_expect_compressed()->set_value(compressed);
    auto reply = co_await service_.UnaryCall(context, request, gzip);
    expect_ok(reply);
    expect_zeros(reply->payload(), kLargeReply);
  }
}

Task<void> Cases::server_compressed_unary() {
  testing::SimpleRequest request = large_request();
  for (const bool compressed : {true, false}) {
    Context context;
    request.mutable_response_compressed()->set_value(compressed);
    auto reply = co_await service_.UnaryCall(context, request, options_);
    expect_ok(reply);
    expect(context.reply_was_compressed() == compressed, compressed ? "the reply is not compressed" : "the reply is compressed");
    expect_zeros(reply->payload(), kLargeReply);
  }
}

Task<void> Cases::unimplemented(std::string_view service) {
  Context context;
  const testing::Empty request;
  testing::Empty reply;
  auto done = co_await client_.call(context, "interop", service, "UnimplementedCall", micro::codec::ref(request),
                                    micro::codec::ref(reply), options_);
  expect_code(done, Code::kUnimplemented);
}

Task<void> Cases::unimplemented_method() { return unimplemented("grpc.testing.TestService"); }
Task<void> Cases::unimplemented_service() { return unimplemented("grpc.testing.UnimplementedService"); }

Task<void> Cases::expect_status(std::string message) {
  Context context;
  testing::SimpleRequest request;
  request.mutable_response_status()->set_code(static_cast<int>(Code::kUnknown));
  request.mutable_response_status()->set_message(message);
  auto reply = co_await service_.UnaryCall(context, request, options_);
  expect_code(reply, Code::kUnknown);
  expect(reply.error().message() == message, "the message is '" + reply.error().message() + "'");
}

Task<void> Cases::special_status_message() {
  return expect_status("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n");
}

Task<void> Cases::rpc_soak() {
  for (std::size_t i = 0; i < soak_iterations_; ++i) co_await large_call(client_);
}

// A client, and with it a connection, for each call.
Task<void> Cases::channel_soak() {
  for (std::size_t i = 0; i < soak_iterations_; ++i) {
    micro::rpc::Client fresh(loops_, nullptr, client_.options());
    co_await large_call(fresh);
    co_await fresh.stop(micro::Loop::current()->now() + std::chrono::seconds(1));
  }
}

}  // namespace interop
