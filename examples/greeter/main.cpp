// The greeter: one method of each kind, on one port, found by name.
#include <memory>
#include <string>
#include <utility>

#include <micro/plugins/install.hpp>
#include <micro/service/service.hpp>

#include "greeter.micro.hpp"

namespace {

class Greeter final : public greeter::Greeter::Handler {
 public:
  micro::Task<micro::Result<greeter::HelloReply>> Hello(micro::Context&, const greeter::HelloRequest& request) override {
    if (request.name().empty()) co_return micro::fail(micro::invalid_argument("field name: expected somebody to greet"));
    greeter::HelloReply reply;
    reply.set_message("Hello " + request.name());
    co_return reply;
  }

  micro::Task<micro::Result<void>> Countdown(micro::Context& context, const greeter::CountdownRequest& request,
                                             micro::Writer<greeter::CountdownReply>& writer) override {
    greeter::CountdownReply reply;
    for (int value = request.from(); value >= 0; --value) {
      reply.set_value(value);
      auto written = co_await writer.write(reply);
      if (!written) co_return written;  // the caller has gone
      if (context.cancelled()) break;
    }
    co_return micro::Result<void>{};
  }

  micro::Task<micro::Result<greeter::CollectReply>> Collect(micro::Context&,
                                                            micro::Reader<greeter::HelloRequest>& reader) override {
    greeter::CollectReply reply;
    greeter::HelloRequest request;
    while (true) {
      auto more = co_await reader.read(request);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) break;
      reply.add_names(request.name());
    }
    reply.set_count(reply.names_size());
    co_return reply;
  }

  micro::Task<micro::Result<void>> Chat(micro::Context&,
                                        micro::ReaderWriter<greeter::ChatMessage, greeter::ChatMessage>& stream) override {
    greeter::ChatMessage message;
    while (true) {
      auto more = co_await stream.read(message);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) break;
      message.set_text("you said: " + message.text());
      auto written = co_await stream.write(message);
      if (!written) co_return written;
    }
    co_return micro::Result<void>{};
  }
};

}  // namespace

int main(int argc, char** argv) {
  micro::Plugins plugins;
  micro::install_plugins(plugins);  // every registry this build has, for --registry
  micro::Service service({.name = "greeter", .description = "Says hello: the example service."}, std::move(plugins));
  service.handle(std::make_shared<Greeter>());
  return service.run(argc, argv);
}
