// Peers that try to cost more than their share, over a socket. Nothing here waits for a time: a test ends when the server has
// acted.

#include <micro/server/server.hpp>

#include <zlib.h>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr Duration kShort = std::chrono::milliseconds(40);

// What would have to be waited for otherwise; each test sets the one limit it is about.
ServerOptions patient() {
  ServerOptions options = TestServer::default_options();
  options.header_timeout = options.body_timeout = options.write_timeout = options.idle_timeout = options.keepalive_time =
      Duration{};
  return options;
}

class Client {
 public:
  // From another address of this machine; with a small buffer for what arrives.
  explicit Client(const TestServer& server, const char* from = {}, int buffer = 0) : fd_(server.connect(from, buffer)) {}
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  int fd() const { return fd_; }
  void send(std::string_view bytes) { send_all(fd_, bytes); }
  std::string rest() { return receive_until_close(fd_); }

 private:
  int fd_;
};

std::string say(std::string_view extra = {}) {
  return "POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n" + std::string(extra) + "\r\n\"hi\"";
}

void wait_for(const TestServer& server, std::uint64_t ServerCounters::* counter, std::uint64_t value) {
  while (server.server.counters().*counter != value) std::this_thread::yield();
}

void wait_for_at_least(const TestServer& server, std::uint64_t ServerCounters::* counter, std::uint64_t value) {
  while (server.server.counters().*counter < value) std::this_thread::yield();
}

