#include "grpc_messages.hpp"

#include <utility>

#include <micro/grpc/fields.hpp>
#include <micro/grpc/timeout.hpp>
#include <micro/mucp/grpc.hpp>

namespace micro::rpc {

void GrpcMessages::begin(const codec::Codec& codec, std::size_t limit, Context& context) noexcept {
  codec_ = &codec;
  context_ = &context;
  limit_ = limit;
  request_encoding_ = grpc::Compression::kIdentity;
  accepted_ = {};
  has_request_ = settled_ = false;
}

Result<void> GrpcMessages::take(std::string_view name, std::string_view value, TimePoint now) {
  if (name.starts_with("grpc-")) {
    if (name == "grpc-timeout") {
      const Result<Duration> timeout = grpc::parse_timeout(value);
      if (!timeout) return std::unexpected(timeout.error());
      context_->set_deadline(now + *timeout);
      return {};
    }
    if (name == "grpc-encoding") {
      const Result<grpc::Compression> encoding = grpc::parse_encoding(value);
      if (!encoding) return std::unexpected(encoding.error());
      request_encoding_ = *encoding;
      return {};
    }
    if (name == "grpc-accept-encoding") {
      accepted_ = grpc::parse_accept_encoding(value);
      return {};
    }
  }
  if (Result<void> taken = grpc::take_field(name, value, context_->incoming()); !taken) return taken;
  if (name == "x-request-id") context_->set_request_id(value);
  return {};
}

void GrpcMessages::begin_reading(TimePoint now) {
  const mucp::PluginFields plugin = mucp::take_plugin_fields(context_->incoming());
  go_micro_ = plugin.go_micro;
  if (plugin.timeout) context_->set_timeout(*plugin.timeout, now);
  // Answers are compressed as the request was, when the caller reads that and the handler does not say otherwise.
  reply_encoding_ = accepted_.choose(request_encoding_);
  grpc::MessageReader::Options options;
  options.max_message_size = limit_;
  options.encoding = request_encoding_;
  reader_.reset(options);
}

grpc::Compression GrpcMessages::reply_encoding() noexcept {
  if (!std::exchange(settled_, true) && context_->reply_compression() != Compress::kDefault &&
      reply_encoding_ == grpc::Compression::kIdentity) {
    // Named also for kOff: a later message of a stream may be compressed.
    reply_encoding_ = accepted_.best();
  }
  return reply_encoding_;
}

Result<void> GrpcMessages::take_request(const Endpoint& endpoint, codec::MessageRef into, bool ended) {
  while (true) {
    Result<std::optional<grpc::MessageReader::Message>> message = reader_.next();
    if (!message) return std::unexpected(std::move(message.error()));
    if (!*message) break;
    if (has_request_) return fail(internal("more than one request message for " + endpoint.path() + ", which takes one"));
    has_request_ = true;
    if (Result<void> decoded = decode(**message, into); !decoded) return decoded;
  }
  if (!ended) return {};
  if (Result<void> finished = reader_.finish(); !finished) return finished;
  if (!has_request_) return fail(internal("no request message for " + endpoint.path() + ", which takes one"));
  return {};
}

Result<bool> GrpcMessages::next(codec::MessageRef into) {
  Result<std::optional<grpc::MessageReader::Message>> message = reader_.next();
  if (!message) return std::unexpected(std::move(message.error()));
  if (!*message) return false;
  if (Result<void> decoded = decode(**message, into); !decoded) return std::unexpected(std::move(decoded.error()));
  return true;
}

Result<void> GrpcMessages::encode(codec::MessageRef message, Buffer& out) {
  const std::size_t frame = grpc::begin_frame(out);
  if (Result<void> encoded = codec_->marshal(message, out); !encoded) {
    out.truncate(frame);
    return encoded;
  }
  if (reply_encoding() == grpc::Compression::kIdentity || context_->reply_compression() == Compress::kOff) {
    grpc::end_frame(out, frame, false);
    return {};
  }
  Buffer packed;
  const std::string_view plain = out.view().substr(frame + grpc::kPrefixSize);
  if (Result<void> done = grpc::compress(reply_encoding_, plain, packed); !done) {
    out.truncate(frame);
    return done;
  }
  out.truncate(frame);
  grpc::append_frame(out, packed.view(), true);
  return {};
}

Result<void> GrpcMessages::decode(const grpc::MessageReader::Message& message, codec::MessageRef into) const {
  context_->set_request_was_compressed(message.compressed);
  if (!message.compressed) return codec_->unmarshal(message.payload, into);
  Buffer plain;
  if (Result<void> done = grpc::decompress(request_encoding_, message.payload, limit_, plain); !done) return done;
  return codec_->unmarshal(plain.view(), into);
}

}  // namespace micro::rpc
