// Talks to server.js with the framework's web client: client HOST:PORT [CHECK...]. Prints one line a check; ends with 1 when one
// has failed.
#include <chrono>
#include <cstdio>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/client/typed.hpp>
#include <micro/coro/block_on.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/web_client/calls.hpp>
#include <micro/web_client/event_stream.hpp>
#include <micro/web_client/websocket.hpp>

#include "greeter.pb.h"

namespace {

using namespace std::chrono_literals;
using micro::Task;
using micro::rpc::MethodKind;
using micro::web::EventStream;
using micro::web::WebSocket;
using micro::web::WebSocketOptions;
using micro::websocket::MessageKind;
using Stream = std::unique_ptr<micro::rpc::ClientStream>;
using SocketPtr = std::unique_ptr<WebSocket>;

void expect(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what);
}

template <class T>
void expect_ok(const micro::Result<T>& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
}

void expect_error(const micro::Error& error, micro::Code code, std::string_view message) {
  expect(error.code() == code && error.message().contains(message), "another error: " + error.to_string());
}

struct Context : micro::Context {
  Context() { set_timeout(20s); }
};

class Checks {
 public:
  explicit Checks(std::string address) : address_(std::move(address)) {}

  Task<void> echo() { return talk("/echo", WebSocketOptions()); }

  // Every combination of parameters that matters, from both sides.
  Task<void> deflate() {
    for (const std::string_view theirs : {"{}", R"({"serverNoContextTakeover":true,"clientNoContextTakeover":true})",
                                          R"({"serverMaxWindowBits":9,"clientMaxWindowBits":9})",
                                          R"({"serverMaxWindowBits":12,"clientNoContextTakeover":true})"}) {
      for (const auto& [takeover, bits] : {std::pair{true, 15}, std::pair{false, 15}, std::pair{true, 9}, std::pair{false, 10}}) {
        // ws refuses whoever wants less than it was told to use.
        if (bits < 15 && theirs.contains("serverMaxWindowBits")) continue;
        WebSocketOptions options;
        options.deflate.server_no_context_takeover = !takeover;
        options.deflate.client_no_context_takeover = !takeover;
        options.deflate.server_max_window_bits = static_cast<std::uint8_t>(bits);
        options.deflate.client_max_window_bits = static_cast<std::uint8_t>(bits);
        co_await talk("/echo?" + micro::percent_encode(theirs), options);
      }
    }
  }

  Task<void> deflate_declined() {
    WebSocketOptions options;
    options.deflate.enabled = false;
    co_await talk("/echo?%7B%7D", options);
  }

  Task<void> fragments() {
    Context context;
    const SocketPtr socket = co_await open(context, "/script");
    expect(co_await ask(*socket, "fragments h\xc3\xa4llo") == "h\xc3\xa4llo", "fragments joined wrongly");
    co_await say_goodbye(*socket);
  }

  Task<void> pings() {
    Context context;
    const SocketPtr socket = co_await open(context, "/script");
    expect(co_await ask(*socket, "ping are you there") == "pong are you there", "the ping was not answered");
    expect_ok(co_await socket->ping("me"));
    expect(co_await ask(*socket, "text still here") == "still here", "nothing behind our ping");
    co_await say_goodbye(*socket);
  }

  Task<void> closing() {
    Context context;
    const SocketPtr first = co_await open(context, "/script");
    expect_ok(co_await first->write("close 4321 na\xc3\xafve"));
    const auto end = co_await first->read();
    expect_ok(end);
    expect(!*end && first->close_code() == 4321 && first->close_reason() == "na\xc3\xafve",
           "closed with " + std::to_string(first->close_code()) + " " + first->close_reason());
    const SocketPtr second = co_await open(context, "/script");
    expect_ok(co_await second->write("end"));
    const auto broken = co_await second->read();
    expect(!broken, "a connection without a close frame ended well");
    expect(broken.error().reason() == "WEBSOCKET_ABNORMAL" || broken.error().code() == micro::Code::kUnavailable,
           broken.error().to_string());
  }

  Task<void> bad_frames() {
    // Reserved bit, reserved opcode, masked, long ping, fragmented ping, nothing to continue, long length, wrong UTF-8, wrong
    // code.
    for (const auto& [bytes, code] : {std::pair{"9100", 1002},
                                      {"8300", 1002},
                                      {"818000000000", 1002},
                                      {"897e007e", 1002},
                                      {"0900", 1002},
                                      {"8000", 1002},
                                      {"817e0001", 1002},
                                      {"8102c328", 1007},
                                      {"880203ed", 1002}}) {
      Context context;
      const SocketPtr socket = co_await open(context, "/script");
      expect_ok(co_await socket->write("raw " + std::string(bytes)));
      const auto answer = co_await socket->read();
      expect(!answer, std::string("taken for good: ") + bytes);
      const std::string_view want = code == 1002 ? "WEBSOCKET_PROTOCOL" : "WEBSOCKET_INVALID_DATA";
      expect(answer.error().reason() == want, std::string(bytes) + ": " + answer.error().to_string());
    }
  }

