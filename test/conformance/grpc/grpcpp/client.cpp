// The client of gRPC's interoperability suite by grpc++: client --server_host=HOST --server_port=PORT --test_case=NAME. Ends with
// 0 when the case has passed.
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "grpc/testing/test.grpc.pb.h"
#include "message_flags.hpp"

namespace {

using namespace grpc::testing;
using namespace std::chrono_literals;
using grpc::Status;
using grpc::StatusCode;

constexpr int kLargeRequest = 271828;
constexpr int kLargeReply = 314159;
constexpr std::array kRequestSizes{27182, 8, 1828, 45904};
constexpr std::array kReplySizes{31415, 9, 2653, 58979};

struct Context : grpc::ClientContext {
  Context() { set_deadline(std::chrono::system_clock::now() + 30s); }
};

void expect(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what);
}

void expect_code(const Status& status, StatusCode want) {
  expect(status.error_code() == want, "status " + std::to_string(status.error_code()) + " '" + status.error_message() +
                                          "' instead of " + std::to_string(want));
}

std::string zeros(int size) { return std::string(static_cast<std::size_t>(size), '\0'); }

void expect_zeros(const Payload& payload, int size) {
  expect(payload.body() == zeros(size), "a payload of " + std::to_string(payload.body().size()) + " bytes, not " +
                                            std::to_string(size) + ", or of other bytes than zeros");
}

class Cases {
 public:
  explicit Cases(std::string target) : target_(std::move(target)), stub_(connect()) {}

  void empty_unary() {
    Context context;
    Empty reply;
    expect_code(stub_->EmptyCall(&context, {}, &reply), StatusCode::OK);
    expect(reply.ByteSizeLong() == 0, "the reply is not empty");
  }

  void large_unary() { large_call(*stub_, kLargeRequest, kLargeReply); }
  void very_large_unary() { large_call(*stub_, 32 << 20, 32 << 20); }

