#pragma once

#include <cstddef>
#include <cstdint>

namespace micro::http2 {

// One request and its response on a session. Streams are made by the session, come from a pool of the thread, keep their address
// and are valid until Events::on_close has returned.
class Stream {
 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // RFC 9113 section 5.1.1: odd, increasing, unique in the connection.
  std::uint32_t id() const noexcept { return id_; }

  // Bytes submitted and not yet framed because a send window is used up: what a sender looks at to slow down. Trailers that wait
  // behind such bytes are not counted.
  std::size_t queued() const noexcept { return queued_; }

  // True once END_STREAM has been submitted: whatever is submitted afterwards is ignored.
  bool local_closed() const noexcept { return local_ended_; }

  // True once the peer has ended its direction: no on_data or on_trailers follows.
  bool remote_closed() const noexcept { return remote_closed_; }

  // For the owner of the session: nullptr at first, never touched by the session.
  void* user = nullptr;

 protected:
  Stream() = default;
  ~Stream() = default;

  std::uint32_t id_ = 0;
  bool local_ended_ = false;
  bool remote_closed_ = false;
  std::size_t queued_ = 0;
};

}  // namespace micro::http2
