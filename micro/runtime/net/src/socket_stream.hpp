#pragma once

#include <netinet/in.h>

#include <memory>
#include <string>

#include <micro/net/stream.hpp>

#include "event_queue.hpp"
#include "socket_address.hpp"

namespace micro::net {

// A TCP or Unix socket. Registered with the kernel once, edge-triggered: what the last system call and the last event said is
// remembered, and neither a read nor a wait asks the kernel for what is known. Small, because most connections are idle:
// addresses are formatted when first asked for.
class SocketStream final : public Stream, private EventSource {
 public:
  // Takes the descriptor over, which is non-blocking and connected or connecting; wait_writable() waits for the connection, too.
  SocketStream(Loop& loop, int fd, const SocketAddress& peer) noexcept;
  ~SocketStream() override;

  // Registers the socket; 0 or an errno.
  int watch() noexcept;
  // How connecting ended: 0 or an errno.
  int connect_error() const noexcept;

  Result<std::size_t> try_read(std::span<char> buffer, bool& would_block) override;
  Result<std::size_t> try_write(std::span<const std::string_view> pieces) override;
  void shutdown_write() override;
  void close() override;
  bool is_open() const noexcept override { return fd_ >= 0; }
  const std::string& peer() const noexcept override;
  const std::string& local() const noexcept override;
  Loop& loop() const noexcept override { return loop_; }

 protected:
  void start_read(std::span<char> buffer, IoOperation& operation) override;
  void finish_read(std::span<char> buffer, IoOperation& operation) override;
  void start_wait_writable(IoOperation& operation) override;

 private:
  void on_events(std::uint32_t events) override;
  // False when nothing is there yet. Otherwise the operation has its outcome.
  bool receive(std::span<char> buffer, IoOperation& operation) noexcept;
  void complete_later(IoOperation*& operation, int error);

  Loop& loop_;
  int fd_;
  bool readable_ = true;   // not known to be empty
  bool writable_ = false;  // not known to be full
  bool ended_ = false;     // the peer has finished, or the connection failed: an edge that does not come again
  bool internet_;
  IoOperation* reader_ = nullptr;
  IoOperation* writer_ = nullptr;
  std::span<char> into_;   // of the reader
  sockaddr_in6 raw_peer_;  // of either Internet family; a Unix peer is in peer_ from the start
  mutable std::string peer_;
  mutable std::string local_;
};

// Makes a stream of a connected descriptor, which it takes over in any case.
Result<std::unique_ptr<Stream>> adopt_socket(Loop& loop, int fd, const SocketAddress& peer);

}  // namespace micro::net