  void concurrent_large_unary() {
    std::vector<std::thread> threads;
    std::vector<std::string> errors(100);
    for (std::string& error : errors) {
      threads.emplace_back([this, &error] {
        try {
          for (int i = 0; i < 10; ++i) large_unary();
        } catch (const std::exception& failure) {
          error = failure.what();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& error : errors) expect(error.empty(), error);
  }

  void client_compressed_unary() {
    SimpleRequest request = large_request(kLargeRequest, kLargeReply);
    request.mutable_expect_compressed()->set_value(true);
    Context probe;
    SimpleResponse reply;
    expect_code(stub_->UnaryCall(&probe, request, &reply), StatusCode::INVALID_ARGUMENT);
    for (const bool compressed : {true, false}) {
      Context context;
      if (compressed) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
      request.mutable_expect_compressed()->set_value(compressed);
      expect_code(stub_->UnaryCall(&context, request, &reply), StatusCode::OK);
      expect_zeros(reply.payload(), kLargeReply);
    }
  }

  void server_compressed_unary() {
    SimpleRequest request = large_request(kLargeRequest, kLargeReply);
    for (const bool compressed : {true, false}) {
      Context context;
      SimpleResponse reply;
      request.mutable_response_compressed()->set_value(compressed);
      expect_code(stub_->UnaryCall(&context, request, &reply), StatusCode::OK);
      expect(interop::was_compressed(context) == compressed,
             compressed ? "the reply is not compressed" : "the reply is compressed");
      expect_zeros(reply.payload(), kLargeReply);
    }
  }

  void client_streaming() {
    Context context;
    StreamingInputCallResponse reply;
    auto stream = stub_->StreamingInputCall(&context, &reply);
    for (const int size : kRequestSizes) {
      StreamingInputCallRequest request;
      request.mutable_payload()->set_body(zeros(size));
      expect(stream->Write(request), "a write failed");
    }
    stream->WritesDone();
    expect_code(stream->Finish(), StatusCode::OK);
    expect(reply.aggregated_payload_size() == 74922, "the sum is " + std::to_string(reply.aggregated_payload_size()));
  }

  void client_compressed_streaming() {
    StreamingInputCallRequest request;
    request.mutable_expect_compressed()->set_value(true);
    request.mutable_payload()->set_body(zeros(27182));
    StreamingInputCallResponse reply;
    {
      Context probe;
      auto stream = stub_->StreamingInputCall(&probe, &reply);
      stream->Write(request);
      stream->WritesDone();
      expect_code(stream->Finish(), StatusCode::INVALID_ARGUMENT);
    }
    Context context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    auto stream = stub_->StreamingInputCall(&context, &reply);
    expect(stream->Write(request), "the compressed write failed");
    request.mutable_expect_compressed()->set_value(false);
    request.mutable_payload()->set_body(zeros(45904));
    expect(stream->Write(request, grpc::WriteOptions().set_no_compression()), "the plain write failed");
    stream->WritesDone();
    expect_code(stream->Finish(), StatusCode::OK);
    expect(reply.aggregated_payload_size() == 73086, "the sum is " + std::to_string(reply.aggregated_payload_size()));
  }

  void server_streaming() {
    Context context;
    StreamingOutputCallRequest request;
    for (const int size : kReplySizes) request.add_response_parameters()->set_size(size);
    auto stream = stub_->StreamingOutputCall(&context, request);
    for (const int size : kReplySizes) expect_reply(*stream, size);
    expect_end(*stream);
  }

  void server_compressed_streaming() {
    Context context;
    StreamingOutputCallRequest request;
    const std::pair<int, bool> wanted[] = {{31415, true}, {92653, false}};
    for (const auto& [size, compressed] : wanted) {
      ResponseParameters& parameters = *request.add_response_parameters();
      parameters.set_size(size);
      parameters.mutable_compressed()->set_value(compressed);
    }
    auto stream = stub_->StreamingOutputCall(&context, request);
    for (const auto& [size, compressed] : wanted) {
      expect_reply(*stream, size);
      expect(interop::was_compressed(context) == compressed,
             "the reply of " + std::to_string(size) + " bytes is " + (compressed ? "not compressed" : "compressed"));
    }
    expect_end(*stream);
  }

  void ping_pong() {
    Context context;
    auto stream = stub_->FullDuplexCall(&context);
    for (std::size_t i = 0; i < kRequestSizes.size(); ++i) {
      expect(stream->Write(ask(kReplySizes[i], kRequestSizes[i])), "a write failed");
      expect_reply(*stream, kReplySizes[i]);
    }
    stream->WritesDone();
    expect_end(*stream);
  }

  void empty_stream() {
    Context context;
    auto stream = stub_->FullDuplexCall(&context);
    stream->WritesDone();
    expect_end(*stream);
  }

  void half_duplex() {
    Context context;
    auto stream = stub_->HalfDuplexCall(&context);
    for (const int size : kReplySizes) expect(stream->Write(ask(size, 8)), "a write failed");
    stream->WritesDone();
    for (const int size : kReplySizes) expect_reply(*stream, size);
    expect_end(*stream);
  }

  void custom_metadata() {
    {
      Context context;
      add_metadata(context);
      SimpleResponse reply;
      expect_code(stub_->UnaryCall(&context, large_request(kLargeRequest, kLargeReply), &reply), StatusCode::OK);
      expect_metadata(context);
    }
    Context context;
    add_metadata(context);
    auto stream = stub_->FullDuplexCall(&context);
    expect(stream->Write(ask(kLargeReply, kLargeRequest)), "the write failed");
    stream->WritesDone();
    expect_reply(*stream, kLargeReply);
    expect_end(*stream);
    expect_metadata(context);
  }

  void status_code_and_message() {
    expect_status("test status message");
    Context context;
    auto stream = stub_->FullDuplexCall(&context);
    StreamingOutputCallRequest request;
    request.mutable_response_status()->set_code(2);
    request.mutable_response_status()->set_message("test status message");
    expect(stream->Write(request), "the write failed");
    stream->WritesDone();
    StreamingOutputCallResponse reply;
    expect(!stream->Read(&reply), "a reply instead of the status");
    const Status status = stream->Finish();
    expect_code(status, StatusCode::UNKNOWN);
    expect(status.error_message() == "test status message", "the message is '" + status.error_message() + "'");
  }

  void special_status_message() { expect_status("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"); }

  void unimplemented_method() {
    Context context;
    Empty reply;
    expect_code(stub_->UnimplementedCall(&context, {}, &reply), StatusCode::UNIMPLEMENTED);
  }

  void unimplemented_service() {
    Context context;
    Empty reply;
    auto stub = UnimplementedService::NewStub(channel_);
    expect_code(stub->UnimplementedCall(&context, {}, &reply), StatusCode::UNIMPLEMENTED);
  }

  void cancel_after_begin() {
    Context context;
    StreamingInputCallResponse reply;
    auto stream = stub_->StreamingInputCall(&context, &reply);
    context.TryCancel();
    expect_code(stream->Finish(), StatusCode::CANCELLED);
  }

  void cancel_after_first_response() {
    Context context;
    auto stream = stub_->FullDuplexCall(&context);
    expect(stream->Write(ask(31415, 27182)), "the write failed");
    expect_reply(*stream, 31415);
    context.TryCancel();
    expect_code(stream->Finish(), StatusCode::CANCELLED);
  }

  void timeout_on_sleeping_server() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 1ms);
    auto stream = stub_->FullDuplexCall(&context);
    StreamingOutputCallRequest request;
    request.mutable_payload()->set_body(zeros(27182));
    stream->Write(request);
    StreamingOutputCallResponse reply;
    expect(!stream->Read(&reply), "a reply");
    expect_code(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
  }

  void rpc_soak() {
    for (int i = 0; i < 10; ++i) large_unary();
  }

  void channel_soak() {
    for (int i = 0; i < 10; ++i) large_call(*connect(), kLargeRequest, kLargeReply);
  }

 private:
  // Channels to one target share their connection unless they are asked not to.
  std::unique_ptr<TestService::Stub> connect() {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(64 << 20);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(target_, grpc::InsecureChannelCredentials(), arguments);
    return TestService::NewStub(channel_);
  }

  static SimpleRequest large_request(int request_size, int reply_size) {
    SimpleRequest request;
    request.set_response_size(reply_size);
    request.mutable_payload()->set_body(zeros(request_size));
    return request;
  }

  static StreamingOutputCallRequest ask(int reply_size, int request_size) {
    StreamingOutputCallRequest request;
    request.add_response_parameters()->set_size(reply_size);
    request.mutable_payload()->set_body(zeros(request_size));
    return request;
  }

  static void large_call(TestService::Stub& stub, int request_size, int reply_size) {
    Context context;
    SimpleResponse reply;
    expect_code(stub.UnaryCall(&context, large_request(request_size, reply_size), &reply), StatusCode::OK);
    expect_zeros(reply.payload(), reply_size);
  }

  template <class Stream>
  static void expect_reply(Stream& stream, int size) {
    StreamingOutputCallResponse reply;
    expect(stream.Read(&reply), "the stream ended instead of a reply of " + std::to_string(size) + " bytes");
    expect_zeros(reply.payload(), size);
  }

  template <class Stream>
  static void expect_end(Stream& stream) {
    StreamingOutputCallResponse reply;
    expect(!stream.Read(&reply), "a reply behind the last");
    expect_code(stream.Finish(), StatusCode::OK);
  }

  static void add_metadata(grpc::ClientContext& context) {
    context.AddMetadata("x-grpc-test-echo-initial", "test_initial_metadata_value");
    context.AddMetadata("x-grpc-test-echo-trailing-bin", "\xab\xab\xab");
  }

  static void expect_metadata(const grpc::ClientContext& context) {
    const auto expect_one = [](const auto& metadata, const char* name, std::string_view want) {
      const auto found = metadata.find(name);
      expect(metadata.count(name) == 1 && std::string_view(found->second.data(), found->second.size()) == want,
             std::string(name) + " did not come back");
    };
    expect_one(context.GetServerInitialMetadata(), "x-grpc-test-echo-initial", "test_initial_metadata_value");
    expect_one(context.GetServerTrailingMetadata(), "x-grpc-test-echo-trailing-bin", "\xab\xab\xab");
  }

  void expect_status(const std::string& message) {
    Context context;
    SimpleRequest request;
    request.mutable_response_status()->set_code(2);
    request.mutable_response_status()->set_message(message);
    SimpleResponse reply;
    const Status status = stub_->UnaryCall(&context, request, &reply);
    expect_code(status, StatusCode::UNKNOWN);
    expect(status.error_message() == message, "the message is '" + status.error_message() + "'");
  }

  std::string target_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<TestService::Stub> stub_;
};

const std::map<std::string, void (Cases::*)()> kCases = {
    {"empty_unary", &Cases::empty_unary},
    {"large_unary", &Cases::large_unary},
    {"very_large_unary", &Cases::very_large_unary},
    {"concurrent_large_unary", &Cases::concurrent_large_unary},
    {"client_compressed_unary", &Cases::client_compressed_unary},
    {"server_compressed_unary", &Cases::server_compressed_unary},
    {"client_streaming", &Cases::client_streaming},
    {"client_compressed_streaming", &Cases::client_compressed_streaming},
    {"server_streaming", &Cases::server_streaming},
    {"server_compressed_streaming", &Cases::server_compressed_streaming},
    {"ping_pong", &Cases::ping_pong},
    {"empty_stream", &Cases::empty_stream},
    {"half_duplex", &Cases::half_duplex},
    {"custom_metadata", &Cases::custom_metadata},
    {"status_code_and_message", &Cases::status_code_and_message},
    {"special_status_message", &Cases::special_status_message},
    {"unimplemented_method", &Cases::unimplemented_method},
    {"unimplemented_service", &Cases::unimplemented_service},
    {"cancel_after_begin", &Cases::cancel_after_begin},
    {"cancel_after_first_response", &Cases::cancel_after_first_response},
    {"timeout_on_sleeping_server", &Cases::timeout_on_sleeping_server},
    {"rpc_soak", &Cases::rpc_soak},
    {"channel_soak", &Cases::channel_soak},
};

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (!argument.starts_with("--") || equals == argument.npos) {
      std::fprintf(stderr, "%s is not --name=value\n", argv[i]);
      return 2;
    }
    flags[std::string(argument.substr(2, equals - 2))] = argument.substr(equals + 1);
  }
  const std::string& name = flags["test_case"];
  const auto test = kCases.find(name);
  if (test == kCases.end()) {
    std::fprintf(stderr, "there is no case %s\n", name.c_str());
    return 2;
  }
  try {
    Cases cases(flags["server_host"] + ":" + flags["server_port"]);
    (cases.*test->second)();
    std::printf("%s: ok\n", name.c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return 1;
  }
}
