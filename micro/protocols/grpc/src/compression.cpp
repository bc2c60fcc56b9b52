#include <micro/grpc/compression.hpp>

#include <algorithm>
#include <limits>
#include <string>

#include <zlib.h>

#include "trim.hpp"

namespace micro::grpc {
namespace {

constexpr int kZlibWindow = 15;
constexpr int kGzipWindow = 15 + 16;
constexpr std::size_t kOutputStep = std::size_t{64} * 1024;
constexpr std::size_t kMinOutputStep = 512;

// The states are large and slow to set up, so each thread keeps its own and resets it for every message.
struct Deflater {
  explicit Deflater(int window) {
    ready = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() {
    if (ready) deflateEnd(&stream);
  }
  z_stream stream{};
  bool ready;
};

struct Inflater {
  Inflater() { ready = inflateInit2(&stream, kZlibWindow) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  z_stream stream{};
  bool ready;
};

Deflater& deflater(Compression compression) {
  if (compression == Compression::kGzip) {
    thread_local Deflater gzip(kGzipWindow);
    return gzip;
  }
  thread_local Deflater zlib(kZlibWindow);
  return zlib;
}

// zlib only reads through next_in, but declares it without const.
void set_input(z_stream& stream, std::string_view in) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
}

std::optional<Compression> compression_from_name(std::string_view name) {
  for (const Compression c : {Compression::kIdentity, Compression::kDeflate, Compression::kGzip}) {
    if (name == to_string(c)) return c;
  }
  return std::nullopt;
}

Error no_memory(Compression compression) {
  return resource_exhausted("no memory for the state of " + std::string(to_string(compression)) + " compression");
}

Error too_large(std::size_t max_size) {
  return resource_exhausted("message is larger than the limit of " + std::to_string(max_size) +
                            " bytes once decompressed (option max_receive_message_size)");
}

Error corrupt(Compression compression, std::string_view why) {
  return internal("cannot decompress a message as " + std::string(to_string(compression)) + ": " + std::string(why));
}

}  // namespace

std::string_view to_string(Compression compression) noexcept {
  switch (compression) {
    case Compression::kIdentity:
      return "identity";
    case Compression::kDeflate:
      return "deflate";
    case Compression::kGzip:
      return "gzip";
  }
  return "unknown";
}

Result<Compression> parse_encoding(std::string_view value, Code unknown) {
  value = trim(value);
  if (value.empty()) return Compression::kIdentity;
  if (const auto compression = compression_from_name(value)) return *compression;
  return fail(
      Error(unknown, "grpc-encoding '" + std::string(value) + "' is not supported; use one of " + std::string(kAcceptEncoding)));
}

AcceptedCompressions parse_accept_encoding(std::string_view value) noexcept {
  AcceptedCompressions accepted;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    if (const auto compression = compression_from_name(trim(value.substr(0, comma)))) accepted.add(*compression);
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return accepted;
}

Result<void> compress(Compression compression, std::string_view in, Buffer& out) {
  if (compression == Compression::kIdentity) {
    out.append(in);
    return {};
  }
  Deflater& state = deflater(compression);
  if (!state.ready) return fail(no_memory(compression));
  z_stream& stream = state.stream;
  deflateReset(&stream);
  const uLong bound = deflateBound(&stream, in.size());
  if (bound > std::numeric_limits<uInt>::max()) {
    return fail(resource_exhausted("message of " + std::to_string(in.size()) + " bytes is too large to be compressed"));
  }
  set_input(stream, in);
  stream.next_out = reinterpret_cast<Bytef*>(out.prepare(bound));
  stream.avail_out = static_cast<uInt>(bound);
  // With deflateBound() bytes of room one call is enough.
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return fail(internal("zlib did not finish a message in the room it asked for"));
  out.commit(bound - stream.avail_out);
  return {};
}

Result<void> decompress(Compression compression, std::string_view in, std::size_t max_size, Buffer& out) {
  if (compression == Compression::kIdentity) {
    if (in.size() > max_size) return fail(too_large(max_size));
    out.append(in);
    return {};
  }
  if (in.size() > std::numeric_limits<uInt>::max()) return fail(too_large(max_size));
  thread_local Inflater state;
  if (!state.ready) return fail(no_memory(compression));
  z_stream& stream = state.stream;
  inflateReset2(&stream, compression == Compression::kGzip ? kGzipWindow : kZlibWindow);
  set_input(stream, in);

  const std::size_t before = out.size();
  const auto give_up = [&](Error error) {
    out.truncate(before);
    return fail(std::move(error));
  };
  std::size_t step = std::clamp(in.size() * 4, kMinOutputStep, kOutputStep);
  for (;;) {
    // One byte of room beyond the limit tells a message that just fits from one that does not.
    const std::size_t left = max_size - (out.size() - before);
    const std::size_t room = left < step ? left + 1 : step;
    stream.next_out = reinterpret_cast<Bytef*>(out.prepare(room));
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t produced = room - stream.avail_out;
    if (produced > left) return give_up(too_large(max_size));
    out.commit(produced);
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return {};
      // A gzip file may consist of several members (RFC 1952, section 2.2).
      if (compression != Compression::kGzip) return give_up(corrupt(compression, "there are bytes behind its end"));
      inflateReset(&stream);
    } else if (status == Z_MEM_ERROR) {
      return give_up(no_memory(compression));
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      return give_up(corrupt(compression, stream.msg != nullptr ? stream.msg : "the data is damaged"));
    } else if (stream.avail_in == 0 && stream.avail_out != 0) {
      return give_up(corrupt(compression, "the data ends too early"));
    }
    step = kOutputStep;
  }
}

}  // namespace micro::grpc
