#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <micro/coro/block_on.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/net/connect.hpp>
#include <micro/net/listener.hpp>

// What the tests of this component share.
namespace micro::net {

inline Address parse(std::string_view text) { return Address::parse(text).value(); }

inline Task<Result<void>> write_all(Stream& stream, std::string_view text) {
  while (!text.empty()) {
    const std::string_view pieces[] = {text};
    Result<std::size_t> written = stream.try_write(pieces);
    if (!written) co_return fail(std::move(written.error()));
    text.remove_prefix(*written);
    if (text.empty()) break;
    Result<void> room = co_await stream.wait_writable();
    if (!room) co_return room;
  }
  co_return Result<void>();
}

inline Task<Result<std::string>> read_to_end(Stream& stream) {
  std::string all;
  std::vector<char> buffer(4096);
  for (;;) {
    Result<std::size_t> count = co_await stream.read_some(buffer);
    if (!count) co_return fail(std::move(count.error()));
    if (*count == 0) co_return all;
    all.append(buffer.data(), *count);
  }
}

// What a test of a connection works with: both ends of one.
struct Connection {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> server;
  std::unique_ptr<Stream> client;
};

inline Task<void> accept_into(Connection& connection) {
  auto accepted = co_await connection.listener->accept();
  if (accepted) connection.server = std::move(*accepted);
}

inline Task<void> connect_into(Connection& connection, Address address) {
  Context context;
  auto connected = co_await connect(context, address);
  if (connected) connection.client = std::move(*connected);
}

inline Task<Connection> connected_pair(Loop& loop, Address address) {
  Connection connection;
  ListenOptions options;
  auto listener = Listener::listen(loop, address, options);
  if (!listener) co_return connection;
  connection.listener = std::move(*listener);
  Address real = connection.listener->address();
  co_await when_all(accept_into(connection), connect_into(connection, real));
  co_return connection;
}

inline std::string unix_path(const char* name) { return testing::TempDir() + name + std::to_string(getpid()) + ".sock"; }

}  // namespace micro::net
