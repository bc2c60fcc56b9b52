#pragma once

// A server with one method of each kind over google.protobuf.StringValue, and plain blocking clients for it.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <micro/call/typed.hpp>
#include <micro/coro/event.hpp>
#include <micro/coro/run_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/grpc/compression.hpp>
#include <micro/grpc/framing.hpp>
#include <micro/http2/session.hpp>
#include <micro/middleware/deadline.hpp>
#include <micro/server/server.hpp>

namespace micro::rpc::test {

using Text = google::protobuf::StringValue;

class Echo final : public Handler {
 public:
  std::vector<Endpoint> endpoints() override {
    std::vector<Endpoint> list;
    const auto add = [&](std::string method, MethodKind kind, std::shared_ptr<CallHandler> handler,
                         const codec::MessageType& type = codec::message_type<Text>()) {
      Endpoint endpoint;
      endpoint.service = "test.Echo";
      endpoint.method = std::move(method);
      endpoint.kind = kind;
      endpoint.request_type = endpoint.reply_type = &type;
      endpoint.handler = std::move(handler);
      list.push_back(std::move(endpoint));
    };
    add("Say", MethodKind::kUnary, std::make_shared<UnaryMethod<Echo, Text, Text>>(*this, &Echo::say));
    add("Hang", MethodKind::kUnary, std::make_shared<UnaryMethod<Echo, Text, Text>>(*this, &Echo::hang));
    add("Later", MethodKind::kUnary, std::make_shared<UnaryMethod<Echo, Text, Text>>(*this, &Echo::later));
    using google::protobuf::ListValue;
    using google::protobuf::Struct;
    add("Any", MethodKind::kUnary, std::make_shared<UnaryMethod<Echo, Struct, Struct>>(*this, &Echo::same<Struct>),
        codec::message_type<Struct>());
    add("List", MethodKind::kUnary, std::make_shared<UnaryMethod<Echo, ListValue, ListValue>>(*this, &Echo::same<ListValue>),
        codec::message_type<ListValue>());
    add("Repeat", MethodKind::kServerStream, std::make_shared<ServerStreamMethod<Echo, Text, Text>>(*this, &Echo::repeat));
    add("Join", MethodKind::kClientStream, std::make_shared<ClientStreamMethod<Echo, Text, Text>>(*this, &Echo::join));
    add("Chat", MethodKind::kBidiStream, std::make_shared<BidiStreamMethod<Echo, Text, Text>>(*this, &Echo::chat));
    return list;
  }

  std::atomic<int> cancelled_handlers = 0;

 private:
  Task<Result<Text>> say(Context& context, const Text& request) {
    if (request.value() == "throw") throw std::runtime_error("secret detail");
    if (request.value() == "fail") co_return fail(Error(Code::kNotFound, "NO_TEXT", "no such text").with("key", "value"));
    context.reply_headers().add("x-echo", context.metadata().get("x-echo"));
    context.reply_trailers().add("x-trailer", "end");
    Text reply;
    reply.set_value("you said " + request.value());
    co_return reply;
  }
  Task<Result<Text>> hang(Context& context, const Text&) {
    Result<void> slept = co_await sleep(context, std::chrono::hours(1));
    ++cancelled_handlers;
    co_return std::unexpected(slept.error());
  }
  template <class Message>
  Task<Result<Message>> same(Context&, const Message& request) {
    co_return request;
  }
  // Ends in a later turn of the loop.
  Task<Result<Text>> later(Context&, const Text& request) {
    co_await Loop::current()->yield();
    co_return request;
  }
  Task<Result<void>> repeat(Context&, const Text& request, Writer<Text>& writer) {
    Text reply;
    for (int i = 0; i < 3; ++i) {
      reply.set_value(request.value() + std::to_string(i));
      Result<void> written = co_await writer.write(reply);
      if (!written) co_return written;
    }
    co_return Result<void>{};
  }
  Task<Result<Text>> join(Context&, Reader<Text>& reader) {
    Text reply;
    Text message;
    while (true) {
      Result<bool> more = co_await reader.read(message);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) break;
      reply.set_value(reply.value() + message.value());
    }
    co_return reply;
  }
  Task<Result<void>> chat(Context&, ReaderWriter<Text, Text>& stream) {
    Text message;
    while (true) {
      Result<bool> more = co_await stream.read(message);
      if (!more) co_return std::unexpected(more.error());
      if (!*more || message.value() == "bye") break;
      Result<void> written = co_await stream.write(message);
      if (!written) co_return written;
    }
    co_return Result<void>{};
  }
};

