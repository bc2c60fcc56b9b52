#include <micro/http2/session.hpp>

#include <algorithm>

#include "session_impl.hpp"

namespace micro::http2 {
namespace {

// What streams and our DATA frames add to Options::max_control_frames.
constexpr std::uint64_t kControlsPerStream = 4;
constexpr std::uint64_t kControlsPerData = 8;

// Marks the PING that follows our first GOAWAY: its answer proves that the client has seen it.
constexpr std::uint64_t kGoawayPing = 0x6d6963726f676f61;

Options allowed(Options options) {
  options.initial_window = std::clamp<std::uint32_t>(options.initial_window, 1, kMaxWindow);
  options.connection_window = std::clamp<std::uint32_t>(options.connection_window, kDefaultWindow, kMaxWindow);
  options.max_window = std::clamp<std::uint32_t>(options.max_window, options.initial_window, kMaxWindow);
  options.flood_window = std::max(options.flood_window, Duration(std::chrono::milliseconds(1)));
  options.max_frame_size = std::clamp(options.max_frame_size, kDefaultMaxFrameSize, kLargestMaxFrameSize);
  return options;
}

// As gRPC maps them, so that a failed connection means the same to callers of either.
Code code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNoError:
    case ErrorCode::kRefusedStream:
      return Code::kUnavailable;
    case ErrorCode::kCancel:
      return Code::kCancelled;
    case ErrorCode::kEnhanceYourCalm:
      return Code::kResourceExhausted;
    case ErrorCode::kInadequateSecurity:
      return Code::kPermissionDenied;
    default:
      return Code::kInternal;
  }
}

Error connection_error(ErrorCode code, std::string_view why) {
  std::string message = "HTTP/2 connection ended with ";
  message.append(to_string(code)).append(": ").append(why);
  return Error(code_of(code), std::string(to_string(code)), std::move(message));
}

}  // namespace

SessionImpl::SessionImpl(Role role, const Options& options, Events& events)
    : role_(role),
      options_(allowed(options)),
      events_(events),
      read_state_(role == Role::kServer ? ReadState::kPreface : ReadState::kFrameHeader),
      stream_window_(std::max<std::uint32_t>(options_.initial_window, kDefaultWindow)),
      window_target_(options_.initial_window),
      receive_window_(kDefaultWindow),
      resets_(options_.max_resets, options_.flood_window),
      control_frames_(options_.max_control_frames, options_.flood_window),
      empty_frames_(options_.max_empty_frames, options_.flood_window) {
  send_initial_settings();
}

SessionImpl::~SessionImpl() {
  recycle_closed();
  streams_.for_each([](StreamState& stream) { recycle_stream(&stream); });
}

void SessionImpl::send_initial_settings() {
  if (!is_server()) writer_.preface();
  std::vector<SettingValue> settings;
  if (options_.header_table_size != 4096) settings.push_back({Setting::kHeaderTableSize, options_.header_table_size});
  if (is_server()) {
    settings.push_back({Setting::kMaxConcurrentStreams, options_.max_concurrent_streams});
    if (options_.enable_connect_protocol) settings.push_back({Setting::kEnableConnectProtocol, 1});
  } else {
    settings.push_back({Setting::kEnablePush, 0});
  }
  if (options_.initial_window != kDefaultWindow) settings.push_back({Setting::kInitialWindowSize, options_.initial_window});
  if (options_.max_frame_size != kDefaultMaxFrameSize) settings.push_back({Setting::kMaxFrameSize, options_.max_frame_size});
  settings.push_back({Setting::kMaxHeaderListSize, options_.max_header_list_size});
  writer_.settings(settings);
  ++acknowledgements_due_;
  if (options_.connection_window > kDefaultWindow) {
    writer_.window_update(0, receive_window_.grow(options_.connection_window));
  }
}

void SessionImpl::recycle_closed() noexcept {
  while (closed_ != nullptr) {
    StreamState* const stream = closed_;
    closed_ = stream->next;
    recycle_stream(stream);
  }
}

