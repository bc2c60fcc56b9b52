// Header sections: HEADERS and CONTINUATION, and what a decoded section does to its stream.
#include "session_impl.hpp"

namespace micro::http2 {

void SessionImpl::on_headers_frame(std::string_view payload) {
  const std::uint32_t id = frame_.stream_id;
  if (id == 0) return fail(ErrorCode::kProtocolError, "HEADERS on stream 0");
  if (id % 2 == 0) return fail(ErrorCode::kProtocolError, "HEADERS on an even stream: servers cannot open streams");
  std::size_t padding = 0;
  if (frame_.has(kFlagPadded)) {
    if (payload.empty()) return fail(ErrorCode::kFrameSizeError, "padded HEADERS without a pad length");
    padding = static_cast<std::uint8_t>(payload.front());
    payload.remove_prefix(1);
  }
  block_self_dependent_ = false;
  if (frame_.has(kFlagPriority)) {
    if (payload.size() < 5) return fail(ErrorCode::kFrameSizeError, "HEADERS too short for its priority");
    block_self_dependent_ = (load_be32(payload.data()) & kMaxStreamId) == id;
    payload.remove_prefix(5);
  }
  if (padding > payload.size()) return fail(ErrorCode::kProtocolError, "HEADERS with more padding than payload");
  payload.remove_suffix(padding);

  block_stream_ = id;
  block_end_stream_ = frame_.has(kFlagEndStream);
  if (frame_.has(kFlagEndHeaders)) return end_block(payload);
  continuations_ = 0;
  block_.append(payload);
  check_block_size();
}

void SessionImpl::check_block_size() {
  if (block_.size() <= options_.max_header_list_size) return;
  flood(Flood::kHeaderSize, "header block larger than SETTINGS_MAX_HEADER_LIST_SIZE");
}

void SessionImpl::on_continuation_frame(std::string_view payload) {
  if (block_stream_ == 0) return fail(ErrorCode::kProtocolError, "CONTINUATION without HEADERS");
  if (++continuations_ > options_.max_continuations) {
    return flood(Flood::kContinuations, "too many CONTINUATION frames for one header section");
  }
  block_.append(payload);
  check_block_size();
  if (failed_ || !frame_.has(kFlagEndHeaders)) return;
  const Buffer whole = std::move(block_);
  end_block(whole.view());
}

void SessionImpl::end_block(std::string_view block) {
  const std::uint32_t id = block_stream_;
  const bool end_stream = block_end_stream_;
  block_stream_ = 0;

  // Which kind of section this is decides how it is checked; it has to be decoded in any case to keep the HPACK state.
  const bool left_out = is_left_out(id);
  const bool opens = is_server() && id > last_peer_id_ && !left_out;
  StreamState* const stream = opens || left_out ? nullptr : streams_.find(id);
  BlockKind kind = BlockKind::kDiscard;
  bool backlog = false;
  if (opens) {
    last_peer_id_ = id;
    ++peer_ids_used_;
    backlog = writer_.output().size() + queued_ > options_.max_queued_data;
    if (streams_.size() < options_.max_concurrent_streams && !backlog) kind = BlockKind::kRequest;
  } else if (stream != nullptr && !stream->remote_closed_) {
    kind = stream->head_received ? BlockKind::kTrailers : BlockKind::kResponse;
  } else if (!left_out && stream == nullptr && is_idle(id)) {
    return fail(ErrorCode::kProtocolError, "HEADERS on an idle stream");
  }

  const BlockLease scratch;
  const DecodedBlock* const decoded = decoder_.decode(block, kind, options_, *scratch);
  if (decoded == nullptr) return refuse_block(scratch->excess);

  if (kind == BlockKind::kDiscard) {
    if (left_out) {
      charge_control();
      return;
    }
    if (opens) {
      ++counters_.streams_refused;
      if (backlog) ++counters_.streams_refused_backlog;
      return stream_error(id, nullptr, ErrorCode::kRefusedStream);
    }
    if (stream != nullptr) return stream_error(id, stream, ErrorCode::kStreamClosed);
    return closed_stream_frame(id, true);
  }
  if (decoded->too_large) {
    ++counters_.headers_too_large;
    return stream_error(id, stream, ErrorCode::kEnhanceYourCalm);
  }
  if (decoded->malformed != nullptr || block_self_dependent_) return stream_error(id, stream, ErrorCode::kProtocolError);
  switch (kind) {
    case BlockKind::kRequest:
      return begin_request(id, *decoded, end_stream);
    case BlockKind::kResponse:
      return on_response(*stream, *decoded, end_stream);
    default:
      return on_trailers(*stream, *decoded, end_stream);
  }
}

void SessionImpl::refuse_block(DecodedBlock::Excess excess) {
  switch (excess) {
    case DecodedBlock::Excess::kNone:
      return fail(ErrorCode::kCompressionError, "a header block cannot be decoded");
    case DecodedBlock::Excess::kSize:
      return flood(Flood::kHeaderSize, "a header section expands to more than four times the limit");
    case DecodedBlock::Excess::kTableUpdates:
      return flood(Flood::kTableUpdates, "too many dynamic table size updates in one header block");
  }
}

void SessionImpl::closed_stream_frame(std::uint32_t id, bool headers) {
  switch (reset_streams_.fate(id)) {
    case ResetStreams::Fate::kResetByUs:
      if (headers) charge_control();
      return;
    case ResetStreams::Fate::kResetByPeer:
      return stream_error(id, nullptr, ErrorCode::kStreamClosed);
    case ResetStreams::Fate::kEnded:
      // A server that says twice that a call is over has done the other calls no harm: grpc++ 1.51 sends the trailers of a call
      // whose deadline passes again now and then. RFC 9113, section 5.1, asks for no more than not to use such frames.
      if (is_server()) break;
      charge_control();
      return;
  }
  // Ids the peer has skipped are closed without ever having been used; to open one later is to go backwards.
  const bool skipped_some = is_server() && peer_ids_used_ != (last_peer_id_ + 1) / 2;
  if (headers && skipped_some) return fail(ErrorCode::kProtocolError, "HEADERS on a stream number lower than an earlier one");
  fail(ErrorCode::kStreamClosed, headers ? "HEADERS on a closed stream" : "DATA on a closed stream");
}

void SessionImpl::begin_request(std::uint32_t id, const DecodedBlock& decoded, bool end_stream) {
  const bool connect = decoded.block.method == "CONNECT";
  if (end_stream && decoded.content_length > 0 && !connect) return stream_error(id, nullptr, ErrorCode::kProtocolError);
  StreamState& stream = make_stream(id);
  stream.head_received = true;
  stream.tunnel = connect;
  // What follows a CONNECT is no content, whatever content-length says (RFC 9110 section 9.3.6).
  stream.content_length = connect ? -1 : decoded.content_length;
  stream.remote_closed_ = end_stream;
  events_.on_headers(stream, decoded.block, end_stream);
  close_if_done(stream);
}

void SessionImpl::on_response(StreamState& stream, const DecodedBlock& decoded, bool end_stream) {
  const std::string_view status = decoded.block.status;
  // RFC 9110 section 9.3.6: the length of a tunnel is ignored, whatever it says.
  const bool tunnel = stream.connect_request && status.front() == '2';
  if (decoded.content_length == DecodedBlock::kBadLength && !tunnel) {
    return stream_error(stream.id_, &stream, ErrorCode::kProtocolError);
  }
  if (status.front() == '1') {
    // Interim responses come before the final one and do not end the stream; 101 does not exist in HTTP/2 (RFC 9113 8.6).
    if (end_stream || status == "101") return stream_error(stream.id_, &stream, ErrorCode::kProtocolError);
    charge_control();
    return;
  }
  // Some have no content, and their content-length tells what a GET would have had (RFC 9110 sections 6.4.1 and 8.6).
  stream.tunnel = tunnel;
  const bool no_content = stream.head_request || status == "304" || status == "204";
  if (!tunnel) stream.content_length = no_content ? 0 : decoded.content_length;
  if (end_stream && stream.content_length > 0) return stream_error(stream.id_, &stream, ErrorCode::kProtocolError);
  stream.head_received = true;
  stream.remote_closed_ = end_stream;
  events_.on_headers(stream, decoded.block, end_stream);
  close_if_done(stream);
}

void SessionImpl::on_trailers(StreamState& stream, const DecodedBlock& decoded, bool end_stream) {
  const bool short_body = stream.content_length >= 0 && stream.received != stream.content_length;
  // Only DATA flows through a tunnel (RFC 9113 section 8.5).
  if (!end_stream || short_body || stream.tunnel) return stream_error(stream.id_, &stream, ErrorCode::kProtocolError);
  stream.remote_closed_ = true;
  events_.on_trailers(stream, decoded.block);
  close_if_done(stream);
}

}  // namespace micro::http2