  Task<void> not_found() {
    Context context;
    const auto socket = co_await WebSocket::connect(context, target("/nothing"), WebSocketOptions());
    expect(!socket, "opened");
    expect_error(socket.error(), micro::Code::kNotFound, "nothing at /nothing");
  }

  Task<void> unary() {
    greeter::HelloRequest request;
    request.set_name("J\xc3\xbcrgen");
    Context context;
    Stream stream = co_await call(context, "Hello", MethodKind::kUnary, micro::codec::ref(request));
    greeter::HelloReply reply;
    expect_ok(co_await stream->finish(micro::codec::ref(reply)));
    expect(reply.message() == "Hello J\xc3\xbcrgen", reply.message());
    Context another;
    Stream failing = co_await call(another, "Hello", MethodKind::kUnary, micro::codec::ref(greeter::HelloRequest()));
    const auto failed = co_await failing->finish(micro::codec::ref(reply));
    expect(!failed, "greeted nobody");
    expect_error(failed.error(), micro::Code::kInvalidArgument,
                 "field name: expected somebody to greet, na\xc3\xafve \xe2\x98\x83");
  }

  Task<void> server_stream() {
    greeter::CountdownRequest request;
    request.set_from(1000);
    Context context;
    micro::ReadStream<greeter::CountdownReply> stream(
        co_await call(context, "Countdown", MethodKind::kServerStream, micro::codec::ref(request)));
    co_await count_down(stream, 1000);
  }

  Task<void> client_stream() {
    Context context;
    micro::WriteStream<greeter::CollectReply, greeter::HelloRequest> stream(
        co_await call(context, "Collect", MethodKind::kClientStream, micro::codec::MessageRef()));
    for (int i = 0; i < 100; ++i) {
      greeter::HelloRequest name;
      name.set_name("name " + std::to_string(i));
      expect_ok(co_await stream.write(name));
    }
    const auto reply = co_await stream.finish();
    expect_ok(reply);
    expect(reply->count() == 100 && reply->names(99) == "name 99", "collected " + std::to_string(reply->count()));
  }

  Task<void> bidi() {
    Context context;
    micro::BidiStream<greeter::ChatMessage, greeter::ChatMessage> stream(
        co_await call(context, "Chat", MethodKind::kBidiStream, micro::codec::MessageRef()));
    for (int i = 0; i < 100; ++i) {
      greeter::ChatMessage line;
      line.set_text("line " + std::to_string(i));
      expect_ok(co_await stream.write(line));
      greeter::ChatMessage answer;
      const auto more = co_await stream.read(answer);
      expect_ok(more);
      expect(*more && answer.text() == "you said: line " + std::to_string(i), "answer: " + answer.text());
    }
    expect_ok(co_await stream.close_send());
    greeter::ChatMessage none;
    const auto more = co_await stream.read(none);
    expect_ok(more);
    expect(!*more, "a message behind the last one");
  }

  Task<void> events() {
    co_await count_events(1000);
    co_await count_events(0);
  }

  Task<void> events_error() {
    greeter::CountdownRequest request;
    request.set_from(13);
    Context context;
    auto opened = co_await open_events(context, method("Countdown", MethodKind::kServerStream), micro::codec::ref(request),
                                       micro::web::CallOptions());
    expect_ok(opened);
    greeter::CountdownReply reply;
    micro::Result<bool> more = true;
    int count = 0;
    while (more && *more) {
      more = co_await (*opened)->read(micro::codec::ref(reply));
      count += more && *more ? 1 : 0;
    }
    expect(!more && count == 14, "ended well after " + std::to_string(count));
    expect(more.error() == micro::aborted("thirteen").with_reason("BAD_LUCK"), more.error().to_string());
    request.set_from(2000000);
    Context another;
    const auto refused = co_await open_events(another, method("Countdown", MethodKind::kServerStream), micro::codec::ref(request),
                                              micro::web::CallOptions());
    expect(!refused, "not refused");
    expect_error(refused.error(), micro::Code::kInvalidArgument, "from: too far");
  }

  Task<void> feed() {
    Context context;
    EventStream stream(context, target("/feed"), micro::web::EventStreamOptions());
    for (int id = 1; id <= 5; ++id) {
      EventStream::Event event;
      const auto more = co_await stream.read(event);
      expect_ok(more);
      expect(*more && event.type == "tick" && event.data == "one\n" + std::to_string(id) && event.id == std::to_string(id),
             "event " + std::to_string(id) + ": " + event.type + " " + event.data + " " + event.id);
    }
    EventStream::Event event;
    const auto more = co_await stream.read(event);
    expect_ok(more);
    expect(!*more, "an event behind the last one");
  }

