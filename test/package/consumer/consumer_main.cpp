// A service that calls itself over the network, by name, and prints the answer.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include <micro/coro/block_on.hpp>
#include <micro/registry/memory.hpp>
#include <micro/service/service.hpp>

#include "greeting.micro.hpp"
#include "own_text.micro.hpp"

namespace {

class Greeting final : public greeting::Greeting::Handler {
  micro::Task<micro::Result<greeting::Text>> Hello(micro::Context&, const greeting::Name& request) override {
    greeting::Text reply;
    reply.set_text("Hello " + request.name());
    co_return reply;
  }
};

// The option as protobuf's reflection shows it: the code of google.api is part of the program, once.
bool has_option(const google::protobuf::Message& message, const char* service) {
  const auto* found = message.GetDescriptor()->file()->FindServiceByName(service);
  return found != nullptr && found->method(0)->options().GetExtension(google::api::http).get().starts_with("/");
}

micro::Task<void> greet(micro::Service& service, int& status) {
  greeting::Greeting::Client client(service.client());
  micro::Context context;
  greeting::Name request;
  request.set_name("package");
  const micro::Result<greeting::Text> reply = co_await client.Hello(context, request);
  std::puts(reply ? reply->text().c_str() : reply.error().message().c_str());
  status = reply ? 0 : 1;
}

}  // namespace

int main() {
  micro::ServiceOptions options;
  options.name = "greeting";
  options.address = "127.0.0.1:0";
  options.registry = std::make_shared<micro::registry::Memory>();
  micro::Service service(std::move(options));
  service.handle(std::make_shared<Greeting>());
  service.handle(std::make_shared<own::Own::Handler>());
  if (!has_option(greeting::Name(), "Greeting") || !has_option(own::Name(), "Own")) {
    std::puts("the option google.api.http is not there");
    return 1;
  }
  if (const auto started = service.start(); !started) {
    std::puts(started.error().message().c_str());
    return 1;
  }
  int status = 1;
  service.run_on_loop(greet(service, status));
  service.stop();
  return status;
}