class TestServer {
 public:
  explicit TestServer(std::size_t loops = 1, ServerOptions options = default_options())
      : loops_(group(loops)), server(loops_, options) {
    server.use(deadline(Duration{}));
    EXPECT_TRUE(server.handle(echo));
  }
  static ServerOptions default_options() {
    ServerOptions options;
    options.address.host = "127.0.0.1";
    return options;
  }
  void start() {
    const Result<void> listening = server.listen();
    ASSERT_TRUE(listening) << listening.error().message();
    loops_.start();
    server.accept();
    running_ = true;
  }
  // Stops gracefully; returns the calls that did not end.
  std::size_t stop(Duration limit = std::chrono::seconds(5)) {
    std::size_t stuck = 0;
    run_on(loops_.loop(0), stop_task(server, limit, stuck));
    running_ = false;
    return stuck;
  }
  ~TestServer() {
    if (running_) stop(Duration{});
    loops_.stop();
    loops_.join();
  }
  // `from`: another address of this machine to come from; `buffer`: bytes the kernel keeps of what arrives and is not read.
  int connect(const char* from = nullptr, int buffer = 0) const {
    if (server.address().is_unix()) return connect_unix();
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (buffer > 0) EXPECT_EQ(::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), 0);
    sockaddr_in address{};
    if (from != nullptr) {
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = ::inet_addr(from);
      EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    address.sin_family = AF_INET;
    address.sin_port = htons(server.address().port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

 private:
  int connect_unix() const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    server.address().unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static LoopGroup::Options group(std::size_t size) {
    LoopGroup::Options options;
    options.size = size;
    return options;
  }
  static Task<void> stop_task(Server& server, Duration limit, std::size_t& stuck) {
    stuck = co_await server.stop(Loop::current()->now() + limit);
  }
  LoopGroup loops_;
  bool running_ = false;

 public:
  std::shared_ptr<Echo> echo = std::make_shared<Echo>();
  Server server;
};

inline void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

inline std::string receive_until_close(int fd) {
  std::string all;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0) all.append(buffer.data(), static_cast<std::size_t>(got));
  return all;
}

// Sends a request that asks for the connection to be closed, and gives everything that came back.
inline std::string http1(const TestServer& server, std::string_view request) {
  const int fd = server.connect();
  send_all(fd, request);
  std::string answer = receive_until_close(fd);
  ::close(fd);
  return answer;
}

// What came back on one stream.
struct Answer {
  std::string status;
  std::multimap<std::string, std::string> fields;  // headers and trailers
  std::vector<std::string> messages;
  std::vector<bool> compressed;  // of each message
  std::string data;
  bool closed = false;
  bool reset = false;
  http2::ErrorCode reset_code{};
  std::string field(const std::string& name) const {
    const auto it = fields.find(name);
    return it == fields.end() ? std::string() : it->second;
  }
};

// A blocking HTTP/2 client.
class Http2Client final : private http2::Events {
 public:
  explicit Http2Client(const TestServer& server, const http2::Options& options = {})
      : fd_(server.connect()), session_(http2::Role::kClient, options, *this) {}
  ~Http2Client() override {
    session_.abort(http2::ErrorCode::kCancel);
    ::close(fd_);
  }

