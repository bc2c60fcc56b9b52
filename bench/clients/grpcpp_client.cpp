// Unary calls by grpc++ through its callback interface. Prints one line of JSON with the processor time of this process.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <memory>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "greeter.grpc.pb.h"
#include "usage.hpp"

namespace {

std::atomic<std::int64_t> left;
std::atomic<std::uint64_t> answered;

// One of the calls outstanding: starts the next one when this one has ended.
class Caller {
 public:
  Caller(greeter::Greeter::Stub& stub, std::latch& done) : stub_(stub), done_(done) { request_.set_name("John Smith"); }

  void next() {
    if (left.fetch_sub(1) <= 0) return done_.count_down();
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    stub_.async()->Hello(context_.get(), &request_, &reply_, [this](const grpc::Status& status) {
      if (!status.ok() || reply_.message() != "Hello John Smith") {
        std::fprintf(stderr, "wrong answer: %s\n", status.error_message().c_str());
        std::_Exit(1);
      }
      ++answered;
      next();
    });
  }

 private:
  greeter::Greeter::Stub& stub_;
  std::latch& done_;
  std::unique_ptr<grpc::ClientContext> context_;
  greeter::HelloRequest request_;
  greeter::HelloReply reply_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::parse(argc, argv);
  left = static_cast<std::int64_t>(arguments.calls);
  grpc::ChannelArguments own_connection;
  own_connection.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const std::size_t outstanding = std::size_t{arguments.connections} * arguments.streams;
  std::latch done(static_cast<std::ptrdiff_t>(outstanding));
  std::vector<std::unique_ptr<greeter::Greeter::Stub>> stubs;
  std::vector<std::unique_ptr<Caller>> callers;
  const bench::Measurement measurement;
  for (unsigned i = 0; i < arguments.connections; ++i) {
    stubs.push_back(greeter::Greeter::NewStub(
        grpc::CreateCustomChannel(arguments.address, grpc::InsecureChannelCredentials(), own_connection)));
    for (unsigned j = 0; j < arguments.streams; ++j) callers.push_back(std::make_unique<Caller>(*stubs.back(), done));
  }
  for (const auto& caller : callers) caller->next();
  done.wait();
  measurement.report(answered);
  return answered == arguments.calls ? 0 : 1;
}
