// Calls a greeter server with the framework's client: client HOST:PORT [CHECK...]. Prints one line a check; ends with 1 when one
// has failed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/coro/sleep.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/service/service.hpp>

#include "greeter.micro.hpp"

namespace {

using namespace std::chrono_literals;
using micro::Code;
using micro::Task;

constexpr int kEndless = 1 << 30;  // a countdown that nobody waits for
constexpr std::size_t kMebibyte = 1 << 20;

void expect(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what);
}

template <class T>
void expect_ok(const micro::Result<T>& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
}

template <class T>
void expect_code(const micro::Result<T>& result, Code want) {
  expect(!result, "expected " + std::string(to_string(want)) + ", got a good end");
  expect(result.error().code() == want, "expected " + std::string(to_string(want)) + ", got " + result.error().to_string());
}

struct Context : micro::Context {
  explicit Context(micro::Duration timeout = 10s) { set_timeout(timeout); }
};

class Checks {
 public:
  Checks(micro::rpc::Client& client, std::string address) : client_(client), greeter_(client) {
    options_.addresses.push_back(std::move(address));
  }

  Task<void> hello() { return greet("Jürgen 😀"); }

  Task<void> metadata() {
    const std::string data("\x00\xff\x7f\x80, x", 7);
    Context context;
    context.outgoing().add("x-echo-text", "one");
    context.outgoing().add("x-echo-text", "two");
    context.outgoing().add("x-echo-data-bin", data);
    auto reply = co_await say_hello(context, "John", options_);
    expect_ok(reply);
    for (const micro::Metadata* back : {&context.reply_headers(), &context.reply_trailers()}) {
      std::string text;
      // A list may travel as one value (RFC 9110, section 5.3).
      for (const std::string_view value : back->values("x-echo-text")) text.append(text.empty() ? "" : ", ").append(value);
      expect(text == "one, two", "x-echo-text is '" + text + "'");
      expect(back->values("x-echo-data-bin") == std::vector<std::string_view>{data}, "x-echo-data-bin came back as other bytes");
    }
  }

  Task<void> invalid_argument() {
    Context context;
    auto reply = co_await say_hello(context, "", options_);
    expect_code(reply, Code::kInvalidArgument);
    const std::string& message = reply.error().message();
    expect(message == "field name: 0 % of a name, naïve ☃" || message == "field name: expected somebody to greet",
           "message: " + message);
  }

  Task<void> unknown_method() { return unknown("greeter.Greeter", "Nope"); }
  Task<void> unknown_service() { return unknown("greeter.Nobody", "Hello"); }

  Task<void> server_stream() {
    Context context;
    auto stream = co_await count(context, 999);
    expect_ok(stream);
    greeter::CountdownReply reply;
    int want = 999;
    while (true) {
      auto more = co_await stream->read(reply);
      expect_ok(more);
      if (!*more) break;
      expect(reply.value() == want, "expected " + std::to_string(want) + ", got " + std::to_string(reply.value()));
      --want;
    }
    expect(want == -1, "the stream ended before " + std::to_string(want));
  }

  Task<void> client_stream() {
    Context context;
    auto stream = co_await greeter_.Collect(context, options_);
    expect_ok(stream);
    greeter::HelloRequest request;
    for (int i = 0; i < 100; ++i) {
      request.set_name("name " + std::to_string(i));
      auto written = co_await stream->write(request);
      expect_ok(written);
    }
    auto reply = co_await stream->finish();
    expect_ok(reply);
    expect(reply->count() == 100 && reply->names_size() == 100, "count " + std::to_string(reply->count()));
    for (int i = 0; i < 100; ++i)
      expect(reply->names(i) == "name " + std::to_string(i), "a name out of order: " + reply->names(i));
  }

  Task<void> bidi() { return chat(100, 0ms, ""); }

  Task<void> deadline() {
    Context context(200ms);
    auto stream = co_await count(context, kEndless);
    expect_ok(stream);
    greeter::CountdownReply reply;
    micro::Result<bool> more = true;
    while (more && *more) more = co_await stream->read(reply);
    expect_code(more, Code::kDeadlineExceeded);
  }

  Task<void> cancel() {
    Context context;
    auto stream = co_await count_ten(context);
    context.cancel(micro::cancelled("ten are enough"));
    greeter::CountdownReply reply;
    micro::Result<bool> more = true;
    while (more && *more) more = co_await stream.read(reply);
    expect_code(more, Code::kCancelled);
    co_await greet("John");
  }

  // The other way to lose interest: to let the stream go.
  Task<void> drop() {
    {
      Context context;
      auto stream = co_await count_ten(context);
    }
    co_await greet("John");
  }

  Task<void> large() { return greet(std::string(kMebibyte, 'x')); }
  Task<void> large_stream() { return chat(2, 0ms, std::string(2 * kMebibyte, 'x')); }

  Task<void> too_large() { return exhaust(5 * kMebibyte); }
  // The request is just below 4 MiB, the reply just above it: our own limit.
  Task<void> too_large_reply() { return exhaust(4 * kMebibyte - 6); }

