// A node whose methods misbehave on demand: see proto/trouble.proto.
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <micro/coro/sleep.hpp>
#include <micro/service/service.hpp>

#include "trouble.micro.hpp"

namespace {

using trouble::Text;

Text text(std::string value) {
  Text message;
  message.set_text(std::move(value));
  return message;
}

// Tells the test what a handler sees.
void say(const char* what) {
  std::puts(what);
  std::fflush(stdout);
}

class Trouble final : public trouble::Trouble::Handler {
 public:
  micro::Task<micro::Result<Text>> Echo(micro::Context&, const Text& request) override { co_return request; }

  micro::Task<micro::Result<Text>> Wait(micro::Context& context, const trouble::WaitRequest& request) override {
    say("wait begins");
    auto slept = co_await micro::sleep(context, std::chrono::milliseconds(request.milliseconds()));
    say(slept ? "wait ends" : "wait was cancelled");
    if (!slept) co_return std::unexpected(slept.error());
    co_return text("waited");
  }

  micro::Task<micro::Result<Text>> WaitAgain(micro::Context& context, const trouble::WaitRequest& request) override {
    return Wait(context, request);
  }

  micro::Task<micro::Result<Text>> Ignore(micro::Context&, const trouble::WaitRequest& request) override {
    say("ignore begins");
    co_await micro::sleep_for(std::chrono::milliseconds(request.milliseconds()));
    say("ignore ends");
    co_return text("ignored");
  }

  micro::Task<micro::Result<Text>> Block(micro::Context&, const trouble::WaitRequest& request) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(request.milliseconds()));
    co_return text("blocked");
  }

  micro::Task<micro::Result<Text>> Hold(micro::Context&, const google::protobuf::Struct& request) override {
    co_return text(std::to_string(request.fields_size()) + " fields");
  }

  micro::Task<micro::Result<Text>> Throw(micro::Context&, const Text& request) override {
    if (!request.text().empty()) throw std::runtime_error(request.text());
    co_return request;
  }

  micro::Task<micro::Result<Text>> Refuse(micro::Context&, const Text& request) override {
    co_return micro::fail(micro::failed_precondition(request.text()));
  }

  micro::Task<micro::Result<Text>> Fill(micro::Context&, const trouble::FillRequest& request) override {
    co_return text(std::string(static_cast<std::size_t>(request.bytes()), 'x'));
  }
};

}  // namespace

int main(int argc, char** argv) {
  micro::Service service({.name = "trouble", .description = "Gets into every kind of trouble on demand."});
  service.handle(std::make_shared<Trouble>());
  return service.run(argc, argv);
}
