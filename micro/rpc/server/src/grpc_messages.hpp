#pragma once

#include <optional>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/call/endpoint.hpp>
#include <micro/codec/codec.hpp>
#include <micro/context/context.hpp>
#include <micro/grpc/compression.hpp>
#include <micro/grpc/framing.hpp>

namespace micro::rpc {

// The messages of one call both ways and what its headers say about them: what gRPC and gRPC-Web have in common.
class GrpcMessages {
 public:
  // A new call; messages of it may have up to `limit` bytes. `context` says what its handler wants to be compressed.
  void begin(const codec::Codec& codec, std::size_t limit, Context& context) noexcept;
  // One header field of the request: into the context, or into the options of the messages.
  Result<void> take(std::string_view name, std::string_view value, TimePoint now);
  // All fields were taken.
  void begin_reading(TimePoint now);

  const codec::Codec& codec() const noexcept { return *codec_; }
  // The caller is go-micro's plugin, which wants errors in its own form.
  bool go_micro() const noexcept { return go_micro_; }
  // For the headers of the reply. Settled by whoever asks first: they, or the first message.
  grpc::Compression reply_encoding() noexcept;
  grpc::MessageReader& reader() noexcept { return reader_; }

  // For methods that take one message: decodes it from what has arrived; OK without it as long as the caller has not ended.
  Result<void> take_request(const Endpoint& endpoint, codec::MessageRef into, bool ended);
  // The next message of a stream; false when it has not arrived.
  Result<bool> next(codec::MessageRef into);
  // Appends a reply message with its frame to `out`.
  Result<void> encode(codec::MessageRef message, Buffer& out);

 private:
  Result<void> decode(const grpc::MessageReader::Message& message, codec::MessageRef into) const;

  const codec::Codec* codec_ = nullptr;
  Context* context_ = nullptr;
  grpc::MessageReader reader_;
  std::size_t limit_ = 0;
  grpc::Compression request_encoding_ = grpc::Compression::kIdentity;
  grpc::Compression reply_encoding_ = grpc::Compression::kIdentity;
  grpc::AcceptedCompressions accepted_;
  bool go_micro_ = false;
  bool has_request_ = false;
  bool settled_ = false;  // reply_encoding_ stays as it is
};

}  // namespace micro::rpc
