#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <micro/bytes/buffer.hpp>
#include <micro/call/endpoint.hpp>
#include <micro/call/stream.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/proto_codec.hpp>
#include <micro/coro/channel.hpp>
#include <micro/coro/event.hpp>
#include <micro/task/task.hpp>

// Calls of endpoints without a server, messages as JSON.
namespace micro::rpc {

inline const codec::JsonCodec& test_json() {
  static const codec::JsonCodec codec({.emit_zero_values = true});
  return codec;
}

inline std::string to_json(codec::MessageRef message) {
  Buffer out;
  const auto done = test_json().marshal(message, out);
  return done ? std::string(out.view()) : done.error().to_string();
}

// The peer of a streaming call: what it sends goes into `in`, what it gets comes out of `out`. Messages pass through their binary
// form on the way, as on a wire.
class FakeStream final : public MessageStream {
 public:
  explicit FakeStream(Context& context) : context_(context) {}

  Task<Result<bool>> read(codec::MessageRef message) override {
    Result<std::optional<std::string>> json = co_await in.receive(context_);
    if (!json) co_return fail(json.error());
    if (!*json) co_return false;
    if (auto done = test_json().unmarshal(**json, message); !done) co_return fail(done.error());
    co_return true;
  }
  Task<Result<void>> write(codec::MessageRef message) override {
    if (refuse) co_return fail(unavailable("the peer is gone"));
    Buffer wire;
    if (auto done = codec::ProtoCodec().marshal(message, wire); !done) co_return done;
    const codec::MessagePtr copy(*message.type);
    if (auto done = codec::ProtoCodec().unmarshal(wire.view(), copy.get()); !done) co_return done;
    const Result<bool> sent = co_await out.send(context_, to_json(copy.get()));
    if (!sent) co_return fail(sent.error());
    co_return Result<void>{};
  }
  Task<Result<void>> close_send() override { co_return Result<void>{}; }

  // The next message the handler wrote.
  Task<std::string> next() {
    std::optional<std::string> json = co_await out.receive();
    co_return json.value_or("the end");
  }

  Channel<std::string> in{100};
  Channel<std::string> out{100};
  bool refuse = false;

 private:
  Context& context_;
};

// A streaming call under way.
class FakeCall {
 public:
  explicit FakeCall(const Endpoint& endpoint, std::string_view request = {}) : endpoint_(endpoint) {
    call_.service = endpoint.service;
    call_.method = endpoint.method;
    call_.kind = endpoint.kind;
    call_.endpoint = &endpoint;
    if (endpoint.kind == MethodKind::kUnary) {
      reply_ = codec::MessagePtr(*endpoint.reply_type);
      call_.reply = reply_.get();
    } else {
      call_.stream = &stream;
    }
    if (endpoint.kind == MethodKind::kBidiStream) return;
    request_ = codec::MessagePtr(*endpoint.request_type);
    const auto done = test_json().unmarshal(request, request_.get());
    EXPECT_TRUE(done) << done.error().to_string();
    call_.request = request_.get();
  }

  Task<Reply> run() { return endpoint_.handler->handle(context, call_); }
  std::string reply() const { return to_json(reply_.get()); }

  // The same beside the test; end() waits for it.
  void start() { spawn(keep()); }
  Task<Reply> end() {
    co_await ended_.wait();
    co_return std::move(*result_);
  }
  bool has_ended() const { return ended_.is_set(); }

  Context context;
  FakeStream stream{context};

 private:
  Task<void> keep() {
    result_ = co_await run();
    ended_.set();
  }

  const Endpoint& endpoint_;
  codec::MessagePtr request_;
  codec::MessagePtr reply_;
  Call call_;
  std::optional<Reply> result_;
  Event ended_;
};

inline const Endpoint& find_endpoint(const std::vector<Endpoint>& endpoints, std::string_view path) {
  for (const Endpoint& endpoint : endpoints) {
    if (endpoint.path() == path) return endpoint;
  }
  throw std::logic_error("no endpoint " + std::string(path));
}

}  // namespace micro::rpc