 private:
  micro::web::Target target(std::string path) const {
    auto target = micro::web::Target::parse(address_).value();
    target.path = std::move(path);
    return target;
  }
  micro::web::Method method(std::string name, MethodKind kind) const {
    return {.target = target("/"), .service = "greeter.Greeter", .method = std::move(name), .kind = kind};
  }

  Task<SocketPtr> open(Context& context, std::string path) {
    auto socket = co_await WebSocket::connect(context, target(std::move(path)), WebSocketOptions());
    expect_ok(socket);
    co_return std::move(*socket);
  }

  static Task<std::string> ask(WebSocket& socket, std::string_view text) {
    expect_ok(co_await socket.write(text));
    const auto message = co_await socket.read();
    expect_ok(message);
    expect(message->has_value(), "closed instead of answered");
    co_return std::string((*message)->view());
  }

  static Task<void> say_goodbye(WebSocket& socket) {
    expect_ok(co_await socket.close(1000, "bye"));
    expect(socket.close_code() == 1000, "closed with " + std::to_string(socket.close_code()));
  }

  // Messages of all sizes, there and back.
  Task<void> talk(std::string path, WebSocketOptions options) {
    Context context;
    auto socket = co_await WebSocket::connect(context, target(std::move(path)), std::move(options));
    expect_ok(socket);
    for (const std::size_t size : {0, 1, 125, 126, 127, 128, 65535, 65536, 1 << 20}) {
      for (const MessageKind kind : {MessageKind::kText, MessageKind::kBinary}) {
        std::string data(size, '\0');
        for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(kind == MessageKind::kText ? 'a' + i * i % 23 : i * i);
        expect_ok(co_await (*socket)->write(kind, data));
        const auto back = co_await (*socket)->read();
        expect_ok(back);
        expect(back->has_value() && (*back)->kind == kind && (*back)->view() == data,
               std::to_string(size) + " bytes came back as others");
      }
    }
    co_await say_goodbye(**socket);
  }

  Task<Stream> call(Context& context, std::string name, MethodKind kind, micro::codec::MessageRef request) {
    auto stream = co_await open_websocket(context, method(std::move(name), kind), request, micro::web::CallOptions());
    expect_ok(stream);
    co_return std::move(*stream);
  }

  static Task<void> count_down(micro::ReadStream<greeter::CountdownReply>& stream, int from) {
    for (int value = from; value >= -1; --value) {
      greeter::CountdownReply reply;
      const auto more = co_await stream.read(reply);
      expect_ok(more);
      expect(*more == (value >= 0) && (value < 0 || reply.value() == value), "got another number than " + std::to_string(value));
    }
  }

  Task<void> count_events(int from) {
    greeter::CountdownRequest request;
    request.set_from(from);
    Context context;
    auto opened = co_await open_events(context, method("Countdown", MethodKind::kServerStream), micro::codec::ref(request),
                                       micro::web::CallOptions());
    expect_ok(opened);
    micro::ReadStream<greeter::CountdownReply> stream(std::move(*opened));
    co_await count_down(stream, from);
  }

  std::string address_;
};

using Check = Task<void> (Checks::*)();
const std::pair<std::string_view, Check> kChecks[] = {
    {"echo", &Checks::echo},
    {"deflate", &Checks::deflate},
    {"deflate_declined", &Checks::deflate_declined},
    {"fragments", &Checks::fragments},
    {"pings", &Checks::pings},
    {"closing", &Checks::closing},
    {"bad_frames", &Checks::bad_frames},
    {"not_found", &Checks::not_found},
    {"unary", &Checks::unary},
    {"server_stream", &Checks::server_stream},
    {"client_stream", &Checks::client_stream},
    {"bidi", &Checks::bidi},
    {"events", &Checks::events},
    {"events_error", &Checks::events_error},
    {"feed", &Checks::feed},
};

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (argc < 2) {
    std::fputs("usage: client HOST:PORT [CHECK...]\n", stderr);
    return 2;
  }
  micro::Loop loop;
  Checks checks(arguments[1]);
  bool failed = false;
  for (const auto& [name, check] : kChecks) {
    bool wanted = argc == 2;
    for (const char* argument : arguments.subspan(2)) wanted = wanted || argument == name;
    if (!wanted) continue;
    std::string outcome = "ok";
    try {
      micro::block_on(loop, (checks.*check)());
    } catch (const std::exception& error) {
      outcome = std::string("failed: ") + error.what();
      failed = true;
    }
    std::printf("%s: %s\n", std::string(name).c_str(), outcome.c_str());
    std::fflush(stdout);
  }
  return failed ? 1 : 0;
}
