#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <micro/http2/session.hpp>

#include "flow.hpp"
#include "frame.hpp"
#include "hpack.hpp"
#include "stream_table.hpp"

namespace micro::http2 {

// The session behind Session. Sources by concern: session.cpp (life of the connection), receive.cpp (bytes to frames, DATA),
// receive_headers.cpp (header sections and what they do to streams), receive_control.cpp (all other frames), send.cpp.
class SessionImpl {
 public:
  SessionImpl(Role role, const Options& options, Events& events);
  ~SessionImpl();

  Result<void> feed(std::string_view bytes, TimePoint now);
  Chain& output() noexcept { return writer_.output(); }
  void abort(ErrorCode code);
  Result<void> upgrade(std::string_view settings, std::span<const Field> head, std::string_view body);
  void ping(std::uint64_t payload);
  void goaway(ErrorCode code, std::string_view debug);
  void finish_goaway();
  bool goaway_finished() const noexcept { return failed_ || goaway_ == Goaway::kFinal; }

  void consumed(StreamState& stream, std::size_t bytes);

  Stream* open(std::span<const Field> fields, bool end_stream);
  Stream* open_encoded(std::string_view block, std::span<const Field> extra, bool end_stream);
  bool can_open() const noexcept;

  void submit_headers(StreamState& stream, std::span<const Field> fields, bool end_stream);
  void submit_encoded_headers(StreamState& stream, std::string_view block, bool end_stream);
  void submit_data(StreamState& stream, std::string_view data, bool end_stream);
  void submit_data(StreamState& stream, Buffer&& data, bool end_stream);
  char* begin_data(StreamState& stream, std::size_t max_payload);
  void commit_data(StreamState& stream, std::size_t payload, bool end_stream);
  void reset(StreamState& stream, ErrorCode code);

  std::size_t active_streams() const noexcept { return streams_.size(); }
  void for_each_stream(void (*visit)(Stream&, void*), void* argument);
  std::size_t queued() const noexcept { return queued_; }
  Duration stalled(TimePoint now, std::uint64_t min_bytes) noexcept;
  bool peer_connect_protocol() const noexcept { return peer_connect_protocol_; }
  bool peer_goaway() const noexcept { return peer_goaway_; }
  std::uint32_t peer_max_concurrent_streams() const noexcept { return peer_max_concurrent_; }
  std::uint32_t last_peer_stream_id() const noexcept { return goaway_ == Goaway::kFinal ? goaway_last_ : last_peer_id_; }
  bool ready() const noexcept { return settings_received_; }
  const Counters& counters() noexcept;

 private:
  enum class ReadState : std::uint8_t { kPreface, kFrameHeader, kPayload, kPadLength, kData, kSkip };
  enum class Goaway : std::uint8_t { kNone, kAnnounced, kFinal };

  // Streams that close while a call is under way keep their memory until the outermost call returns.
  class Scope {
   public:
    explicit Scope(SessionImpl& session) : session_(session) { ++session_.depth_; }
    ~Scope() {
      if (--session_.depth_ == 0 && session_.closed_ != nullptr) session_.recycle_closed();
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    SessionImpl& session_;
  };

  bool is_server() const noexcept { return role_ == Role::kServer; }
  void send_initial_settings();
  void recycle_closed() noexcept;
  void fail(ErrorCode code, std::string_view why);
  void flood(Flood kind, std::string_view what);
  void end_all_streams(ErrorCode code);
  StreamState& make_stream(std::uint32_t id);
  void close_stream(StreamState& stream);
  void close_if_done(StreamState& stream);
  void stream_error(std::uint32_t id, StreamState* stream, ErrorCode code);
  void peer_reset(StreamState& stream, ErrorCode code);
  // These return false, and the connection has failed, when the peer has had more than its share.
  bool charge_reset();
  bool charge_control();
  // The same for PING and SETTINGS, where an acknowledgement that is due costs nothing.
  bool charge_unless_due();
  void send_ping(std::uint64_t payload);
  void count_reply();
  // A stream number the peer has used, or could have: not idle (RFC 9113 section 5.1).
  bool is_idle(std::uint32_t id) const noexcept;
  // After our final GOAWAY: a stream we said we will not look at.
  bool is_left_out(std::uint32_t id) const noexcept { return is_server() && goaway_ == Goaway::kFinal && id > goaway_last_; }

  // Receiving: these return where to go on, the others act on one frame and call fail() when the peer is wrong.
  const char* step(const char* at, const char* end);
  const char* read_header(const char* at, const char* end);
  const char* read_payload(const char* at, const char* end);
  const char* read_data(const char* at, const char* end);
  void begin_frame();
  void end_frame() noexcept { read_state_ = ReadState::kFrameHeader; }
  void on_payload(std::string_view payload);
  void begin_data_frame();
  void begin_data_payload(std::uint32_t length, std::uint32_t padding);
  void deliver_data(StreamState& stream, std::string_view data, bool last);
  void after_data();
  void start_measuring();
  void credit_stream(StreamState& stream, std::size_t bytes);
  void credit_connection(std::int64_t bytes);

