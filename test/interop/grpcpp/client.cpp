// Calls a greeter server with grpc++: client HOST:PORT [CHECK...]. Prints one line a check; ends with 1 when one has failed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "greeter.grpc.pb.h"

namespace {

using namespace std::chrono_literals;
using grpc::StatusCode;

constexpr int kEndless = 1 << 30;  // a countdown that nobody waits for
constexpr std::size_t kMebibyte = 1 << 20;

void expect(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what);
}

void expect_code(const grpc::Status& status, StatusCode want) {
  expect(status.error_code() == want, "expected code " + std::to_string(want) + ", got " + std::to_string(status.error_code()) +
                                          ": " + status.error_message());
}

struct Context : grpc::ClientContext {
  explicit Context(std::chrono::milliseconds timeout = 10s) { set_deadline(std::chrono::system_clock::now() + timeout); }
};

class Checks {
 public:
  explicit Checks(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 200);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 2000);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
    stub_ = greeter::Greeter::NewStub(channel_);
  }

  void hello() { greet("Jürgen 😀"); }

  void metadata() {
    const std::string data("\x00\xff\x7f\x80, x", 7);
    Context context;
    context.AddMetadata("x-echo-text", "one");
    context.AddMetadata("x-echo-text", "two");
    context.AddMetadata("x-echo-data-bin", data);
    expect_code(greet(context, "John"), StatusCode::OK);
    for (const auto* metadata : {&context.GetServerInitialMetadata(), &context.GetServerTrailingMetadata()}) {
      std::vector<std::string> text;
      const auto [first, last] = metadata->equal_range("x-echo-text");
      for (auto it = first; it != last; ++it) text.emplace_back(it->second.data(), it->second.size());
      std::sort(text.begin(), text.end());  // the values of one key of a multimap have no order
      expect(text == std::vector<std::string>{"one", "two"}, "x-echo-text came back " + std::to_string(text.size()) + " times");
      const auto binary = metadata->find("x-echo-data-bin");
      expect(binary != metadata->end(), "x-echo-data-bin did not come back");
      expect(binary->second == data, "x-echo-data-bin came back as other bytes");
    }
  }

  void invalid_argument() {
    Context context;
    const grpc::Status status = greet(context, "");
    expect_code(status, StatusCode::INVALID_ARGUMENT);
    expect(status.error_message().find("name") != std::string::npos, "message: " + status.error_message());
  }

  void unknown_method() { unknown("/greeter.Greeter/Nope"); }
  void unknown_service() { unknown("/greeter.Nobody/Hello"); }

  void server_stream() {
    Context context;
    greeter::CountdownRequest request;
    request.set_from(999);
    auto reader = stub_->Countdown(&context, request);
    greeter::CountdownReply reply;
    int want = 999;
    for (; reader->Read(&reply); --want) {
      expect(reply.value() == want, "expected " + std::to_string(want) + ", got " + std::to_string(reply.value()));
    }
    expect_code(reader->Finish(), StatusCode::OK);
    expect(want == -1, "the stream ended before " + std::to_string(want));
  }

  void client_stream() {
    Context context;
    greeter::CollectReply reply;
    auto writer = stub_->Collect(&context, &reply);
    for (int i = 0; i < 100; ++i) {
      greeter::HelloRequest request;
      request.set_name("name " + std::to_string(i));
      expect(writer->Write(request), "the server took only " + std::to_string(i) + " messages");
    }
    writer->WritesDone();
    expect_code(writer->Finish(), StatusCode::OK);
    expect(reply.count() == 100 && reply.names_size() == 100, "count " + std::to_string(reply.count()));
    for (int i = 0; i < 100; ++i) expect(reply.names(i) == "name " + std::to_string(i), "a name out of order: " + reply.names(i));
  }

  void bidi() { chat(100, 0ms, ""); }

  void deadline() {
    Context context(200ms);
    auto reader = count(context);
    greeter::CountdownReply reply;
    while (reader->Read(&reply)) {
    }
    expect_code(reader->Finish(), StatusCode::DEADLINE_EXCEEDED);
  }

  void cancel() {
    Context context;
    auto reader = count(context);
    greeter::CountdownReply reply;
    for (int i = 0; i < 10; ++i) expect(reader->Read(&reply), "no message " + std::to_string(i));
    context.TryCancel();
    while (reader->Read(&reply)) {
    }
    expect_code(reader->Finish(), StatusCode::CANCELLED);
    greet("John");
  }

  void large() { greet(std::string(kMebibyte, 'x')); }
  void large_stream() { chat(2, 0ms, std::string(2 * kMebibyte, 'x')); }

  void too_large() { exhaust(5 * kMebibyte); }
  // The request is just below 4 MiB, the reply just above it: our own limit.
  void too_large_reply() { exhaust(4 * kMebibyte - 6); }

  void gzip() {
    Context context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    expect_code(greet(context, std::string(100'000, 'x')), StatusCode::OK);
  }

  void concurrent() {
    std::vector<std::future<void>> calls;
    for (int i = 0; i < 50; ++i) {
      calls.push_back(std::async(std::launch::async, [this, i] { greet("caller " + std::to_string(i)); }));
    }
    for (std::future<void>& call : calls) call.get();
  }

  // The channel pings after 200 ms without data; a server that does not answer loses the call within it.
  void keepalive() { chat(2, 700ms, ""); }

 private:
  grpc::Status greet(grpc::ClientContext& context, const std::string& name) {
    greeter::HelloRequest request;
    request.set_name(name);
    greeter::HelloReply reply;
    grpc::Status status = stub_->Hello(&context, request, &reply);
    if (status.ok())
      expect(reply.message() == "Hello " + name, "greeting of " + std::to_string(reply.message().size()) + " bytes");
    return status;
  }

  void greet(const std::string& name) {
    Context context;
    expect_code(greet(context, name), StatusCode::OK);
  }

  std::unique_ptr<grpc::ClientReader<greeter::CountdownReply>> count(grpc::ClientContext& context) {
    greeter::CountdownRequest request;
    request.set_from(kEndless);
    return stub_->Countdown(&context, request);
  }

  void chat(int lines, std::chrono::milliseconds pause, const std::string& padding) {
    Context context;
    auto stream = stub_->Chat(&context);
    for (int i = 0; i < lines; ++i) {
      greeter::ChatMessage message;
      message.set_text("line " + std::to_string(i) + padding);
      const std::string want = "you said: " + message.text();
      const bool answered = stream->Write(message) && stream->Read(&message);
      if (!answered) expect_code(stream->Finish(), StatusCode::OK);
      expect(answered && message.text() == want,
             "expected '" + want.substr(0, 20) + "', heard '" + message.text().substr(0, 20) + "'");
      std::this_thread::sleep_for(pause);
    }
    stream->WritesDone();
    greeter::ChatMessage message;
    expect(!stream->Read(&message), "a message behind the last");
    expect_code(stream->Finish(), StatusCode::OK);
  }

  void exhaust(std::size_t size) {
    Context context;
    expect_code(greet(context, std::string(size, 'x')), StatusCode::RESOURCE_EXHAUSTED);
    greet("John");
  }

  void unknown(const std::string& method) {
    Context context;
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(), &queue);
    grpc::ByteBuffer reply;
    grpc::Status status;
    call->StartCall();
    call->Finish(&reply, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    expect_code(status, StatusCode::UNIMPLEMENTED);
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<greeter::Greeter::Stub> stub_;
};

constexpr std::pair<const char*, void (Checks::*)()> kChecks[] = {
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
    {"large", &Checks::large},
    {"large_stream", &Checks::large_stream},
    {"too_large", &Checks::too_large},
    {"too_large_reply", &Checks::too_large_reply},
    {"gzip", &Checks::gzip},
    {"concurrent", &Checks::concurrent},
    {"keepalive", &Checks::keepalive},
};

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() < 2) {
    std::fputs("usage: client HOST:PORT [CHECK...]\n", stderr);
    return 2;
  }
  const std::span<char*> wanted = arguments.subspan(2);
  Checks checks(arguments[1]);
  int result = 0;
  for (const auto& [name, check] : kChecks) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), std::string(name)) == wanted.end()) continue;
    try {
      (checks.*check)();
      std::printf("%s: ok\n", name);
    } catch (const std::exception& error) {
      std::printf("%s: failed: %s\n", name, error.what());
      result = 1;
    }
    std::fflush(stdout);
  }
  return result;
}
