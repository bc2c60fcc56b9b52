#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <micro/bytes/buffer.hpp>
#include <micro/bytes/chain.hpp>
#include <micro/http2/stream.hpp>

#include "flow.hpp"

namespace micro::http2 {

// A stream with what only the session needs to know.
struct StreamState final : Stream {
  using Stream::id_;
  using Stream::local_ended_;
  using Stream::queued_;
  using Stream::remote_closed_;

  bool end_sent = false;         // END_STREAM is in the output
  bool head_received = false;    // final response or request headers
  bool head_request = false;     // client: a HEAD request, whose response has no body whatever content-length says
  bool connect_request = false;  // client: a CONNECT request
  bool tunnel = false;           // CONNECT: only DATA follows
  bool overfull = false;      // given up because too much is queued; RST_STREAM is sent, the events follow with the next feed()
  bool has_trailers = false;  // `trailers` are to follow `pending`
  bool in_turn = false;       // linked into the SendQueue
  bool gone = false;          // on_close was raised; memory is kept until no caller can hold it
  std::int64_t send_window = 0;  // negative after the peer has reduced SETTINGS_INITIAL_WINDOW_SIZE
  ReceiveWindow receive_window;
  std::int64_t content_length = -1;
  std::int64_t received = 0;  // DATA bytes without padding
  Chain pending;              // submitted, not framed
  Buffer trailers;            // an encoded block
  StreamState* next = nullptr;
  StreamState* previous = nullptr;

  static StreamState& of(Stream& stream) noexcept { return static_cast<StreamState&>(stream); }
};

// Streams come from and go back to a pool of the calling thread.
StreamState* acquire_stream(std::uint32_t id);
void recycle_stream(StreamState* stream) noexcept;

// The live streams of a session by id. Open addressing with linear probing.
class StreamTable {
 public:
  StreamState* find(std::uint32_t id) const noexcept {
    if (count_ == 0) return nullptr;
    for (std::size_t slot = slot_of(id); slots_[slot] != nullptr; slot = (slot + 1) & mask_) {
      if (slots_[slot]->id_ == id) return slots_[slot];
    }
    return nullptr;
  }
  void insert(StreamState* stream);
  void erase(std::uint32_t id) noexcept;
  std::size_t size() const noexcept { return count_; }
  // A copy of all ids in ascending order, for loops whose events may change the table.
  std::vector<std::uint32_t> ids() const;
  template <class F>
  void for_each(F&& function) const {
    for (std::size_t i = 0; slots_ && i <= mask_; ++i) {
      if (slots_[i] != nullptr) function(*slots_[i]);
    }
  }

 private:
  // Scattered: neighbouring ids in neighbouring slots would make one long run for erase() to walk.
  std::size_t slot_of(std::uint32_t id) const noexcept { return (id * 0x9e3779b9U >> 12) & mask_; }
  void resize(std::size_t slots);

  std::unique_ptr<StreamState*[]> slots_;
  std::size_t mask_ = 0;
  std::size_t count_ = 0;
};

// Streams with bytes to send that wait for the connection window, in turn.
class SendQueue {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  void push(StreamState& stream) noexcept;
  StreamState& pop() noexcept;
  void remove(StreamState& stream) noexcept;

 private:
  StreamState* first_ = nullptr;
  StreamState* last_ = nullptr;
};

// Remembers which closed streams ended with RST_STREAM: frames that were under way when we reset a stream are to be ignored,
// frames after the peer's own reset or after END_STREAM are errors (RFC 9113 section 5.1).
class ResetStreams {
 public:
  enum class Fate : std::uint8_t { kEnded, kResetByUs, kResetByPeer };

  void add(std::uint32_t id, bool by_us) noexcept;
  Fate fate(std::uint32_t id) const noexcept;

 private:
  static constexpr std::uint32_t kByUs = 0x80000000;

  std::array<std::uint32_t, 16> ring_{};
  std::uint32_t forgotten_ = 0;  // the highest id that fell out of the ring: about those up to it we cannot be strict
  std::uint8_t at_ = 0;
};

}  // namespace micro::http2
