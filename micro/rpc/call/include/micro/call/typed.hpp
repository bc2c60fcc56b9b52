#pragma once

#include <memory>
#include <utility>

#include <micro/call/endpoint.hpp>
#include <micro/call/stream.hpp>
#include <micro/codecs/protobuf.hpp>

// Typed faces of calls and streams. Included by generated code; the only headers of this layer that know protobuf.
namespace micro {

// The messages a peer sends. `while (true) { auto more = co_await reader.read(message); if (!more || !*more) ... }`: see
// MessageStream::read for what it answers. Valid as long as the call.
template <class In>
class Reader {
 public:
  explicit Reader(rpc::MessageStream& stream) noexcept : stream_(&stream) {}
  Task<Result<bool>> read(In& message) { return stream_->read(codec::ref(message)); }

 private:
  rpc::MessageStream* stream_;
};

// The messages we send. `message` must live until the write has been awaited.
template <class Out>
class Writer {
 public:
  explicit Writer(rpc::MessageStream& stream) noexcept : stream_(&stream) {}
  Task<Result<void>> write(const Out& message) { return stream_->write(codec::ref(message)); }

 private:
  rpc::MessageStream* stream_;
};

// Both directions, independent of each other.
template <class In, class Out>
class ReaderWriter {
 public:
  explicit ReaderWriter(rpc::MessageStream& stream) noexcept : stream_(&stream) {}
  Task<Result<bool>> read(In& message) { return stream_->read(codec::ref(message)); }
  Task<Result<void>> write(const Out& message) { return stream_->write(codec::ref(message)); }

 private:
  rpc::MessageStream* stream_;
};

namespace rpc {

// Adapters from a typed member function to a CallHandler; `Owner` is the generated handler class.
template <class Owner, class In, class Out>
class UnaryMethod final : public CallHandler {
 public:
  using Function = Task<Result<Out>> (Owner::*)(Context&, const In&);
  UnaryMethod(Owner& owner, Function function) noexcept : owner_(&owner), function_(function) {}
  Task<Reply> handle(Context& context, Call& call) override {
    Result<Out> result = co_await (owner_->*function_)(context, codec::message_cast<In>(call.request));
    if (!result) co_return std::unexpected(std::move(result.error()));
    codec::message_cast<Out>(call.reply) = std::move(*result);
    co_return Reply{};
  }

 private:
  Owner* owner_;
  Function function_;
};

template <class Owner, class In, class Out>
class ServerStreamMethod final : public CallHandler {
 public:
  using Function = Task<Result<void>> (Owner::*)(Context&, const In&, Writer<Out>&);
  ServerStreamMethod(Owner& owner, Function function) noexcept : owner_(&owner), function_(function) {}
  Task<Reply> handle(Context& context, Call& call) override {
    Writer<Out> writer(*call.stream);
    co_return co_await (owner_->*function_)(context, codec::message_cast<In>(call.request), writer);
  }

 private:
  Owner* owner_;
  Function function_;
};

template <class Owner, class In, class Out>
class ClientStreamMethod final : public CallHandler {
 public:
  using Function = Task<Result<Out>> (Owner::*)(Context&, Reader<In>&);
  ClientStreamMethod(Owner& owner, Function function) noexcept : owner_(&owner), function_(function) {}
  Task<Reply> handle(Context& context, Call& call) override {
    Reader<In> reader(*call.stream);
    Result<Out> result = co_await (owner_->*function_)(context, reader);
    if (!result) co_return std::unexpected(std::move(result.error()));
    codec::message_cast<Out>(call.reply) = std::move(*result);
    co_return Reply{};
  }

 private:
  Owner* owner_;
  Function function_;
};

template <class Owner, class In, class Out>
class BidiStreamMethod final : public CallHandler {
 public:
  using Function = Task<Result<void>> (Owner::*)(Context&, ReaderWriter<In, Out>&);
  BidiStreamMethod(Owner& owner, Function function) noexcept : owner_(&owner), function_(function) {}
  Task<Reply> handle(Context& context, Call& call) override {
    ReaderWriter<In, Out> stream(*call.stream);
    co_return co_await (owner_->*function_)(context, stream);
  }

 private:
  Owner* owner_;
  Function function_;
};

}  // namespace rpc
}  // namespace micro