Result<void> SessionImpl::feed(std::string_view bytes, TimePoint now) {
  if (!failed_) {
    const Scope scope(*this);
    now_ = now;
    if (overfull_) end_overfull();
    counters_.bytes_received += bytes.size();
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    while (at != end && !failed_) at = step(at, end);
  }
  if (failed_) return micro::fail(*error_);
  return {};
}

void SessionImpl::fail(ErrorCode code, std::string_view why) {
  if (failed_) return;
  failed_ = true;
  error_ = connection_error(code, why);
  writer_.goaway(last_peer_stream_id(), code, why);
  end_all_streams(code);
}

void SessionImpl::flood(Flood kind, std::string_view what) {
  if (failed_) return;
  ++counters_.floods;
  counters_.flood = kind;
  fail(ErrorCode::kEnhanceYourCalm, what);
}

void SessionImpl::abort(ErrorCode code) {
  const Scope scope(*this);
  if (!failed_) error_ = connection_error(code, "the transport was closed");
  failed_ = true;
  end_all_streams(code);
}

void SessionImpl::end_all_streams(ErrorCode code) {
  for (const std::uint32_t id : streams_.ids()) {
    StreamState* const stream = streams_.find(id);
    if (stream == nullptr) continue;
    events_.on_reset(*stream, code, false);
    if (!stream->gone) close_stream(*stream);
  }
}

void SessionImpl::for_each_stream(void (*visit)(Stream&, void*), void* argument) {
  const Scope scope(*this);
  for (const std::uint32_t id : streams_.ids()) {
    if (StreamState* const stream = streams_.find(id)) visit(*stream, argument);
  }
}

StreamState& SessionImpl::make_stream(std::uint32_t id) {
  StreamState* const stream = acquire_stream(id);
  stream->send_window = peer_initial_window_;
  stream->receive_window = ReceiveWindow(stream_window_);
  streams_.insert(stream);
  ++counters_.streams_opened;
  return *stream;
}

void SessionImpl::close_stream(StreamState& stream) {
  stream.gone = true;
  stream.local_ended_ = stream.remote_closed_ = true;
  if (!stream.pending.empty()) {
    unqueue(stream.pending.size());
    stream.pending.clear();
  }
  stream.queued_ = 0;
  send_queue_.remove(stream);
  streams_.erase(stream.id_);
  if (data_stream_ == &stream) data_stream_ = nullptr;
  events_.on_close(stream);
  stream.next = closed_;
  closed_ = &stream;
}

void SessionImpl::close_if_done(StreamState& stream) {
  if (!stream.gone && stream.end_sent && stream.remote_closed_) close_stream(stream);
}

bool SessionImpl::charge_reset() {
  const std::uint64_t completed = counters_.streams_opened - streams_.size() - cut_short_;
  resets_.give_back(completed - std::min(completed, resets_earned_));
  resets_earned_ = std::max(completed, resets_earned_);
  if (resets_.take(now_)) return true;
  flood(Flood::kResets, "too many streams reset; open fewer streams or let them finish");
  return false;
}

bool SessionImpl::charge_control() {
  ++counters_.control_frames;
  const std::uint64_t earned =
      kControlsPerStream * counters_.streams_opened + kControlsPerData * (counters_.data_frames_sent - counters_.dribbled_frames);
  control_frames_.give_back(earned - controls_earned_);
  controls_earned_ = earned;
  if (control_frames_.take(now_)) return true;
  flood(Flood::kControlFrames, "too many frames that carry nothing (PING, SETTINGS, PRIORITY, WINDOW_UPDATE and the like)");
  return false;
}

bool SessionImpl::charge_unless_due() {
  if (!frame_.has(kFlagAck) || acknowledgements_due_ == 0) return charge_control();
  --acknowledgements_due_;
  return true;
}

void SessionImpl::send_ping(std::uint64_t payload) {
  ++acknowledgements_due_;
  writer_.ping(payload, false);
}

