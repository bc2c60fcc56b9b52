#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <micro/net/stream.hpp>

namespace micro::testkit {

struct MemoryStreamOptions {
  // Most bytes one read or one write moves. 1 shows whether a protocol core survives bytes that come one by one.
  std::size_t chunk = SIZE_MAX;
  // Bytes that may be under way in each direction before try_write() takes no more, like a socket buffer.
  std::size_t capacity = 64 * 1024;
};

// One end of a connection that exists only in memory: the contract of net::Stream without sockets, for tests. Waiters resume from
// the loop's ready queue, so a run is the same every time.
//
// Closing one end is an orderly end for the other: it reads what is under way, then 0; its writes fail with EPIPE.
// Thread safety: the loop's thread. The ends may be destroyed in any order.
class MemoryStream final : public net::Stream {
 public:
  // Two connected ends on `loop`.
  static std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> pair(Loop& loop,
                                                                                      const MemoryStreamOptions& options);
  static std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> pair(Loop& loop) {
    return pair(loop, MemoryStreamOptions());
  }
  ~MemoryStream() override;

  // From now on, and for what is pending, this end's reads or writes fail with this errno (ECONNRESET, ...). Bytes under way to
  // it are lost. 0 heals it.
  void fail_reads(int error_number);
  void fail_writes(int error_number);
  // Changes the limits of what this end reads and writes.
  void set_options(const MemoryStreamOptions& options);

  // Bytes this end has written that the other end has not read yet.
  std::size_t unread() const noexcept;
  // Calls of try_write() that took something: how well a writer gathers.
  std::size_t writes() const noexcept { return writes_; }

  Result<std::size_t> try_read(std::span<char> buffer, bool& would_block) override;
  Result<std::size_t> try_write(std::span<const std::string_view> pieces) override;
  void shutdown_write() override;
  void close() override;
  bool is_open() const noexcept override { return open_; }
  const std::string& peer() const noexcept override { return peer_; }
  const std::string& local() const noexcept override { return local_; }
  Loop& loop() const noexcept override { return loop_; }

 protected:
  void start_read(std::span<char> buffer, net::IoOperation& operation) override;
  void finish_read(std::span<char> buffer, net::IoOperation& operation) override;
  void start_wait_writable(net::IoOperation& operation) override;

 private:
  struct Pipe;
  MemoryStream(Loop& loop, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, std::string local, std::string peer);

  Loop& loop_;
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  std::string local_;
  std::string peer_;
  bool open_ = true;
  std::size_t writes_ = 0;
};

}  // namespace micro::testkit
