#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <micro/client/client.hpp>
#include <micro/codecs/protobuf.hpp>

// Typed faces of client calls. Included by generated code.
namespace micro {

// A server-streaming call under way: read until false (the end) or an error.
template <class In>
class ReadStream {
 public:
  explicit ReadStream(std::unique_ptr<rpc::ClientStream> stream) noexcept : stream_(std::move(stream)) {}
  Task<Result<bool>> read(In& message) { return stream_->read(codec::ref(message)); }

 private:
  std::unique_ptr<rpc::ClientStream> stream_;
};

// A client-streaming call under way: write, then finish() for the reply.
template <class In, class Out>
class WriteStream {
 public:
  explicit WriteStream(std::unique_ptr<rpc::ClientStream> stream) noexcept : stream_(std::move(stream)) {}
  Task<Result<void>> write(const Out& message) { return stream_->write(codec::ref(message)); }
  Task<Result<In>> finish() {
    In reply;
    Result<void> done = co_await stream_->finish(codec::ref(reply));
    if (!done) co_return std::unexpected(std::move(done.error()));
    co_return reply;
  }

 private:
  std::unique_ptr<rpc::ClientStream> stream_;
};

// A bidirectional call under way.
template <class In, class Out>
class BidiStream {
 public:
  explicit BidiStream(std::unique_ptr<rpc::ClientStream> stream) noexcept : stream_(std::move(stream)) {}
  Task<Result<bool>> read(In& message) { return stream_->read(codec::ref(message)); }
  Task<Result<void>> write(const Out& message) { return stream_->write(codec::ref(message)); }
  // No more messages from us; the peer may go on.
  Task<Result<void>> close_send() { return stream_->close_send(); }

 private:
  std::unique_ptr<rpc::ClientStream> stream_;
};

namespace rpc {

// What every generated client is made of: a client, the registry name of the service and the options of its calls.
class TypedClient {
 public:
  TypedClient(Client& client, std::string service, std::string_view proto_service)
      : client_(&client), service_(std::move(service)), proto_service_(proto_service) {}

 protected:
  template <class In, class Out>
  Task<Result<In>> unary(Context& context, std::string_view method, const Out& request, const CallOptions& options) {
    In reply;
    Reply done =
        co_await client_->call(context, service_, proto_service_, method, codec::ref(request), codec::ref(reply), options);
    if (!done) co_return std::unexpected(std::move(done.error()));
    co_return reply;
  }
  template <class Stream>
  Task<Result<Stream>> open(Context& context, std::string_view method, MethodKind kind, codec::MessageRef request,
                            const CallOptions& options) {
    auto stream = co_await client_->stream(context, service_, proto_service_, method, kind, request, options);
    if (!stream) co_return std::unexpected(std::move(stream.error()));
    co_return Stream(std::move(*stream));
  }

  Client* client_;
  std::string service_;
  std::string_view proto_service_;
  // Used when a call gives none.
  CallOptions defaults_;
  CallOptions idempotent_defaults_ = [] {
    CallOptions options;
    options.idempotent = true;
    return options;
  }();
};

}  // namespace rpc
}  // namespace micro
