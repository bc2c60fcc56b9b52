#pragma once

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>
#include <micro/loop/loop.hpp>
#include <micro/uri/uri.hpp>

namespace micro::net {

// A pending read or wait: the stream fills in the outcome and resumes whoever awaits. At most one read and one wait_writable may
// be pending on a stream.
struct IoOperation {
  std::coroutine_handle<> waiter;
  std::size_t size = 0;
  int error = 0;  // errno, 0 on success; ECANCELED after close()
  // There are bytes to read, which await_resume() does.
  bool ready = false;
};

// A connected byte stream: TCP, Unix, TLS on top of one of them, or in memory for tests. Belongs to one loop.
//
// Reading is asynchronous, writing is "try now, wait when full": try_write() takes what the kernel takes, wait_writable() waits
// for room. An orderly end of the peer is a read of 0 bytes; everything else that ends a connection is an Error, UNAVAILABLE as a
// rule ("read from 10.0.0.7:8080: Connection reset by peer").
//
// Cancellation: close() completes pending operations with CANCELLED. Lifetime: must outlive its pending operations (close() it
// first) and must not outlive its loop.
// Thread safety: its loop's thread only.
class Stream {
 public:
  virtual ~Stream() = default;

  struct ReadAwaiter;
  struct WritableAwaiter;
  // Waits for bytes and reads at most buffer.size() of them: 0 when the peer has finished. The buffer is not touched before
  // whoever awaits goes on, so that all streams of a loop may read into one and idle ones need none.
  ReadAwaiter read_some(std::span<char> buffer) noexcept;
  // Waits until try_write() may take something again.
  WritableAwaiter wait_writable() noexcept;

  // Reads what is there without waiting: UNAVAILABLE errors as above; `would_block` is set when nothing is there yet.
  virtual Result<std::size_t> try_read(std::span<char> buffer, bool& would_block) = 0;
  // Writes as much as the kernel takes without waiting; 0 when it takes nothing just now. At most 64 pieces a call. The bytes
  // that were not taken come first, and unchanged, in the next call: an encrypted stream may have encrypted them already.
  virtual Result<std::size_t> try_write(std::span<const std::string_view> pieces) = 0;
  // Says "no more" to the peer and goes on reading.
  virtual void shutdown_write() = 0;
  // Ends the connection; pending operations complete with CANCELLED on a later turn. Idempotent.
  virtual void close() = 0;
  virtual bool is_open() const noexcept = 0;

  // "10.0.0.7:50122", "[::1]:8080", "unix:" or "unix:/path".
  virtual const std::string& peer() const noexcept = 0;
  virtual const std::string& local() const noexcept = 0;
  virtual Loop& loop() const noexcept = 0;

 protected:
  virtual void start_read(std::span<char> buffer, IoOperation& operation) = 0;
  // Reads for an operation that is `ready`.
  virtual void finish_read(std::span<char> buffer, IoOperation& operation);
  virtual void start_wait_writable(IoOperation& operation) = 0;
  // The Error for an IoOperation that ended with `error_number`. Streams that know more than an errno says say more.
  virtual Error io_error(std::string_view what, int error_number) const;
};

struct Stream::ReadAwaiter {
  Stream& stream;
  std::span<char> buffer;
  IoOperation operation{};
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    operation.waiter = waiter;
    stream.start_read(buffer, operation);
  }
  Result<std::size_t> await_resume() {
    if (operation.ready && operation.error == 0) stream.finish_read(buffer, operation);
    if (operation.error != 0) return std::unexpected(stream.io_error("read from", operation.error));
    return operation.size;
  }
};

struct Stream::WritableAwaiter {
  Stream& stream;
  IoOperation operation{};
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    operation.waiter = waiter;
    stream.start_wait_writable(operation);
  }
  Result<void> await_resume() const {
    if (operation.error != 0) return std::unexpected(stream.io_error("write to", operation.error));
    return {};
  }
};

inline Stream::ReadAwaiter Stream::read_some(std::span<char> buffer) noexcept { return {*this, buffer}; }
inline Stream::WritableAwaiter Stream::wait_writable() noexcept { return {*this}; }

}  // namespace micro::net
