// Sending on streams: windows, queues, turns.
#include <algorithm>
#include <stdexcept>

#include "session_impl.hpp"

namespace micro::http2 {
namespace {

// Beyond so many times Options::max_queued_data nothing is kept.
constexpr std::size_t kOverfullFactor = 4;
// A frame smaller than this with more to follow: the peer opens its window by a crack.
constexpr std::size_t kDribble = 256;

}  // namespace

bool SessionImpl::can_open() const noexcept {
  return !failed_ && !is_server() && !peer_goaway_ && goaway_ == Goaway::kNone && next_id_ <= kMaxStreamId &&
         streams_.size() < peer_max_concurrent_;
}

Stream* SessionImpl::open(std::span<const Field> fields, bool end_stream) {
  if (!can_open()) return nullptr;
  std::string_view method;
  for (const Field& field : fields) {
    if (field.name == ":method") method = field.value;
  }
  Buffer block;
  encoder_.encode(fields, block);
  return open_stream(block.view(), end_stream, method);
}

Stream* SessionImpl::open_encoded(std::string_view block, std::span<const Field> extra, bool end_stream) {
  if (!can_open()) return nullptr;
  if (extra.empty()) return open_stream(block, end_stream, {});
  Buffer whole;
  whole.append(block);
  encode_static(extra, whole);
  return open_stream(whole.view(), end_stream, {});
}

Stream* SessionImpl::open_stream(std::string_view block, bool end_stream, std::string_view method) {
  StreamState& stream = make_stream(next_id_);
  next_id_ += 2;
  stream.head_request = method == "HEAD";
  stream.connect_request = method == "CONNECT";
  stream.local_ended_ = end_stream;
  write_headers(stream, block, end_stream);
  return &stream;
}

void SessionImpl::write_headers(StreamState& stream, std::string_view block, bool end_stream) {
  if (encoder_.has_size_update()) {
    Buffer prefix;
    encoder_.take_size_update(prefix);
    writer_.headers(stream.id_, prefix.view(), block, end_stream, peer_max_frame_size_);
  } else {
    writer_.headers(stream.id_, {}, block, end_stream, peer_max_frame_size_);
  }
  if (end_stream) stream.end_sent = true;
}

bool SessionImpl::queue_trailers(StreamState& stream, bool end_stream) {
  if (stream.pending.empty()) return false;
  if (!end_stream) throw std::logic_error("http2: a header section behind body bytes must end the stream");
  stream.has_trailers = stream.local_ended_ = true;
  return true;
}

void SessionImpl::submit_headers(StreamState& stream, std::span<const Field> fields, bool end_stream) {
  if (stream.local_ended_ || failed_) return;
  const Scope scope(*this);
  // What waits is encoded without the dynamic table, because the order of sending is not known yet.
  if (queue_trailers(stream, end_stream)) return encode_static(fields, stream.trailers);
  Buffer block;
  encoder_.encode(fields, block);
  stream.local_ended_ = end_stream;
  write_headers(stream, block.view(), end_stream);
  close_if_done(stream);
}

void SessionImpl::submit_encoded_headers(StreamState& stream, std::string_view block, bool end_stream) {
  if (stream.local_ended_ || failed_) return;
  const Scope scope(*this);
  if (queue_trailers(stream, end_stream)) return stream.trailers.append(block);
  stream.local_ended_ = end_stream;
  write_headers(stream, block, end_stream);
  close_if_done(stream);
}

std::int64_t SessionImpl::sendable(const StreamState& stream) const noexcept {
  return std::min({stream.send_window, send_window_, std::int64_t{peer_max_frame_size_}});
}

void SessionImpl::account_sent(StreamState& stream, std::int64_t count) noexcept {
  stream.send_window -= count;
  send_window_ -= count;
}

void SessionImpl::submit_data(StreamState& stream, std::string_view data, bool end_stream) {
  if (stream.local_ended_ || failed_) return;
  const Scope scope(*this);
  stream.local_ended_ = end_stream;
  if (stream.pending.empty() && send_queue_.empty()) {
    for (std::int64_t room = sendable(stream); room > 0 && !data.empty(); room = sendable(stream)) {
      const std::size_t count = std::min(data.size(), static_cast<std::size_t>(room));
      stream.end_sent = end_stream && count == data.size();
      writer_.data(stream.id_, data.substr(0, count), stream.end_sent);
      account_sent(stream, static_cast<std::int64_t>(count));
      data.remove_prefix(count);
    }
  }
  if (data.empty()) {
    if (stream.pending.empty()) write_end(stream);
    return close_if_done(stream);
  }
  if (queue(stream, data)) pump(stream);
}

template <class Bytes>
bool SessionImpl::queue(StreamState& stream, Bytes&& bytes) {
  if (queued_ / kOverfullFactor <= options_.max_queued_data) {
    queued_ += bytes.size();
    stream.pending.append(std::forward<Bytes>(bytes));
    return true;
  }
  // The caller still holds the stream, so that it can only be told later.
  ++counters_.streams_overfull;
  unqueue(stream.pending.size());
  stream.pending.clear();
  stream.queued_ = 0;
  stream.local_ended_ = stream.overfull = overfull_ = true;
  stream.has_trailers = false;
  send_queue_.remove(stream);
  writer_.rst_stream(stream.id_, ErrorCode::kEnhanceYourCalm);
  reset_streams_.add(stream.id_, true);
  return false;
}

void SessionImpl::unqueue(std::size_t bytes) noexcept {
  queued_ -= bytes;
  if (queued_ == 0) ++queue_emptied_;
}

void SessionImpl::end_overfull() {
  overfull_ = false;
  for (const std::uint32_t id : streams_.ids()) {
    StreamState* const stream = streams_.find(id);
    if (stream == nullptr || !stream->overfull) continue;
    events_.on_reset(*stream, ErrorCode::kEnhanceYourCalm, false);
    if (!stream->gone) close_stream(*stream);
  }
}

void SessionImpl::submit_data(StreamState& stream, Buffer&& data, bool end_stream) {
  // One frame's worth is copied behind its header anyway.
  if (data.size() < Chain::kCopyThreshold) return submit_data(stream, data.view(), end_stream);
  if (stream.local_ended_ || failed_) return;
  const Scope scope(*this);
  stream.local_ended_ = end_stream;
  const bool was_queued = !stream.pending.empty();
  if (!queue(stream, std::move(data))) return;
  if (was_queued) {
    stream.queued_ = stream.pending.size();
    return;
  }
  if (send_queue_.empty()) {
    while (!stream.pending.empty() && send_one(stream)) {
    }
  }
  if (stream.pending.empty()) {
    stream.queued_ = 0;
    return close_if_done(stream);
  }
  pump(stream);
}

// END_STREAM on an empty DATA frame, when it was asked for and nothing else could carry it.
void SessionImpl::write_end(StreamState& stream) {
  if (!stream.local_ended_ || stream.end_sent) return;
  stream.end_sent = true;
  writer_.data(stream.id_, std::string_view(), true);
}

bool SessionImpl::send_one(StreamState& stream) {
  const std::int64_t room = sendable(stream);
  if (room <= 0) return false;
  const std::size_t count = std::min(stream.pending.size(), static_cast<std::size_t>(room));
  if (count < kDribble && count < stream.pending.size()) ++counters_.dribbled_frames;
  stream.end_sent = stream.local_ended_ && !stream.has_trailers && count == stream.pending.size();
  writer_.data(stream.id_, stream.pending, count, stream.end_sent);
  unqueue(count);
  account_sent(stream, static_cast<std::int64_t>(count));
  stream.queued_ = stream.pending.size();
  return true;
}

// Sends what is queued as far as the windows go; behind those who wait for the connection window longer.
void SessionImpl::pump(StreamState& stream) {
  stream.queued_ = stream.pending.size();
  if (stream.pending.empty()) return;
  if (send_queue_.empty()) {
    while (!stream.pending.empty() && send_one(stream)) {
    }
    if (stream.pending.empty()) return finish_queued(stream);
  }
  if (stream.send_window > 0) send_queue_.push(stream);
}

void SessionImpl::pump_queue() {
  while (!send_queue_.empty() && send_window_ > 0) {
    StreamState& stream = send_queue_.pop();
    if (!send_one(stream)) continue;
    if (stream.pending.empty()) {
      finish_queued(stream);
    } else if (stream.send_window > 0) {
      send_queue_.push(stream);
    }
  }
}

void SessionImpl::finish_queued(StreamState& stream) {
  if (stream.has_trailers) {
    stream.has_trailers = false;
    write_headers(stream, stream.trailers.view(), true);
    stream.trailers.release();
  }
  events_.on_drained(stream);
  close_if_done(stream);
}

char* SessionImpl::begin_data(StreamState& stream, std::size_t max_payload) {
  if (stream.local_ended_ || failed_ || !stream.pending.empty() || static_cast<std::int64_t>(max_payload) > sendable(stream)) {
    return nullptr;
  }
  return writer_.begin_data(max_payload);
}

void SessionImpl::commit_data(StreamState& stream, std::size_t payload, bool end_stream) {
  const Scope scope(*this);
  writer_.end_data(stream.id_, payload, end_stream);
  account_sent(stream, static_cast<std::int64_t>(payload));
  stream.local_ended_ = stream.end_sent = end_stream;
  close_if_done(stream);
}

void SessionImpl::reset(StreamState& stream, ErrorCode code) {
  if (stream.gone || failed_) return;
  const Scope scope(*this);
  if (!stream.overfull) {
    writer_.rst_stream(stream.id_, code);
    reset_streams_.add(stream.id_, true);
  }
  close_stream(stream);
}

}  // namespace micro::http2
