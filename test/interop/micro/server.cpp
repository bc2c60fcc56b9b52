// What examples/greeter has no use for: Hello with its metadata sent back. Takes the flags of every service.
#include <memory>
#include <string>

#include <micro/service/service.hpp>

#include "greeter.micro.hpp"

namespace {

class Greeter final : public greeter::Greeter::Handler {
  // Whatever is called "x-echo-..." goes back, in the headers and in the trailers.
  micro::Task<micro::Result<greeter::HelloReply>> Hello(micro::Context& context, const greeter::HelloRequest& request) override {
    for (const auto& [key, value] : context.metadata()) {
      if (!key.starts_with("x-echo-")) continue;
      context.reply_headers().add(key, value);
      context.reply_trailers().add(key, value);
    }
    greeter::HelloReply reply;
    reply.set_message("Hello " + request.name());
    co_return reply;
  }
};

}  // namespace

int main(int argc, char** argv) {
  micro::Service service({.name = "interop", .description = "Sends metadata back: for the interoperability tests."});
  service.handle(std::make_shared<Greeter>());
  return service.run(argc, argv);
}
