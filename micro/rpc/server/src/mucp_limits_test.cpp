// What streams of go-micro RPC may cost: each message is held to the limits of a request.
#include <array>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

constexpr Duration kShort = std::chrono::milliseconds(50);

ServerOptions patient() {
  ServerOptions options = TestServer::default_options();
  options.header_timeout = options.body_timeout = options.write_timeout = options.idle_timeout = options.keepalive_time =
      Duration{};
  return options;
}

std::string message(const std::string& text) {
  return "POST / HTTP/1.1\r\nHost: x\r\nMicro-Endpoint: Echo.Chat\r\nMicro-Stream: 1\r\nContent-Type: application/json\r\n"
         "Content-Length: " +
         std::to_string(text.size()) + "\r\n\r\n" + text;
}

class Caller {
 public:
  explicit Caller(const TestServer& server) : fd_(server.connect()) { send_all(fd_, message("")); }
  ~Caller() { ::close(fd_); }
  void send(std::string_view bytes) const { send_all(fd_, bytes); }
  std::string rest() const { return receive_until_close(fd_); }
  // Reads until `text` has come.
  bool hears(std::string_view text) {
    std::array<char, 4096> buffer;
    while (heard_.find(text) == std::string::npos) {
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got <= 0) return false;
      heard_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return true;
  }

 private:
  int fd_;
  std::string heard_;
};

TEST(MucpLimits, AMessageThatWasBegunHasToComeAndNoOther) {
  ServerOptions options = patient();
  options.body_timeout = options.header_timeout = kShort;
  options.idle_timeout = kShort;
  TestServer server(1, options);
  server.start();
  Caller silent(server);
  silent.send(message("\"a\""));
  EXPECT_TRUE(silent.hears("\"a\""));

  Caller in_the_body(server);
  in_the_body.send(message("\"abc\"").substr(0, message("\"abc\"").size() - 2));
  in_the_body.rest();
  EXPECT_EQ(server.server.counters().body_timeouts, 1u);
  Caller in_the_head(server);
  in_the_head.send("POST / HTTP/1.1\r\nHost: x\r\n");
  in_the_head.rest();
  EXPECT_EQ(server.server.counters().header_timeouts, 1u);

  silent.send(message("\"b\""));
  EXPECT_TRUE(silent.hears("\"b\"")) << "a stream may be silent";
  EXPECT_EQ(server.server.counters().open_calls, 1u);
}

TEST(MucpLimits, UnfinishedMessagesShareTheMemory) {
  ServerOptions options = patient();
  options.max_buffered_bytes = 100'000;
  TestServer server(1, options);
  server.start();
  Caller caller(server);
  caller.send(message("\"" + std::string(200'000, 'x') + "\""));
  EXPECT_TRUE(caller.hears("SERVER_MEMORY"));
  EXPECT_EQ(server.server.counters().memory_refusals, 1u);
}

TEST(MucpLimits, WhatIsNoHttpEndsAStream) {
  TestServer server;
  server.start();
  Caller caller(server);
  caller.send(message("\"a\""));
  EXPECT_TRUE(caller.hears("\"a\""));
  caller.send("this is not HTTP\r\n\r\n");
  EXPECT_EQ(caller.rest(), "") << "no answer that would be taken for a message";
  while (server.server.counters().open_calls != 0) std::this_thread::yield();
  EXPECT_EQ(server.server.counters().malformed, 1u);
}

TEST(MucpLimits, StoppingEndsStreams) {
  TestServer server;
  server.start();
  Caller caller(server);
  caller.send(message("\"a\""));
  EXPECT_TRUE(caller.hears("\"a\""));
  EXPECT_EQ(server.stop(Duration{}), 0u);
  EXPECT_TRUE(caller.hears("Micro-Error: ")) << "and says so";
}

}  // namespace
}  // namespace micro::rpc::test
