#pragma once

#include <netinet/in.h>

#include <memory>
#include <string>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <micro/net/stream.hpp>

#include "socket_address.hpp"

namespace micro::net {

using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

// A connected TCP or Unix socket: Asio waits and reads, writes go to the kernel directly. Small, because most connections are
// idle: addresses are formatted when first asked for.
class SocketStream final : public Stream {
 public:
  SocketStream(Loop& loop, Socket socket, const SocketAddress& peer);

  Result<std::size_t> try_read(std::span<char> buffer, bool& would_block) override;
  Result<std::size_t> try_write(std::span<const std::string_view> pieces) override;
  void shutdown_write() override;
  void close() override;
  bool is_open() const noexcept override { return socket_.is_open(); }
  const std::string& peer() const noexcept override;
  const std::string& local() const noexcept override;
  Loop& loop() const noexcept override { return loop_; }

 protected:
  void start_read(std::span<char> buffer, IoOperation& operation) override;
  void start_wait_writable(IoOperation& operation) override;

 private:
  Loop& loop_;
  mutable Socket socket_;  // Asio's native_handle() is not const
  sockaddr_in6 raw_peer_;  // of either Internet family; a Unix peer is in peer_ from the start
  mutable std::string peer_;
  mutable std::string local_;
};

// Makes a stream of an accepted descriptor, which it takes over in any case.
Result<std::unique_ptr<Stream>> adopt_socket(Loop& loop, int fd, const SocketAddress& peer);

}  // namespace micro::net
