// The greeter by grpc++: server HOST:PORT. Says "listening on HOST:PORT" once it does.
#include <cstdio>
#include <string>

#include <grpcpp/grpcpp.h>

#include "greeter.grpc.pb.h"

namespace {

class Greeter final : public greeter::Greeter::Service {
  // Whatever is called "x-echo-..." goes back, in the headers and in the trailers.
  grpc::Status Hello(grpc::ServerContext* context, const greeter::HelloRequest* request, greeter::HelloReply* reply) override {
    for (const auto& [key, value] : context->client_metadata()) {
      if (!key.starts_with("x-echo-")) continue;
      context->AddInitialMetadata({key.data(), key.size()}, {value.data(), value.size()});
      context->AddTrailingMetadata({key.data(), key.size()}, {value.data(), value.size()});
    }
    if (request->name().empty()) return {grpc::StatusCode::INVALID_ARGUMENT, "field name: 0 % of a name, naïve ☃"};
    reply->set_message("Hello " + request->name());
    return grpc::Status::OK;
  }

  grpc::Status Countdown(grpc::ServerContext*, const greeter::CountdownRequest* request,
                         grpc::ServerWriter<greeter::CountdownReply>* writer) override {
    greeter::CountdownReply reply;
    for (int value = request->from(); value >= 0; --value) {
      reply.set_value(value);
      if (!writer->Write(reply)) return grpc::Status::CANCELLED;
    }
    return grpc::Status::OK;
  }

  grpc::Status Collect(grpc::ServerContext*, grpc::ServerReader<greeter::HelloRequest>* reader,
                       greeter::CollectReply* reply) override {
    greeter::HelloRequest request;
    while (reader->Read(&request)) reply->add_names(request.name());
    reply->set_count(reply->names_size());
    return grpc::Status::OK;
  }

  grpc::Status Chat(grpc::ServerContext*, grpc::ServerReaderWriter<greeter::ChatMessage, greeter::ChatMessage>* stream) override {
    greeter::ChatMessage message;
    while (stream->Read(&message)) {
      message.set_text("you said: " + message.text());
      if (!stream->Write(message)) return grpc::Status::CANCELLED;
    }
    return grpc::Status::OK;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: server HOST:PORT\n", stderr);
    return 2;
  }
  const std::string address = argv[1];
  Greeter greeter;
  int port = 0;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&greeter);
  // Clients under test ping far more often than the five minutes that are allowed by default.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  auto server = builder.BuildAndStart();
  if (!server) {
    std::fprintf(stderr, "cannot listen on %s\n", address.c_str());
    return 1;
  }
  std::printf("listening on %s:%d\n", address.substr(0, address.rfind(':')).c_str(), port);
  std::fflush(stdout);
  server->Wait();
}