  Task<void> gzip() {
    Context context;
    micro::rpc::CallOptions options = options_;
    options.compression = "gzip";
    auto reply = co_await say_hello(context, std::string(100'000, 'x'), options);
    expect_ok(reply);
  }

  Task<void> concurrent() {
    std::vector<Task<void>> calls;
    for (int i = 0; i < 50; ++i) calls.push_back(greet("caller " + std::to_string(i)));
    co_await micro::when_all(std::move(calls));
  }

  // The connection pings after 200 ms without data; a server that does not answer loses the call within it.
  Task<void> keepalive() { return chat(2, 700ms, ""); }

 private:
  using Numbers = micro::ReadStream<greeter::CountdownReply>;

  Task<micro::Result<greeter::HelloReply>> say_hello(micro::Context& context, std::string name, micro::rpc::CallOptions options) {
    greeter::HelloRequest request;
    request.set_name(name);
    auto reply = co_await greeter_.Hello(context, request, options);
    if (reply) expect(reply->message() == "Hello " + name, "greeting of " + std::to_string(reply->message().size()) + " bytes");
    co_return reply;
  }

  Task<void> greet(std::string name) {
    Context context;
    auto reply = co_await say_hello(context, std::move(name), options_);
    expect_ok(reply);
  }

  Task<micro::Result<Numbers>> count(micro::Context& context, int from) {
    greeter::CountdownRequest request;
    request.set_from(from);
    auto stream = co_await greeter_.Countdown(context, request, options_);
    co_return stream;
  }

  Task<Numbers> count_ten(micro::Context& context) {
    auto stream = co_await count(context, kEndless);
    expect_ok(stream);
    greeter::CountdownReply reply;
    for (int i = 0; i < 10; ++i) {
      auto more = co_await stream->read(reply);
      expect_ok(more);
      expect(*more, "the stream ended after " + std::to_string(i) + " messages");
    }
    co_return std::move(*stream);
  }

  Task<void> chat(int lines, micro::Duration pause, std::string padding) {
    Context context;
    auto stream = co_await greeter_.Chat(context, options_);
    expect_ok(stream);
    greeter::ChatMessage message;
    for (int i = 0; i < lines; ++i) {
      message.set_text("line " + std::to_string(i) + padding);
      auto written = co_await stream->write(message);
      expect_ok(written);
      const std::string want = "you said: " + message.text();
      auto more = co_await stream->read(message);
      expect_ok(more);
      expect(*more && message.text() == want,
             "expected '" + want.substr(0, 20) + "', heard '" + message.text().substr(0, 20) + "'");
      if (pause > 0ms) co_await micro::sleep_for(pause);
    }
    auto closed = co_await stream->close_send();
    expect_ok(closed);
    auto more = co_await stream->read(message);
    expect_ok(more);
    expect(!*more, "a message behind the last");
  }

  Task<void> exhaust(std::size_t size) {
    Context context;
    auto reply = co_await say_hello(context, std::string(size, 'x'), options_);
    expect_code(reply, Code::kResourceExhausted);
    co_await greet("John");
  }

  Task<void> unknown(std::string_view service, std::string_view method) {
    Context context;
    greeter::HelloRequest request;
    greeter::HelloReply reply;
    auto done = co_await client_.call(context, "greeter", service, method, micro::codec::ref(request), micro::codec::ref(reply),
                                      options_);
    expect_code(done, Code::kUnimplemented);
  }

  micro::rpc::Client& client_;
  greeter::Greeter::Client greeter_;
  micro::rpc::CallOptions options_;
};

constexpr std::pair<std::string_view, Task<void> (Checks::*)()> kChecks[] = {
    {"hello", &Checks::hello},
    {"metadata", &Checks::metadata},
    {"invalid_argument", &Checks::invalid_argument},
    {"unknown_method", &Checks::unknown_method},
    {"unknown_service", &Checks::unknown_service},
    {"server_stream", &Checks::server_stream},
    {"client_stream", &Checks::client_stream},
    {"bidi", &Checks::bidi},
    {"deadline", &Checks::deadline},
    {"cancel", &Checks::cancel},
    {"drop", &Checks::drop},
    {"large", &Checks::large},
    {"large_stream", &Checks::large_stream},
    {"too_large", &Checks::too_large},
    {"too_large_reply", &Checks::too_large_reply},
    {"gzip", &Checks::gzip},
    {"concurrent", &Checks::concurrent},
    {"keepalive", &Checks::keepalive},
};

Task<void> run_all(Checks& checks, std::span<char*> wanted, int& status) {
  for (const auto& [name, check] : kChecks) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    std::string verdict = "ok";
    try {
      co_await (checks.*check)();
    } catch (const std::exception& error) {
      verdict = std::string("failed: ") + error.what();
      status = 1;
    }
    std::printf("%s: %s\n", name.data(), verdict.c_str());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() < 2) {
    std::fputs("usage: client HOST:PORT [CHECK...]\n", stderr);
    return 2;
  }
  micro::ServiceOptions options;
  options.name = "interop-client";
  options.address = "127.0.0.1:0";
  options.registry_name = "memory";
  options.register_node = false;
  options.loops = 1;
  options.settle_delay = 0ms;
  options.client.keepalive_interval = 200ms;
  options.client.keepalive_timeout = 2s;
  options.log.level = micro::log::Level::kWarn;
  micro::Service service(options);
  if (auto started = service.start(); !started) {
    std::fprintf(stderr, "client: %s\n", started.error().to_string().c_str());
    return 2;
  }
  int status = 0;
  Checks checks(service.client(), arguments[1]);
  service.run_on_loop(run_all(checks, arguments.subspan(2), status));
  service.stop();
  return status;
}
