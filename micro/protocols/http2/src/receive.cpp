// Bytes to frames, and DATA, whose payload is passed on as it arrives. All other frames are handled whole.
#include <algorithm>
#include <cstring>

#include "session_impl.hpp"

namespace micro::http2 {

const char* SessionImpl::step(const char* at, const char* end) {
  const auto available = static_cast<std::size_t>(end - at);
  switch (read_state_) {
    case ReadState::kPreface: {
      const std::size_t count = std::min(available, kPreface.size() - prefix_size_);
      if (std::memcmp(at, kPreface.data() + prefix_size_, count) != 0) {
        fail(ErrorCode::kProtocolError, "the connection preface is missing: not an HTTP/2 client");
        return end;
      }
      prefix_size_ += static_cast<std::uint8_t>(count);
      if (prefix_size_ == kPreface.size()) {
        prefix_size_ = 0;
        end_frame();
      }
      return at + count;
    }
    case ReadState::kFrameHeader:
      return read_header(at, end);
    case ReadState::kPayload:
      return read_payload(at, end);
    case ReadState::kPadLength:
      begin_data_payload(frame_left_ - 1, static_cast<std::uint8_t>(*at));
      return at + 1;
    case ReadState::kData:
      return read_data(at, end);
    case ReadState::kSkip: {
      const std::size_t count = std::min<std::size_t>(available, frame_left_);
      frame_left_ -= static_cast<std::uint32_t>(count);
      if (frame_left_ == 0) end_frame();
      return at + count;
    }
  }
  return end;
}

const char* SessionImpl::read_header(const char* at, const char* end) {
  const auto available = static_cast<std::size_t>(end - at);
  if (prefix_size_ == 0 && available >= kFrameHeaderSize) {
    frame_ = load_frame_header(at);
    begin_frame();
    return at + kFrameHeaderSize;
  }
  const std::size_t count = std::min(available, kFrameHeaderSize - prefix_size_);
  std::memcpy(prefix_ + prefix_size_, at, count);
  prefix_size_ += static_cast<std::uint8_t>(count);
  if (prefix_size_ == kFrameHeaderSize) {
    prefix_size_ = 0;
    frame_ = load_frame_header(prefix_);
    begin_frame();
  }
  return at + count;
}

void SessionImpl::begin_frame() {
  ++counters_.frames_received;
  if (frame_.length > options_.max_frame_size)
    return fail(ErrorCode::kFrameSizeError, "frame larger than SETTINGS_MAX_FRAME_SIZE");
  if (!settings_received_ && (frame_.type != FrameType::kSettings || frame_.has(kFlagAck))) {
    return fail(ErrorCode::kProtocolError, "the first frame is not SETTINGS");
  }
  if (block_stream_ != 0 && (frame_.type != FrameType::kContinuation || frame_.stream_id != block_stream_)) {
    return fail(ErrorCode::kProtocolError, "a header block was interrupted by another frame");
  }
  frame_left_ = frame_.length;
  if (frame_.type == FrameType::kData) return begin_data_frame();
  if (frame_.type > FrameType::kContinuation) {
    if (!charge_control()) return;
    read_state_ = frame_.length == 0 ? ReadState::kFrameHeader : ReadState::kSkip;
    return;
  }
  read_state_ = ReadState::kPayload;
  if (frame_.length == 0) {
    end_frame();
    on_payload({});
  }
}

const char* SessionImpl::read_payload(const char* at, const char* end) {
  const auto available = static_cast<std::size_t>(end - at);
  if (partial_.empty() && available >= frame_.length) {
    end_frame();
    on_payload({at, frame_.length});
    return at + frame_.length;
  }
  const std::size_t count = std::min<std::size_t>(available, frame_.length - partial_.size());
  partial_.append(at, count);
  if (partial_.size() == frame_.length) {
    const Buffer whole = std::move(partial_);
    end_frame();
    on_payload(whole.view());
  }
  return at + count;
}

void SessionImpl::on_payload(std::string_view payload) {
  switch (frame_.type) {
    case FrameType::kHeaders:
      return on_headers_frame(payload);
    case FrameType::kContinuation:
      return on_continuation_frame(payload);
    case FrameType::kPriority:
      if (charge_control()) on_priority_frame(payload);
      return;
    case FrameType::kRstStream:
      return on_rst_stream_frame(payload);
    case FrameType::kSettings:
      if (charge_unless_due()) on_settings_frame(payload);
      return;
    case FrameType::kPushPromise:
      return fail(ErrorCode::kProtocolError,
                  is_server() ? "PUSH_PROMISE from a client" : "PUSH_PROMISE although push is disabled");
    case FrameType::kPing:
      if (charge_unless_due()) on_ping_frame(payload);
      return;
    case FrameType::kGoaway:
      if (charge_control()) on_goaway_frame(payload);
      return;
    case FrameType::kWindowUpdate:
      if (charge_control()) on_window_update_frame(payload);
      return;
    case FrameType::kData:
      return;
  }
}

void SessionImpl::begin_data_frame() {
  const std::uint32_t id = frame_.stream_id;
  if (id == 0) return fail(ErrorCode::kProtocolError, "DATA on stream 0");
  if (frame_.has(kFlagPadded) && frame_.length == 0) return fail(ErrorCode::kFrameSizeError, "padded DATA without a pad length");
  if (!is_left_out(id) && is_idle(id)) return fail(ErrorCode::kProtocolError, "DATA on an idle stream");
  // The connection window counts every DATA frame, wanted or not (RFC 9113 section 6.9).
  if (!receive_window_.receive(frame_.length)) return fail(ErrorCode::kFlowControlError, "DATA beyond the connection window");
  if (estimator_.measuring()) estimator_.received(frame_.length);
  if (receive_window_.is_low()) start_measuring();
  credit_connection(frame_.length);

  StreamState* stream = is_left_out(id) ? nullptr : streams_.find(id);
  if (stream == nullptr) {
    if (!is_left_out(id)) closed_stream_frame(id, false);
  } else if (stream->remote_closed_) {
    stream_error(id, stream, ErrorCode::kStreamClosed);
    stream = nullptr;
  } else if (!stream->head_received) {
    stream_error(id, stream, ErrorCode::kProtocolError);
    stream = nullptr;
  } else if (!stream->receive_window.receive(frame_.length)) {
    stream_error(id, stream, ErrorCode::kFlowControlError);
    stream = nullptr;
  }
  if (failed_) return;
  data_stream_ = stream;
  if (stream != nullptr && stream->receive_window.is_low()) start_measuring();
  if (frame_.has(kFlagPadded)) {
    read_state_ = ReadState::kPadLength;
  } else {
    begin_data_payload(frame_.length, 0);
  }
}

void SessionImpl::begin_data_payload(std::uint32_t length, std::uint32_t padding) {
  if (padding > length) return fail(ErrorCode::kProtocolError, "DATA with more padding than payload");
  frame_left_ = length - padding;
  padding_ = padding;
  if (data_stream_ != nullptr) {
    StreamState& stream = *data_stream_;
    const bool last = frame_.has(kFlagEndStream);
    stream.received += frame_left_;
    counters_.data_bytes_received += frame_left_;
    const std::int64_t expected = stream.content_length;
    if (expected >= 0 && (stream.received > expected || (last && stream.received != expected))) {
      stream_error(stream.id_, &stream, ErrorCode::kProtocolError);
    } else if (frame_.has(kFlagPadded)) {
      credit_stream(stream, padding + 1);
    }
  }
  if (failed_) return;
  read_state_ = ReadState::kData;
  if (frame_left_ != 0) return;
  if (frame_.has(kFlagEndStream)) {
    if (data_stream_ != nullptr) deliver_data(*data_stream_, {}, true);
  } else {
    ++counters_.empty_frames;
    if (!empty_frames_.take(now_)) return flood(Flood::kEmptyFrames, "too many empty DATA frames");
  }
  after_data();
}

const char* SessionImpl::read_data(const char* at, const char* end) {
  const std::size_t count = std::min(static_cast<std::size_t>(end - at), static_cast<std::size_t>(frame_left_));
  frame_left_ -= static_cast<std::uint32_t>(count);
  if (data_stream_ != nullptr) deliver_data(*data_stream_, {at, count}, frame_left_ == 0 && frame_.has(kFlagEndStream));
  if (frame_left_ == 0) after_data();
  return at + count;
}

void SessionImpl::after_data() {
  data_stream_ = nullptr;
  frame_left_ = padding_;
  read_state_ = padding_ == 0 ? ReadState::kFrameHeader : ReadState::kSkip;
}

void SessionImpl::deliver_data(StreamState& stream, std::string_view data, bool last) {
  if (last) stream.remote_closed_ = true;
  events_.on_data(stream, data, last);
  if (last) close_if_done(stream);
}

void SessionImpl::consumed(StreamState& stream, std::size_t bytes) {
  if (!failed_) credit_stream(stream, bytes);
}

void SessionImpl::credit_stream(StreamState& stream, std::size_t bytes) {
  if (stream.remote_closed_) return;
  if (const std::uint32_t increment = stream.receive_window.credit(static_cast<std::int64_t>(bytes)); increment != 0) {
    writer_.window_update(stream.id_, increment);
  }
}

void SessionImpl::credit_connection(std::int64_t bytes) {
  if (const std::uint32_t increment = receive_window_.credit(bytes); increment != 0) writer_.window_update(0, increment);
}

void SessionImpl::start_measuring() {
  if (estimator_.measuring() || window_target_ >= options_.max_window) return;
  estimator_.start(now_);
  send_ping(BdpEstimator::kPing);
}

void SessionImpl::grow_windows() {
  const std::int64_t target = estimator_.finish(now_, window_target_, options_.max_window);
  if (target <= window_target_) return;
  ++counters_.window_growths;
  // The peer raises the windows of open streams by the difference when it reads this; only growing, we may do so at once.
  window_target_ = static_cast<std::uint32_t>(target);
  const SettingValue announced{Setting::kInitialWindowSize, window_target_};
  writer_.settings({&announced, 1});
  ++acknowledgements_due_;
  if (target > stream_window_) {
    stream_window_ = window_target_;
    streams_.for_each([&](StreamState& stream) { stream.receive_window.resize(target); });
  }
  if (target > receive_window_.size()) writer_.window_update(0, receive_window_.grow(target));
}

}  // namespace micro::http2