TEST(Limits, ConnectionsOfTheProcess) {
  ServerOptions options = patient();
  options.max_connections = 2;
  TestServer server(2, options);
  server.start();
  {
    Client first(server), second(server);
    wait_for(server, &ServerCounters::connections, 2);
    Client third(server);
    EXPECT_EQ(third.rest(), "");
    EXPECT_EQ(server.server.counters().refused_connections, 1U);
    first.send(say("Connection: close\r\n"));
    EXPECT_THAT(first.rest(), StartsWith("HTTP/1.1 200"));
  }
  wait_for(server, &ServerCounters::open_connections, 0);
  EXPECT_THAT(http1(server, say("Connection: close\r\n")), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(server.server.counters().connections, 3U) << "refused ones are counted apart";
}

TEST(Limits, ConnectionsOfOnePeer) {
  ServerOptions options = patient();
  options.max_connections_per_peer = 1;
  TestServer server(2, options);
  server.start();
  Client first(server);
  wait_for(server, &ServerCounters::connections, 1);
  Client second(server);
  EXPECT_EQ(second.rest(), "");
  EXPECT_EQ(server.server.counters().refused_peer_connections, 1U);
  Client neighbour(server, "127.0.0.2");
  neighbour.send(say("Connection: close\r\n"));
  EXPECT_THAT(neighbour.rest(), StartsWith("HTTP/1.1 200"));
}

TEST(Limits, HeadersThatTrickle) {
  ServerOptions options = patient();
  options.header_timeout = kShort;
  TestServer server(1, options);
  server.start();
  const struct {
    const char* bytes;
    const char* answer;
  } cases[] = {
      {"", ""},
      {"PRI * HTTP/2.0\r\n", ""},
      {"GET / HT", "HTTP/1.1 408 Request Timeout\r\n"},
      {"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n", "HTTP/1.1 408 Request Timeout\r\n"},
  };
  std::uint64_t late = 0;
  for (const auto& c : cases) {
    Client client(server);
    client.send(c.bytes);
    EXPECT_THAT(client.rest(), StartsWith(c.answer)) << c.bytes;
    EXPECT_EQ(server.server.counters().header_timeouts, ++late) << c.bytes;
  }
  Client http2(server);
  http2.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_THAT(http2.rest(), HasSubstr("header_timeout")) << "GOAWAY";
  // A head is late on a connection that was used before, too.
  Client used(server);
  used.send(say() + "GET /");
  EXPECT_THAT(used.rest(), HasSubstr("HTTP/1.1 408"));
  EXPECT_EQ(server.server.counters().header_timeouts, late + 2);
  EXPECT_EQ(server.server.counters().open_calls, 0U);
}

TEST(Limits, BodiesThatTrickle) {
  ServerOptions options = patient();
  options.body_timeout = kShort;
  TestServer server(1, options);
  server.start();
  for (const std::string_view framing : {"Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Client client(server);
    client.send("POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\n" + std::string(framing) + "\r\n1");
    const std::string answer = client.rest();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 408")) << framing;
    EXPECT_THAT(answer, HasSubstr("HTTP_BODY_TIMEOUT"));
  }
  Http2Client client(server);
  http2::Stream& begun = client.open("/test.Echo/Say");
  Answer& say = client.answer();
  client.session().submit_data(begun, std::string_view("\0\0\0", 3), false);
  client.open("/test.Echo/Repeat");  // not a byte of its message
  Answer& repeat = client.answer();
  client.open_plain({{":method", "POST"}, {":scheme", "http"}, {":path", "/test.Echo/Say"}, {":authority", "x"}}, false);
  Answer& plain = client.answer();
  http2::Stream& silent = client.open("/test.Echo/Chat");
  Answer& chat = client.answer();
  client.run_until([&] { return say.closed && repeat.closed && plain.closed; });
  EXPECT_EQ(say.field("grpc-status"), "4");
  EXPECT_EQ(repeat.field("grpc-status"), "4");
  EXPECT_EQ(plain.status, "408");
  EXPECT_EQ(server.server.counters().body_timeouts, 5U);
  // A caller that streams may be silent as long as it likes.
  EXPECT_FALSE(chat.closed);
  client.message(silent, "still here", false);
  client.run_until([&] { return !chat.messages.empty(); });
  EXPECT_THAT(chat.messages, testing::ElementsAre("still here"));
}

TEST(Limits, AnswersThatAreNotTaken) {
  ServerOptions options = patient();
  options.write_timeout = kShort;
  TestServer server(1, options);
  server.start();
  const std::string large = "\"" + std::string(3 << 20, 'x') + "\"";
  const std::string request =
      "POST /test.Echo/Later HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large;
  Client client(server, {}, 4096);
  // More than the kernel takes for it.
  std::thread sender([&] {
    for (int i = 0; i < 5; ++i) client.send(request);
  });
  wait_for(server, &ServerCounters::write_timeouts, 1);
  sender.join();
  wait_for(server, &ServerCounters::open_connections, 0);
  EXPECT_EQ(server.server.counters().open_calls, 0U);
}

// A peer that makes just enough room for what waits, too little for the kernel to tell of it, and stops.
TEST(Limits, AnswersThatAreTakenForAWhile) {
  ServerOptions options = patient();
  options.write_timeout = kShort;
  TestServer server(1, options);
  server.start();
  for (std::size_t taken = 1 << 14; taken <= 1 << 20; taken *= 2) {
    Client client(server, {}, 4096);
    std::string requests;
    for (int i = 0; i < 200; ++i) requests += say();
    std::thread sender([&] {
      for (int i = 0; i < 1000; ++i) client.send(requests);
    });
    wait_for_at_least(server, &ServerCounters::unsent_bytes, 1);
    std::string some(taken, '\0');
    EXPECT_EQ(::recv(client.fd(), some.data(), some.size(), MSG_WAITALL), static_cast<ssize_t>(taken));
    wait_for(server, &ServerCounters::open_connections, 0);
    sender.join();
  }
  EXPECT_EQ(server.server.counters().write_timeouts, 7U);
}

TEST(Limits, AnswersThatWaitForTheWindow) {
  ServerOptions options = patient();
  options.write_timeout = kShort;
  TestServer server(1, options);
  server.start();
  http2::Options small_windows;
  small_windows.initial_window = small_windows.max_window = 65535;
  Http2Client client(server, small_windows);
  client.withhold_credit();
  http2::Stream& grpc = client.open("/test.Echo/Later");
  Answer& stalled = client.answer();
  client.message(grpc, std::string(3 << 20, 'x'), true);
  const std::string large = "\"" + std::string(3 << 20, 'x') + "\"";
  http2::Stream& json =
      client.open_plain({{":method", "POST"}, {":scheme", "http"}, {":path", "/test.Echo/Later"}, {":authority", "x"}}, false);
  Answer& plain = client.answer();
  client.session().submit_data(json, large, true);
  client.run_until([&] { return stalled.closed && plain.closed; });
  EXPECT_TRUE(stalled.reset);
  EXPECT_TRUE(plain.reset);
  EXPECT_EQ(server.server.counters().write_timeouts, 2U);
  EXPECT_EQ(client.call("/test.Echo/Say", "x").field("grpc-status"), "0") << "the connection lives on";
}

TEST(Limits, IdleConnectionsAreClosed) {
  ServerOptions options = patient();
  options.idle_timeout = kShort;
  TestServer server(1, options);
  server.start();
  Client http(server);
  http.send(say());
  const std::string answer = http.rest();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, testing::EndsWith("\"you said hi\"")) << "nothing is said on closing";

  Http2Client polite(server);
  polite.call("/test.Echo/Say", "x");
  polite.run_until([] { return false; });
  EXPECT_TRUE(polite.session().peer_goaway());

  // One that does not answer the farewell.
  Client mute(server);
  mute.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  mute.send(std::string_view("\0\0\0\4\0\0\0\0\0", 9));
  (void)mute.rest();
  EXPECT_EQ(server.server.counters().idle_timeouts, 3U);
}

TEST(Limits, CallsAreNotIdle) {
  ServerOptions options = patient();
  options.idle_timeout = kShort;
  TestServer server(1, options);
  server.start();
  Http2Client client(server);
  client.message(client.open("/test.Echo/Hang"), "x", true);
  Answer& hanging = client.answer();
  client.flush();
  wait_for(server, &ServerCounters::open_calls, 1);
  Client idle(server);
  idle.send(say());
  (void)idle.rest();
  EXPECT_EQ(server.server.counters().idle_timeouts, 1U);
  EXPECT_EQ(server.server.counters().open_calls, 1U);
  EXPECT_FALSE(hanging.closed);
}

TEST(Limits, DeadPeersAreFound) {
  ServerOptions options = patient();
  options.keepalive_time = kShort;
  options.keepalive_timeout = kShort;
  TestServer server(1, options);
  server.start();
  // One that answers PINGs; its session does that.
  Http2Client alive(server);
  http2::Stream& stream = alive.open("/test.Echo/Chat");
  Answer& chat = alive.answer();
  alive.message(stream, "x", false);
  std::thread reader([&] { alive.run_until([&] { return chat.closed; }); });
  {
    Http2Client dead(server);
    dead.message(dead.open("/test.Echo/Hang"), "x", true);
    dead.flush();
    wait_for(server, &ServerCounters::keepalive_timeouts, 1);
    while (server.echo->cancelled_handlers == 0) std::this_thread::yield();
  }
  EXPECT_EQ(server.server.counters().keepalive_timeouts, 1U);
  EXPECT_EQ(server.server.counters().open_calls, 1U) << "the chat";
  server.stop(Duration{});
  reader.join();
}

TEST(Limits, OldConnectionsTakeNoNewCalls) {
  ServerOptions options = patient();
  options.max_connection_age = kShort;
  TestServer server(1, options);
  server.start();
  Http2Client client(server);
  http2::Stream& stream = client.open("/test.Echo/Chat");
  Answer& chat = client.answer();
  client.message(stream, "x", false);
  client.run_until([&] { return client.session().peer_goaway(); });
  client.message(stream, "bye", true);
  client.run_until([&] { return chat.closed; });
  EXPECT_EQ(chat.field("grpc-status"), "0") << "those begun go on";
  client.run_until([] { return false; });
  EXPECT_EQ(server.server.counters().aged_connections, 1U);
}

// Whoever does not read answers gets no more of them: what waits stays small however many requests come.
TEST(Limits, PipelinesThatAreNotRead) {
  ServerOptions options = patient();
  options.write_timeout = kShort;
  TestServer server(1, options);
  server.start();
  Client client(server, {}, 4096);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += say();
  std::thread sender([&] {
    for (int i = 0; i < 100; ++i) client.send(requests);
  });
  wait_for(server, &ServerCounters::write_timeouts, 1);
  const std::uint64_t answered = server.server.counters().calls;
  sender.join();
  EXPECT_LT(answered, 100'000U);
}

TEST(Limits, PipelinesThatAreReadAreAnsweredWhole) {
  TestServer server(1, patient());
  server.start();
  Client client(server);
  std::string requests;
  for (int i = 0; i < 20'000; ++i) requests += say();
  std::thread sender([&] { client.send(requests + say("Connection: close\r\n")); });
  const std::string answers = client.rest();
  sender.join();
  std::size_t count = 0;
  for (std::size_t at = 0; (at = answers.find("you said hi", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 20'001U);
}

TEST(Limits, SizesAreCounted) {
  ServerOptions options = patient();
  options.max_receive_message_size = 1000;
  options.max_header_bytes = 500;
  options.max_header_count = 5;
  TestServer server(1, options);
  server.start();
  const auto refused = [&](const std::string& request, std::string_view status) {
    const std::uint64_t before = server.server.counters().oversized;
    EXPECT_THAT(http1(server, request), StartsWith("HTTP/1.1 " + std::string(status)));
    EXPECT_EQ(server.server.counters().oversized, before + 1) << status;
  };
  refused("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n", "414");
  refused("GET / HTTP/1.1\r\nX: " + std::string(600, 'x') + "\r\n\r\n", "431");
  refused("GET / HTTP/1.1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\n\r\n", "431");
  refused("POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1001\r\n\r\n", "413");
  refused("POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
              std::string(1001, 'x'),
          "413");
  refused("POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(600, 'x') +
              "\r\n\r\n",
          "431");
  EXPECT_THAT(http1(server, "nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(server.server.counters().malformed, 1U);
}

// Requests that begin and do not end, each within its own limits.
TEST(Limits, MemoryOfUnfinishedRequests) {
  ServerOptions options = patient();
  options.max_buffered_bytes = 1'000'000;
  TestServer server(1, options);
  server.start();
  Client http(server);
  http.send("POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 450000\r\n\r\n" + std::string(400'000, ' '));
  wait_for_at_least(server, &ServerCounters::buffered_bytes, 400'000);

  Http2Client client(server);
  client.call("/test.Echo/Say", "x");  // the windows are known then
  http2::Stream& half = client.open("/test.Echo/Say");
  Answer& said = client.answer();
  Text text;
  text.set_value(std::string(500'000, 'x'));
  Buffer frame;
  grpc::append_frame(frame, text.SerializeAsString(), false);
  client.session().submit_data(half, frame.view().substr(0, 400'000), false);
  client.flush();
  wait_for_at_least(server, &ServerCounters::buffered_bytes, 800'000);

  const std::vector<http2::Field> head{
      {":method", "POST"}, {":scheme", "http"}, {":path", "/test.Echo/Say"}, {":authority", "x"}};
  http2::Stream& plain_body = client.open_plain(head, false);
  Answer& plain = client.answer();
  client.session().submit_data(plain_body, std::string(300'000, ' '), true);  // the answer waits for the end of the request
  client.run_until([&] { return plain.closed; });
  EXPECT_EQ(plain.status, "503");
  for (const char* path : {"/test.Echo/Say", "/test.Echo/Join"}) {
    http2::Stream& more = client.open(path);
    Answer& answer = client.answer();
    client.session().submit_data(more, frame.view().substr(0, 300'000), false);
    client.run_until([&] { return answer.closed; });
    EXPECT_EQ(answer.field("grpc-status"), "14") << path;
    EXPECT_THAT(answer.field("grpc-message"), HasSubstr("max_buffered_bytes")) << path;
  }
  Client late(server);
  late.send("POST /test.Echo/Say HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + std::string(300'000, ' '));
  EXPECT_THAT(late.rest(), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(server.server.counters().memory_refusals, 4U);

  // Those that were there first come to their end.
  client.session().submit_data(half, frame.view().substr(400'000), true);
  client.run_until([&] { return said.closed; });
  EXPECT_EQ(said.field("grpc-status"), "0");
  http.send(std::string(49'996, ' ') + "\"hi\"" + say("Connection: close\r\n"));
  EXPECT_THAT(http.rest(), HasSubstr("you said hi"));
  wait_for(server, &ServerCounters::buffered_bytes, 0);
}

// 64 MiB of zeros in a few hundred KiB: given up at the limit, not after.
TEST(Limits, DecompressionBombs) {
  TestServer server(1, patient());
  server.start();
  std::string bomb;
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  const std::string zeros(1 << 20, '\0');
  std::string out(1 << 16, '\0');
  for (int i = 0; i < 64; ++i) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
    stream.avail_in = static_cast<uInt>(zeros.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      deflate(&stream, i == 63 ? Z_FINISH : Z_NO_FLUSH);
      bomb.append(out.data(), out.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  Buffer frame;
  grpc::append_frame(frame, bomb, true);
  Http2Client client(server);
  for (const char* path : {"/test.Echo/Say", "/test.Echo/Join"}) {
    http2::Stream& open = client.open(path, {{"grpc-encoding", "gzip"}});
    Answer& answer = client.answer();
    client.session().submit_data(open, frame.view(), true);
    client.run_until([&] { return answer.closed; });
    EXPECT_EQ(answer.field("grpc-status"), "8") << path;
    EXPECT_THAT(answer.field("grpc-message"), HasSubstr("once decompressed")) << path;
  }
  EXPECT_EQ(server.server.counters().oversized, 2U);
  EXPECT_EQ(client.call("/test.Echo/Say", "x").field("grpc-status"), "0");
}

TEST(Limits, DeepAndWideMessages) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "protobuf holds a lock for each level of nested maps, and the thread sanitizer gives up at 64";
#endif
#endif
  TestServer server(1, patient());
  server.start();
  const auto post = [&](std::string_view path, const std::string& body) {
    return http1(server, "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  EXPECT_THAT(post("/test.Echo/Any", "{\"a\":" + std::string(1 << 20, '[')), HasSubstr("nested deeper than 100 levels"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(post("/test.Echo/Any", objects), HasSubstr("nested deeper than 100 levels"));
  EXPECT_THAT(post("/test.Echo/Any", "{\"a\":1" + std::string(100'000, '0') + "}"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("/test.Echo/Any", "{\"a\":1e" + std::string(100'000, '9') + "}"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(post("/test.Echo/Say", "1" + std::string(1 << 20, '0')), StartsWith("HTTP/1.1 400"));
  std::string wide = "{";
  for (int i = 0; i < 100'000; ++i) wide += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":0";
  EXPECT_THAT(post("/test.Echo/Any", wide + "}"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(post("/test.Echo/Any", "{\"a\":1,\"a\":2}"), HasSubstr("twice"));

  // google.protobuf.Value within google.protobuf.ListValue and so on, each level a length prefix.
  std::string nested;
  for (int i = 0; i < 500; ++i) {
    for (const char tag : {'\x32', '\x0a'}) {
      std::string level(1, tag);
      for (std::size_t size = nested.size();; size >>= 7) {
        level.push_back(static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0)));
        if (size <= 0x7f) break;
      }
      nested.insert(0, level);
    }
  }
  Buffer deep;
  grpc::append_frame(deep, nested, false);
  Http2Client client(server);
  http2::Stream& open = client.open("/test.Echo/List");
  Answer& answer = client.answer();
  client.session().submit_data(open, deep.view(), true);
  client.run_until([&] { return answer.closed; });
  EXPECT_EQ(answer.field("grpc-status"), "3");
  EXPECT_THAT(answer.field("grpc-message"), HasSubstr("nested deeper than 100 messages"));
  EXPECT_EQ(client.call("/test.Echo/Say", "x").field("grpc-status"), "0");
}

}  // namespace
}  // namespace micro::rpc::test