  http2::Stream& open(std::string_view path, std::vector<http2::Field> extra = {}, bool end = false) {
    std::vector<http2::Field> fields{{":method", "POST"},    {":scheme", "http"}, {":path", path},
                                     {":authority", "test"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
    fields.insert(fields.end(), extra.begin(), extra.end());
    return open_plain(fields, end);
  }
  http2::Stream& open_plain(const std::vector<http2::Field>& fields, bool end) {
    http2::Stream* stream = session_.open(fields, end);
    if (stream == nullptr) throw std::runtime_error("cannot open a stream");
    auto answer = std::make_unique<Answer>();
    stream->user = answer.get();
    last_ = answer.get();
    answers_.push_back(std::move(answer));
    return *stream;
  }
  Answer& answer() { return *last_; }
  void message(http2::Stream& stream, std::string_view text, bool end) {
    Text value;
    value.set_value(std::string(text));
    Buffer frame;
    grpc::append_frame(frame, value.SerializeAsString(), false);
    session_.submit_data(stream, frame.view(), end);
  }
  http2::Session& session() { return session_; }
  // From now on the windows of streams stay used up.
  void withhold_credit() { credits_ = false; }
  void flush() {
    send_all(fd_, session_.output().flatten());
    session_.output().clear();
  }
  // Reads until `done` is true or the connection ends.
  template <class F>
  void run_until(F done) {
    flush();
    std::array<char, 4096> buffer;
    while (!done()) {
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      ASSERT_TRUE(session_.feed({buffer.data(), static_cast<std::size_t>(got)}, TimePoint{}));
      flush();
    }
  }
  // A whole unary call.
  Answer& call(std::string_view path, std::string_view text, std::vector<http2::Field> extra = {}) {
    http2::Stream& stream = open(path, std::move(extra));
    Answer& result = answer();
    message(stream, text, true);
    run_until([&] { return result.closed; });
    return result;
  }

 private:
  static Answer& of(http2::Stream& stream) { return *static_cast<Answer*>(stream.user); }
  void on_headers(http2::Stream& stream, const http2::HeaderBlock& block, bool) override {
    of(stream).status = block.status;
    take(stream, block);
  }
  void on_trailers(http2::Stream& stream, const http2::HeaderBlock& block) override { take(stream, block); }
  void on_data(http2::Stream& stream, std::string_view data, bool) override {
    Answer& answer = of(stream);
    answer.data += data;
    while (answer.data.size() >= 5 && answer.fields.contains("content-type") &&
           answer.field("content-type").starts_with("application/grpc") &&
           !answer.field("content-type").starts_with("application/grpc-web")) {
      const std::size_t size = load_be32(answer.data.data() + 1);
      if (answer.data.size() < 5 + size) break;
      answer.compressed.push_back(answer.data[0] != 0);
      Buffer plain;
      const auto encoding = answer.compressed.back() ? grpc::parse_encoding(answer.field("grpc-encoding")) : grpc::Compression();
      ASSERT_TRUE(encoding);
      ASSERT_TRUE(grpc::decompress(*encoding, std::string_view(answer.data).substr(5, size), 64 << 20, plain));
      Text value;
      ASSERT_TRUE(value.ParseFromArray(plain.view().data(), static_cast<int>(plain.size())));
      answer.messages.push_back(value.value());
      answer.data.erase(0, 5 + size);
    }
    if (credits_) session_.consumed(stream, data.size());
  }
  void on_reset(http2::Stream& stream, http2::ErrorCode code, bool) override {
    of(stream).reset = true;
    of(stream).reset_code = code;
  }
  void on_close(http2::Stream& stream) override { of(stream).closed = true; }
  static void take(http2::Stream& stream, const http2::HeaderBlock& block) {
    for (const http2::Field& field : block.fields) of(stream).fields.emplace(field.name, field.value);
  }

  int fd_;
  http2::Session session_;
  std::deque<std::unique_ptr<Answer>> answers_;
  Answer* last_ = nullptr;
  bool credits_ = true;
};

}  // namespace micro::rpc::test
