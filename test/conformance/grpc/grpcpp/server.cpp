// The server of gRPC's interoperability suite by grpc++: server HOST:PORT. Says "listening on HOST:PORT" once it does.
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "grpc/testing/test.grpc.pb.h"
#include "message_flags.hpp"

namespace {

using namespace grpc::testing;
using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;

void echo_metadata(ServerContext& context) {
  for (const auto& [key, value] : context.client_metadata()) {
    const std::string name(key.data(), key.size());
    const std::string text(value.data(), value.size());
    if (name == "x-grpc-test-echo-initial") context.AddInitialMetadata(name, text);
    if (name == "x-grpc-test-echo-trailing-bin") context.AddTrailingMetadata(name, text);
  }
}

template <class Request>
Status check_compressed(ServerContext& context, const Request& request) {
  if (!request.has_expect_compressed() || request.expect_compressed().value() == interop::was_compressed(context))
    return Status::OK;
  return {StatusCode::INVALID_ARGUMENT, "the request was not compressed as expect_compressed says"};
}

class Service final : public TestService::Service {
  Status EmptyCall(ServerContext*, const Empty*, Empty*) override { return Status::OK; }

  Status UnaryCall(ServerContext* context, const SimpleRequest* request, SimpleResponse* reply) override {
    echo_metadata(*context);
    if (Status agreed = check_compressed(*context, *request); !agreed.ok()) return agreed;
    if (request->response_status().code() != 0) {
      return {static_cast<StatusCode>(request->response_status().code()), request->response_status().message()};
    }
    context->set_compression_algorithm(request->response_compressed().value() ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    reply->mutable_payload()->set_body(std::string(static_cast<std::size_t>(request->response_size()), '\0'));
    return Status::OK;
  }

  Status StreamingOutputCall(ServerContext* context, const StreamingOutputCallRequest* request,
                             grpc::ServerWriter<StreamingOutputCallResponse>* writer) override {
    return answer(*context, *request, *writer);
  }

  Status StreamingInputCall(ServerContext* context, grpc::ServerReader<StreamingInputCallRequest>* reader,
                            StreamingInputCallResponse* reply) override {
    StreamingInputCallRequest request;
    int sum = 0;
    while (reader->Read(&request)) {
      if (Status agreed = check_compressed(*context, request); !agreed.ok()) return agreed;
      sum += static_cast<int>(request.payload().body().size());
    }
    reply->set_aggregated_payload_size(sum);
    return Status::OK;
  }

  Status FullDuplexCall(ServerContext* context,
                        grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    echo_metadata(*context);
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      if (Status answered = answer(*context, request, *stream); !answered.ok()) return answered;
    }
    return Status::OK;
  }

  Status HalfDuplexCall(ServerContext* context,
                        grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    std::vector<StreamingOutputCallRequest> requests;
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) requests.push_back(request);
    for (const StreamingOutputCallRequest& each : requests) {
      if (Status answered = answer(*context, each, *stream); !answered.ok()) return answered;
    }
    return Status::OK;
  }

  template <class Stream>
  static Status answer(ServerContext& context, const StreamingOutputCallRequest& request, Stream& stream) {
    if (request.response_status().code() != 0) {
      return {static_cast<StatusCode>(request.response_status().code()), request.response_status().message()};
    }
    bool first = true;
    for (const ResponseParameters& wanted : request.response_parameters()) {
      if (first && wanted.has_compressed()) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
      first = false;
      std::this_thread::sleep_for(std::chrono::microseconds(wanted.interval_us()));
      grpc::WriteOptions options;
      if (!wanted.compressed().value()) options.set_no_compression();
      StreamingOutputCallResponse reply;
      reply.mutable_payload()->set_body(std::string(static_cast<std::size_t>(wanted.size()), '\0'));
      if (!stream.Write(reply, options)) return Status::CANCELLED;
    }
    return Status::OK;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: server HOST:PORT\n", stderr);
    return 2;
  }
  const std::string address = argv[1];
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(64 << 20);
  auto server = builder.BuildAndStart();
  if (!server) {
    std::fprintf(stderr, "cannot listen on %s\n", address.c_str());
    return 1;
  }
  std::printf("listening on %s:%d\n", address.substr(0, address.rfind(':')).c_str(), port);
  std::fflush(stdout);
  server->Wait();
}
