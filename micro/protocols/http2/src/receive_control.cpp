// Frames that steer: PRIORITY, RST_STREAM, SETTINGS, GOAWAY, WINDOW_UPDATE. PING is in session.cpp.
#include "session_impl.hpp"

namespace micro::http2 {

// Priorities are ignored (RFC 9113 section 5.3.2), but the frame must be well-formed.
void SessionImpl::on_priority_frame(std::string_view payload) {
  const std::uint32_t id = frame_.stream_id;
  if (id == 0) return fail(ErrorCode::kProtocolError, "PRIORITY on stream 0");
  ErrorCode code = ErrorCode::kNoError;
  if (payload.size() != 5) {
    code = ErrorCode::kFrameSizeError;
  } else if ((load_be32(payload.data()) & kMaxStreamId) == id) {
    code = ErrorCode::kProtocolError;
  } else {
    return;
  }
  // A stream error, where there is a stream that can be reset.
  if (StreamState* const stream = streams_.find(id)) return stream_error(id, stream, code);
  fail(code, "malformed PRIORITY");
}

void SessionImpl::on_rst_stream_frame(std::string_view payload) {
  const std::uint32_t id = frame_.stream_id;
  if (payload.size() != 4) return fail(ErrorCode::kFrameSizeError, "RST_STREAM of a length other than 4");
  if (id == 0) return fail(ErrorCode::kProtocolError, "RST_STREAM on stream 0");
  if (is_left_out(id)) return;
  if (is_idle(id)) return fail(ErrorCode::kProtocolError, "RST_STREAM on an idle stream");
  ++counters_.resets_received;
  StreamState* const stream = streams_.find(id);
  // A client asked for each of its streams, so that a server that resets them floods nobody.
  if (is_server() ? !charge_reset() : (stream == nullptr && !charge_control())) return;
  if (stream == nullptr) return;
  reset_streams_.add(id, false);
  peer_reset(*stream, static_cast<ErrorCode>(load_be32(payload.data())));
}

void SessionImpl::on_settings_frame(std::string_view payload) {
  if (frame_.stream_id != 0) return fail(ErrorCode::kProtocolError, "SETTINGS on a stream");
  if (frame_.has(kFlagAck)) {
    if (!payload.empty()) return fail(ErrorCode::kFrameSizeError, "SETTINGS acknowledgement with a payload");
    return on_settings_ack();
  }
  if (payload.size() % kSettingSize != 0)
    return fail(ErrorCode::kFrameSizeError, "SETTINGS of a length that is no multiple of 6");
  if (payload.size() / kSettingSize > options_.max_settings) return flood(Flood::kSettings, "too many settings in one frame");
  if (!settings_received_) {
    settings_received_ = true;
    // No limit unless one is given.
    peer_max_concurrent_ = 0xffffffff;
  }
  const std::uint32_t window_before = peer_initial_window_;
  if (!apply_settings(payload)) return;
  // At once (RFC 9113 section 6.5.3): the DATA that larger windows set free comes behind it.
  writer_.settings_ack();
  count_reply();
  if (!failed_ && queued_ != 0 && peer_initial_window_ > window_before) pump_all();
}

bool SessionImpl::apply_settings(std::string_view payload) {
  // All streams are visited for the last value only.
  std::uint32_t initial_window = peer_initial_window_;
  for (; !payload.empty(); payload.remove_prefix(kSettingSize)) {
    const auto id = static_cast<Setting>(load_be16(payload.data()));
    if (!apply_setting(id, load_be32(payload.data() + 2), initial_window)) return false;
  }
  return initial_window == peer_initial_window_ || apply_initial_window(initial_window);
}

bool SessionImpl::apply_setting(Setting id, std::uint32_t value, std::uint32_t& initial_window) {
  switch (id) {
    case Setting::kHeaderTableSize:
      encoder_.set_peer_table_size(value);
      return true;
    case Setting::kEnablePush:
      if (value <= (is_server() ? 1U : 0U)) return true;
      fail(ErrorCode::kProtocolError, "bad SETTINGS_ENABLE_PUSH");
      return false;
    case Setting::kMaxConcurrentStreams:
      peer_max_concurrent_ = value;
      return true;
    case Setting::kInitialWindowSize:
      if (value > kMaxWindow) {
        fail(ErrorCode::kFlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1");
        return false;
      }
      initial_window = value;
      return true;
    case Setting::kMaxFrameSize:
      if (value < kDefaultMaxFrameSize || value > kLargestMaxFrameSize) {
        fail(ErrorCode::kProtocolError, "bad SETTINGS_MAX_FRAME_SIZE");
        return false;
      }
      peer_max_frame_size_ = value;
      return true;
    case Setting::kEnableConnectProtocol:
      // RFC 8441 section 3: a server that has offered it cannot take it back.
      if (value > 1 || (value == 0 && peer_connect_protocol_)) {
        fail(ErrorCode::kProtocolError, "bad SETTINGS_ENABLE_CONNECT_PROTOCOL");
        return false;
      }
      peer_connect_protocol_ = value == 1 && !is_server();
      return true;
    case Setting::kMaxHeaderListSize:
      return true;
  }
  return true;
}

bool SessionImpl::apply_initial_window(std::uint32_t value) {
  // RFC 9113 section 6.9.2: the windows of open streams move by the difference, below zero if need be.
  const std::int64_t delta = std::int64_t{value} - std::int64_t{peer_initial_window_};
  peer_initial_window_ = value;
  bool overflow = false;
  streams_.for_each([&](StreamState& stream) {
    stream.send_window += delta;
    overflow |= stream.send_window > kMaxWindow;
  });
  if (overflow) {
    fail(ErrorCode::kFlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE makes a window larger than 2^31-1");
    return false;
  }
  return true;
}

void SessionImpl::pump_all() {
  for (const std::uint32_t id : streams_.ids()) {
    if (StreamState* const stream = streams_.find(id)) pump(*stream);
  }
}

void SessionImpl::on_settings_ack() {
  if (settings_acked_) return;
  settings_acked_ = true;
  if (options_.header_table_size != 4096 && !decoder_.set_table_size(options_.header_table_size)) {
    return fail(ErrorCode::kInternalError, "out of memory for the HPACK table");
  }
  // Until now the peer may have used the default window, if that is the larger one.
  if (stream_window_ == window_target_) return;
  stream_window_ = window_target_;
  streams_.for_each([&](StreamState& stream) {
    stream.receive_window.resize(stream_window_);
    // What was too little of the large window to be announced may be all that a small one lets the peer send.
    credit_stream(stream, 0);
  });
}

void SessionImpl::on_goaway_frame(std::string_view payload) {
  if (frame_.stream_id != 0) return fail(ErrorCode::kProtocolError, "GOAWAY on a stream");
  if (payload.size() < 8) return fail(ErrorCode::kFrameSizeError, "GOAWAY shorter than 8");
  const std::uint32_t last = load_be32(payload.data()) & kMaxStreamId;
  const auto code = static_cast<ErrorCode>(load_be32(payload.data() + 4));
  peer_goaway_ = true;
  events_.on_goaway(last, code, payload.substr(8));
  if (is_server()) return;
  for (const std::uint32_t id : streams_.ids()) {
    StreamState* const stream = id > last ? streams_.find(id) : nullptr;
    if (stream == nullptr) continue;
    reset_streams_.add(id, true);
    peer_reset(*stream, ErrorCode::kRefusedStream);
  }
}

void SessionImpl::on_window_update_frame(std::string_view payload) {
  const std::uint32_t id = frame_.stream_id;
  if (payload.size() != 4) return fail(ErrorCode::kFrameSizeError, "WINDOW_UPDATE of a length other than 4");
  const std::uint32_t increment = load_be32(payload.data()) & kMaxStreamId;
  if (id == 0) {
    if (increment == 0) return fail(ErrorCode::kProtocolError, "WINDOW_UPDATE of 0");
    send_window_ += increment;
    if (send_window_ > kMaxWindow) return fail(ErrorCode::kFlowControlError, "the connection window exceeds 2^31-1");
    return pump_queue();
  }
  if (is_left_out(id)) return;
  if (is_idle(id)) return fail(ErrorCode::kProtocolError, "WINDOW_UPDATE on an idle stream");
  StreamState* const stream = streams_.find(id);
  if (stream == nullptr) return;
  if (increment == 0) return stream_error(id, stream, ErrorCode::kProtocolError);
  stream->send_window += increment;
  if (stream->send_window > kMaxWindow) return stream_error(id, stream, ErrorCode::kFlowControlError);
  pump(*stream);
}

}  // namespace micro::http2