  void on_headers_frame(std::string_view payload);
  void on_continuation_frame(std::string_view payload);
  void check_block_size();
  void end_block(std::string_view block);
  void refuse_block(DecodedBlock::Excess excess);
  void closed_stream_frame(std::uint32_t id, bool headers);
  void begin_request(std::uint32_t id, const DecodedBlock& decoded, bool end_stream);
  void on_response(StreamState& stream, const DecodedBlock& decoded, bool end_stream);
  void on_trailers(StreamState& stream, const DecodedBlock& decoded, bool end_stream);

  void on_priority_frame(std::string_view payload);
  void on_rst_stream_frame(std::string_view payload);
  void on_settings_frame(std::string_view payload);
  bool apply_settings(std::string_view payload);
  bool apply_setting(Setting id, std::uint32_t value, std::uint32_t& initial_window);
  bool apply_initial_window(std::uint32_t value);
  void pump_all();
  void on_settings_ack();
  void on_ping_frame(std::string_view payload);
  void on_goaway_frame(std::string_view payload);
  void on_window_update_frame(std::string_view payload);
  void grow_windows();

  // `method`: of interest when it is HEAD or CONNECT.
  Stream* open_stream(std::string_view block, bool end_stream, std::string_view method);
  void write_headers(StreamState& stream, std::string_view block, bool end_stream);
  void write_end(StreamState& stream);
  std::int64_t sendable(const StreamState& stream) const noexcept;
  void account_sent(StreamState& stream, std::int64_t count) noexcept;
  // False when so much is queued that the stream has been given up instead.
  template <class Bytes>
  bool queue(StreamState& stream, Bytes&& bytes);
  void unqueue(std::size_t bytes) noexcept;
  void end_overfull();
  // Frames one DATA frame of what is queued, if the windows allow one.
  bool send_one(StreamState& stream);
  void pump(StreamState& stream);
  void pump_queue();
  void finish_queued(StreamState& stream);
  bool queue_trailers(StreamState& stream, bool end_stream);

  const Role role_;
  Options options_;
  Events& events_;
  Counters counters_;
  FrameWriter writer_{counters_};
  HeaderDecoder decoder_;
  HeaderEncoder encoder_;
  StreamTable streams_;
  SendQueue send_queue_;
  ResetStreams reset_streams_;
  StreamState* closed_ = nullptr;
  std::uint32_t depth_ = 0;
  TimePoint now_{};
  std::optional<Error> error_;
  bool failed_ = false;

  // Reading.
  ReadState read_state_;
  std::uint8_t prefix_size_ = 0;  // bytes of the preface, or of `prefix_`, that have come
  char prefix_[kFrameHeaderSize];
  FrameHeader frame_;
  std::uint32_t frame_left_ = 0;  // payload still to come: data, then padding; or what is to be skipped
  std::uint32_t padding_ = 0;
  StreamState* data_stream_ = nullptr;  // of the DATA frame being read; nullptr when its bytes go nowhere
  Buffer partial_;                      // an incomplete frame
  Buffer block_;                        // an incomplete header block
  std::uint32_t block_stream_ = 0;      // the stream whose CONTINUATION must follow; 0: none
  std::uint32_t continuations_ = 0;
  bool block_end_stream_ = false;
  bool block_self_dependent_ = false;
  bool settings_received_ = false;
  bool settings_acked_ = false;
  bool peer_goaway_ = false;

  // Our side.
  Goaway goaway_ = Goaway::kNone;
  std::uint32_t goaway_last_ = kMaxStreamId;
  std::uint32_t next_id_ = 1;       // client: of the next stream
  std::uint32_t last_peer_id_ = 0;  // server: highest seen
  std::uint32_t peer_ids_used_ = 0;
  std::uint32_t stream_window_;  // receive window of new streams
  std::uint32_t window_target_;  // what we have announced
  ReceiveWindow receive_window_;
  BdpEstimator estimator_;
  Budget resets_;
  Budget control_frames_;
  Budget empty_frames_;
  std::uint64_t acknowledgements_due_ = 0;
  std::uint64_t cut_short_ = 0;         // streams that did not end by themselves
  std::uint64_t resets_earned_ = 0;     // by streams that did; given back to the budget so far
  std::uint64_t controls_earned_ = 0;   // the same for control frames
  std::uint64_t replies_taken_at_ = 0;  // once so many bytes of output are gone, nothing counted below is left in it
  std::uint32_t queued_replies_ = 0;
  std::size_t queued_ = 0;           // body bytes waiting for windows, all streams
  std::uint64_t queue_emptied_ = 0;  // how often
  std::uint64_t stall_emptied_ = 0;  // stalled(): the state of things when the present stall began
  std::uint64_t stall_sent_ = 0;
  TimePoint stall_since_{};
  bool overfull_ = false;  // some stream has been given up by queue()

  // The peer's side.
  std::int64_t send_window_ = kDefaultWindow;
  std::uint32_t peer_initial_window_ = kDefaultWindow;
  std::uint32_t peer_max_frame_size_ = kDefaultMaxFrameSize;
  std::uint32_t peer_max_concurrent_ = 100;
  bool peer_connect_protocol_ = false;
};

}  // namespace micro::http2