void SessionImpl::count_reply() {
  // What the owner has put in front of our output makes it look larger, never smaller.
  if (writer_.output().size() + replies_taken_at_ <= counters_.bytes_sent) {
    queued_replies_ = 0;
    replies_taken_at_ = counters_.bytes_sent;
  }
  if (++queued_replies_ > options_.max_queued_replies) {
    flood(Flood::kQueuedReplies, "too many frames that ask for a reply without reading the replies");
  }
}

void SessionImpl::stream_error(std::uint32_t id, StreamState* stream, ErrorCode code) {
  ++counters_.stream_errors;
  writer_.rst_stream(id, code);
  reset_streams_.add(id, true);
  if (stream != nullptr) {
    ++cut_short_;
    events_.on_reset(*stream, code, false);
    if (!stream->gone) close_stream(*stream);
  }
  if (charge_reset()) count_reply();
}

void SessionImpl::peer_reset(StreamState& stream, ErrorCode code) {
  ++cut_short_;
  events_.on_reset(stream, code, true);
  if (!stream.gone) close_stream(stream);
}

bool SessionImpl::is_idle(std::uint32_t id) const noexcept {
  if (is_server()) return id % 2 == 0 || id > last_peer_id_;
  return id % 2 == 0 || id >= next_id_;
}

Result<void> SessionImpl::upgrade(std::string_view settings, std::span<const Field> head, std::string_view body) {
  const Scope scope(*this);
  if (settings.size() % kSettingSize != 0 || !apply_settings(settings)) {
    return micro::fail(
        invalid_argument("upgrade to h2c: the HTTP2-Settings header is no valid SETTINGS payload (RFC 7540 3.2.1)"));
  }
  Buffer encoded;
  encode_static(head, encoded);
  block_stream_ = 1;
  block_end_stream_ = body.empty();
  block_self_dependent_ = false;
  end_block(encoded.view());
  if (!body.empty()) {
    if (StreamState* const stream = streams_.find(1)) {
      stream->received = static_cast<std::int64_t>(body.size());
      if (stream->content_length >= 0 && stream->content_length != stream->received) {
        stream_error(1, stream, ErrorCode::kProtocolError);
      } else {
        deliver_data(*stream, body, true);
      }
    }
  }
  if (counters_.streams_opened == 0) {
    return micro::fail(invalid_argument("upgrade to h2c: the request is malformed for HTTP/2 (RFC 9113 8.3)"));
  }
  return {};
}

void SessionImpl::ping(std::uint64_t payload) {
  if (!failed_) send_ping(payload);
}

void SessionImpl::goaway(ErrorCode code, std::string_view debug) {
  if (failed_ || goaway_ == Goaway::kFinal || (goaway_ == Goaway::kAnnounced && code == ErrorCode::kNoError)) return;
  if (is_server() && code == ErrorCode::kNoError) {
    goaway_ = Goaway::kAnnounced;
    writer_.goaway(kMaxStreamId, code, debug);
    send_ping(kGoawayPing);
    return;
  }
  goaway_ = Goaway::kFinal;
  goaway_last_ = last_peer_id_;
  writer_.goaway(goaway_last_, code, debug);
}

void SessionImpl::finish_goaway() {
  if (failed_ || goaway_ != Goaway::kAnnounced) return;
  goaway_ = Goaway::kFinal;
  goaway_last_ = last_peer_id_;
  writer_.goaway(goaway_last_, ErrorCode::kNoError, {});
}

void SessionImpl::on_ping_frame(std::string_view payload) {
  if (payload.size() != 8) return fail(ErrorCode::kFrameSizeError, "PING of a length other than 8");
  if (frame_.stream_id != 0) return fail(ErrorCode::kProtocolError, "PING on a stream");
  const std::uint64_t value = (std::uint64_t{load_be32(payload.data())} << 32) | load_be32(payload.data() + 4);
  if (!frame_.has(kFlagAck)) {
    writer_.ping(value, true);
    return count_reply();
  }
  if (value == BdpEstimator::kPing && estimator_.measuring()) return grow_windows();
  if (value == kGoawayPing && goaway_ == Goaway::kAnnounced) return finish_goaway();
  events_.on_ping_ack(value);
}

