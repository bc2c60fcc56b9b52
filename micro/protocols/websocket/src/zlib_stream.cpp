#include "zlib_stream.hpp"

#include <algorithm>
#include <limits>

#include <zlib.h>

namespace micro::websocket {

struct ZlibState {
  z_stream stream{};
  bool inflating = false;
};

void ZlibStateDeleter::operator()(ZlibState* state) const noexcept {
  if (state->inflating) {
    inflateEnd(&state->stream);
  } else {
    deflateEnd(&state->stream);
  }
  delete state;
}

namespace {

constexpr std::string_view kTail("\x00\x00\xff\xff", 4);
constexpr std::size_t kMinRoom = 512;
constexpr std::size_t kMaxRoom = std::size_t{64} * 1024;
constexpr std::size_t kMaxInput = std::numeric_limits<uInt>::max();
constexpr int kMemoryLevel = 8;

// zlib only reads through next_in, but declares it without const.
std::string_view set_input(z_stream& stream, std::string_view in) {
  const std::string_view now = in.substr(0, kMaxInput);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(now.data()));
  stream.avail_in = static_cast<uInt>(now.size());
  return in.substr(now.size());
}

}  // namespace

bool Compressor::compress(std::string_view piece, bool last, Buffer& out) {
  if (!state_) {
    auto* state = new ZlibState;
    if (deflateInit2(&state->stream, std::clamp(level_, 1, 9), Z_DEFLATED, -window_bits_, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      delete state;
      return false;
    }
    state_.reset(state);
  }
  z_stream& stream = state_->stream;
  const std::size_t before = out.size();
  do {
    piece = set_input(stream, piece);
    const int flush = piece.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    do {
      const std::size_t room = std::clamp(std::size_t{stream.avail_in} / 2, kMinRoom, kMaxRoom);
      stream.next_out = reinterpret_cast<Bytef*>(out.prepare(room));
      stream.avail_out = static_cast<uInt>(room);
      if (deflate(&stream, flush) == Z_STREAM_ERROR) return false;
      out.commit(room - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!piece.empty());
  if (!last) return true;

  // zlib does not flush twice in a row; then an empty block stands for the piece (RFC 7692, section 7.2.3.6).
  if (out.size() - before >= kTail.size() && out.view().ends_with(kTail)) {
    out.truncate(out.size() - kTail.size());
  } else {
    out.push_back('\0');
  }
  if (!context_takeover_) deflateReset(&stream);
  return true;
}

Decompressor::Status Decompressor::decompress(std::string_view piece, std::size_t max, Buffer& out) {
  if (!state_) {
    auto* state = new ZlibState{.inflating = true};
    if (inflateInit2(&state->stream, -window_bits_) != Z_OK) {
      delete state;
      return Status::kNoMemory;
    }
    state_.reset(state);
  }
  z_stream& stream = state_->stream;
  while (!piece.empty()) {
    piece = set_input(stream, piece);
    while (true) {
      // A sender may end a block as if it were the last one and go on with another (RFC 7692, section 7.2.3.4).
      if (ended_ && stream.avail_in != 0) {
        inflateReset(&stream);
        ended_ = false;
      }
      // One byte of room beyond the limit tells what just fits from what does not.
      const std::size_t left = max - out.size();
      const std::size_t wanted = std::clamp(std::size_t{stream.avail_in} * 4, kMinRoom, kMaxRoom);
      const std::size_t room = left < wanted ? left + 1 : wanted;
      stream.next_out = reinterpret_cast<Bytef*>(out.prepare(room));
      stream.avail_out = static_cast<uInt>(room);
      const int status = inflate(&stream, Z_SYNC_FLUSH);
      const std::size_t produced = room - stream.avail_out;
      out.commit(std::min(produced, left));
      if (produced > left) return Status::kTooLarge;
      if (status == Z_MEM_ERROR) return Status::kNoMemory;
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return Status::kCorrupt;
      ended_ = ended_ || status == Z_STREAM_END;
      if (stream.avail_in == 0 && stream.avail_out != 0) break;
      if (status == Z_BUF_ERROR && stream.avail_out != 0) break;
    }
  }
  return Status::kOk;
}

Decompressor::Status Decompressor::finish(std::size_t max, Buffer& out) {
  // Behind a final block the tail would begin in the middle of another block.
  const Status status = ended_ ? Status::kOk : decompress(kTail, max, out);
  if (status != Status::kOk || !state_) return status;
  z_stream& stream = state_->stream;
  // The tail must have ended a block: else the data was cut off within one.
  if (!ended_ && (stream.data_type & 128) == 0) return Status::kCorrupt;
  if (!context_takeover_) {
    inflateReset(&stream);
    ended_ = false;
  }
  return Status::kOk;
}

}  // namespace micro::websocket
