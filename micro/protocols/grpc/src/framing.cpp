#include <micro/grpc/framing.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace micro::grpc {
namespace {

std::uint32_t frame_size(std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("a gRPC message of " + std::to_string(size) + " bytes does not fit its 4-byte length prefix");
  }
  return static_cast<std::uint32_t>(size);
}

// A large message that comes in pieces is not to be copied each time its buffer has doubled. But a length is only a claim, so
// there is room for a multiple of what has come, no more.
constexpr std::size_t kTrust = 16;

// How much room to make behind `present` bytes of a message of `size` when `count` more have come.
std::size_t room_for(std::size_t present, std::size_t count, std::size_t size) {
  return std::max(count, std::min(size, (present + count) * kTrust) - present);
}

Error too_large(std::size_t size, std::size_t limit, std::string_view option) {
  return resource_exhausted("message of " + std::to_string(size) + " bytes is larger than the limit of " + std::to_string(limit) +
                            " bytes (option " + std::string(option) + ")");
}

}  // namespace

std::size_t begin_frame(Buffer& out) {
  const std::size_t frame = out.size();
  out.prepare(kPrefixSize);
  out.commit(kPrefixSize);
  return frame;
}

void end_frame(Buffer& out, std::size_t frame, bool compressed) {
  store_prefix(out.data() + frame, frame_size(out.size() - frame - kPrefixSize), compressed);
}

void append_frame(Buffer& out, std::string_view payload, bool compressed) {
  const std::uint32_t size = frame_size(payload.size());
  store_prefix(out.prepare(kPrefixSize + payload.size()), size, compressed);
  out.commit(kPrefixSize);
  out.append(payload);
}

void append_frame(Chain& out, std::string_view payload, bool compressed) {
  store_prefix(out.prepare(kPrefixSize), frame_size(payload.size()), compressed);
  out.commit(kPrefixSize);
  out.append(payload);
}

void append_frame(Chain& out, Buffer&& payload, bool compressed) {
  store_prefix(out.prepare(kPrefixSize), frame_size(payload.size()), compressed);
  out.commit(kPrefixSize);
  out.append(std::move(payload));
}

Result<void> check_send_size(std::size_t size, std::size_t limit) {
  if (size > limit) return fail(too_large(size, limit, "max_send_message_size"));
  return {};
}

void MessageReader::feed(std::string_view bytes) {
  if (!input_.empty()) keep();
  input_ = bytes;
}

void MessageReader::keep() {
  buffer_.consume(std::exchange(handed_, 0));
  buffer_.append(std::exchange(input_, {}));
}

Result<std::optional<MessageReader::Message>> MessageReader::next() {
  buffer_.consume(std::exchange(handed_, 0));

  if (buffer_.empty() && input_.size() >= kPrefixSize) {
    if (auto valid = check_prefix(input_.data()); !valid) return fail(std::move(valid).error());
    const std::size_t size = load_be32(input_.data() + 1);
    if (input_.size() - kPrefixSize >= size) {
      Message message{.payload = input_.substr(kPrefixSize, size), .compressed = input_.front() != 0};
      input_.remove_prefix(kPrefixSize + size);
      return message;
    }
  }

  // Takes over no more than this message needs, so that the one behind it can be handed out from the view again.
  const auto fill_to = [this](std::size_t size) {
    if (buffer_.size() < size) {
      const std::size_t count = std::min(size - buffer_.size(), input_.size());
      if (count > buffer_.room()) buffer_.prepare(room_for(buffer_.size(), count, size));
      buffer_.append(input_.substr(0, count));
      input_.remove_prefix(count);
    }
    return buffer_.size() >= size;
  };
  if (!fill_to(kPrefixSize)) return std::nullopt;
  if (auto valid = check_prefix(buffer_.data()); !valid) return fail(std::move(valid).error());
  const std::size_t size = kPrefixSize + load_be32(buffer_.data() + 1);
  if (!fill_to(size)) return std::nullopt;
  handed_ = size;
  return Message{.payload = buffer_.view().substr(kPrefixSize, size - kPrefixSize), .compressed = *buffer_.data() != 0};
}

Result<void> MessageReader::check_prefix(const char* prefix) const {
  const auto flag = static_cast<unsigned char>(prefix[0]);
  if (flag > 1) {
    return fail(internal("message with the compressed flag " + std::to_string(flag) + ": only 0 and 1 are defined (not gRPC?)"));
  }
  if (flag == 1 && options_.encoding == Compression::kIdentity) {
    return fail(internal("compressed message on a stream whose grpc-encoding is identity or missing"));
  }
  if (const std::size_t size = load_be32(prefix + 1); size > options_.max_message_size) {
    return fail(too_large(size, options_.max_message_size, "max_receive_message_size"));
  }
  return {};
}

Result<void> MessageReader::finish() const {
  if (pending() == 0) return {};
  return fail(
      internal("the stream ended in the middle of a message (" + std::to_string(pending()) + " bytes of it had arrived)"));
}

void MessageReader::reset(Options options) {
  options_ = options;
  buffer_.release();
  handed_ = 0;
  input_ = {};
}

}  // namespace micro::grpc
