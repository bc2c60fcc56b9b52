// One real call by a grpc++ client before anything is measured: the load generators do not decode header blocks.
//
//   grpcpp_check 127.0.0.1:5001 "John Smith"      prints the reply; exit status 0 if it is "Hello John Smith"
#include <chrono>
#include <cstdio>
#include <string>

#include <grpcpp/grpcpp.h>

#include "greeter.grpc.pb.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: grpcpp_check IPV4:PORT NAME\n");
    return 2;
  }
  const auto stub = greeter::Greeter::NewStub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  greeter::HelloRequest request;
  request.set_name(argv[2]);
  greeter::HelloReply reply;
  const grpc::Status status = stub->Hello(&context, request, &reply);
  if (!status.ok()) {
    std::fprintf(stderr, "Hello(%s) at %s: code %d, %s\n", argv[2], argv[1], status.error_code(), status.error_message().c_str());
    return 1;
  }
  std::printf("%s\n", reply.message().c_str());
  return reply.message() == std::string("Hello ") + argv[2] ? 0 : 1;
}
