// Calls the greeter by name: one call of each kind. Start a greeter first, then this with the same --registry_address.
#include <cstdio>
#include <string>

#include <micro/service/service.hpp>

#include "greeter.micro.hpp"

namespace {

using greeter::Greeter;

void report(const micro::Error& error) { std::fprintf(stderr, "greeter-client: %s\n", error.to_string().c_str()); }

micro::Task<micro::Result<void>> hello(Greeter::Client& greeter) {
  micro::Context context;
  greeter::HelloRequest request;
  request.set_name("John");
  auto reply = co_await greeter.Hello(context, request);
  if (!reply) co_return std::unexpected(reply.error());
  std::printf("Hello      %s (from %s)\n", reply->message().c_str(), context.peer().c_str());
  co_return micro::Result<void>{};
}

micro::Task<micro::Result<void>> countdown(Greeter::Client& greeter) {
  micro::Context context;
  greeter::CountdownRequest request;
  request.set_from(3);
  auto stream = co_await greeter.Countdown(context, request);
  if (!stream) co_return std::unexpected(stream.error());
  std::printf("Countdown ");
  greeter::CountdownReply reply;
  while (true) {
    auto more = co_await stream->read(reply);
    if (!more) co_return std::unexpected(more.error());
    if (!*more) break;
    std::printf(" %d", reply.value());
  }
  std::printf("\n");
  co_return micro::Result<void>{};
}

micro::Task<micro::Result<void>> collect(Greeter::Client& greeter) {
  micro::Context context;
  auto stream = co_await greeter.Collect(context);
  if (!stream) co_return std::unexpected(stream.error());
  greeter::HelloRequest request;
  for (const char* name : {"Ann", "Bob", "Cid"}) {
    request.set_name(name);
    auto written = co_await stream->write(request);
    if (!written) co_return written;
  }
  auto reply = co_await stream->finish();
  if (!reply) co_return std::unexpected(reply.error());
  std::printf("Collect    %d names\n", reply->count());
  co_return micro::Result<void>{};
}

micro::Task<micro::Result<void>> chat(Greeter::Client& greeter) {
  micro::Context context;
  auto stream = co_await greeter.Chat(context);
  if (!stream) co_return std::unexpected(stream.error());
  greeter::ChatMessage message;
  for (const char* text : {"one", "two"}) {
    message.set_text(text);
    auto written = co_await stream->write(message);
    if (!written) co_return written;
    auto more = co_await stream->read(message);
    if (!more) co_return std::unexpected(more.error());
    std::printf("Chat       %s\n", message.text().c_str());
  }
  auto closed = co_await stream->close_send();
  if (!closed) co_return closed;
  auto more = co_await stream->read(message);  // false: the service has said all, and ended the call well
  if (!more) co_return std::unexpected(more.error());
  co_return micro::Result<void>{};
}

micro::Task<void> call_all(micro::Service& service, int& status) {
  Greeter::Client greeter(service.client());
  status = 1;
  for (auto* call : {hello, countdown, collect, chat}) {
    auto done = co_await call(greeter);
    if (!done) {
      report(done.error());
      co_return;
    }
  }
  status = 0;
}

}  // namespace

int main(int argc, char** argv) {
  micro::ServiceOptions options;
  options.name = "greeter-client";
  options.description = "Calls the greeter, once for each kind of method.";
  options.address = "127.0.0.1:0";
  options.register_node = false;
  options.loops = 1;
  options.log.level = micro::log::Level::kWarn;
  micro::Service service(options);
  if (const auto ended = service.configure(argc, argv)) return *ended;
  if (auto started = service.start(); !started) {
    report(started.error());
    return 1;
  }
  int status = 1;
  service.run_on_loop(call_all(service, status));
  service.stop();
  return status;
}