Duration SessionImpl::stalled(TimePoint now, std::uint64_t min_bytes) noexcept {
  const std::uint64_t sent = counters_.data_bytes_sent;
  if (queued_ == 0 || stall_since_ == TimePoint{} || stall_emptied_ != queue_emptied_ || sent - stall_sent_ >= min_bytes) {
    stall_since_ = queued_ == 0 ? TimePoint{} : now;
    stall_emptied_ = queue_emptied_;
    stall_sent_ = sent;
    return Duration::zero();
  }
  return now - stall_since_;
}

const Counters& SessionImpl::counters() noexcept {
  counters_.headers_repeated = decoder_.repeats();
  return counters_;
}

Session::Session(Role role, const Options& options, Events& events)
    : impl_(std::make_unique<SessionImpl>(role, options, events)) {}
Session::~Session() = default;

Result<void> Session::feed(std::string_view bytes, TimePoint now) { return impl_->feed(bytes, now); }
Chain& Session::output() noexcept { return impl_->output(); }
void Session::abort(ErrorCode code) { impl_->abort(code); }
Result<void> Session::upgrade(std::string_view settings, std::span<const Field> head, std::string_view body) {
  return impl_->upgrade(settings, head, body);
}
void Session::ping(std::uint64_t payload) { impl_->ping(payload); }
void Session::goaway(ErrorCode code, std::string_view debug) { impl_->goaway(code, debug); }
void Session::finish_goaway() { impl_->finish_goaway(); }
bool Session::goaway_finished() const noexcept { return impl_->goaway_finished(); }
void Session::consumed(Stream& stream, std::size_t bytes) { impl_->consumed(StreamState::of(stream), bytes); }
Stream* Session::open(std::span<const Field> fields, bool end_stream) { return impl_->open(fields, end_stream); }
Stream* Session::open_encoded(std::string_view block, std::span<const Field> extra, bool end_stream) {
  return impl_->open_encoded(block, extra, end_stream);
}
bool Session::can_open() const noexcept { return impl_->can_open(); }
void Session::submit_headers(Stream& stream, std::span<const Field> fields, bool end_stream) {
  impl_->submit_headers(StreamState::of(stream), fields, end_stream);
}
void Session::submit_encoded_headers(Stream& stream, std::string_view block, bool end_stream) {
  impl_->submit_encoded_headers(StreamState::of(stream), block, end_stream);
}
void Session::submit_data(Stream& stream, std::string_view data, bool end_stream) {
  impl_->submit_data(StreamState::of(stream), data, end_stream);
}
void Session::submit_data(Stream& stream, Buffer&& data, bool end_stream) {
  impl_->submit_data(StreamState::of(stream), std::move(data), end_stream);
}
char* Session::begin_data(Stream& stream, std::size_t max_payload) {
  return impl_->begin_data(StreamState::of(stream), max_payload);
}
void Session::commit_data(Stream& stream, std::size_t payload, bool end_stream) {
  impl_->commit_data(StreamState::of(stream), payload, end_stream);
}
void Session::reset(Stream& stream, ErrorCode code) { impl_->reset(StreamState::of(stream), code); }
std::size_t Session::active_streams() const noexcept { return impl_->active_streams(); }
void Session::for_each_stream(void (*visit)(Stream&, void*), void* argument) { impl_->for_each_stream(visit, argument); }
std::size_t Session::queued() const noexcept { return impl_->queued(); }
Duration Session::stalled(TimePoint now, std::uint64_t min_bytes) noexcept { return impl_->stalled(now, min_bytes); }
bool Session::peer_connect_protocol() const noexcept { return impl_->peer_connect_protocol(); }
bool Session::peer_goaway() const noexcept { return impl_->peer_goaway(); }
std::uint32_t Session::peer_max_concurrent_streams() const noexcept { return impl_->peer_max_concurrent_streams(); }
std::uint32_t Session::last_peer_stream_id() const noexcept { return impl_->last_peer_stream_id(); }
bool Session::ready() const noexcept { return impl_->ready(); }
const Counters& Session::counters() const noexcept { return impl_->counters(); }

}  // namespace micro::http2
