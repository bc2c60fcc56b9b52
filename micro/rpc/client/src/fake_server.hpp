#pragma once

// A gRPC server for the tests of the client that does what it is told: an HTTP/2 session over a real socket on the loop of the
// test.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <micro/coro/event.hpp>
#include <micro/coro/gate.hpp>
#include <micro/grpc/fields.hpp>
#include <micro/grpc/framing.hpp>
#include <micro/grpc/status.hpp>
#include <micro/http2/session.hpp>
#include <micro/net/listener.hpp>
#include <micro/tls/stream.hpp>

namespace micro::client::testing {

class FakeConnection;

// One request as the server sees it. Stays readable after its stream is gone; then what it sends goes nowhere.
struct FakeCall {
  FakeConnection* connection = nullptr;
  http2::Stream* stream = nullptr;
  std::string path;
  std::string authority;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  // with the prefixes of the messages
  std::size_t received = 0;
  bool request_ended = false;
  bool was_reset = false;
  http2::ErrorCode reset_code = http2::ErrorCode::kNoError;

  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return {};
  }
  std::vector<std::string> messages() const {
    grpc::MessageReader reader({.max_message_size = std::size_t{1} << 30, .encoding = grpc::Compression::kGzip});
    reader.feed(body);
    std::vector<std::string> all;
    while (true) {
      const auto next = reader.next();
      if (!next || !*next) return all;
      all.emplace_back((*next)->payload);
    }
  }
  inline void headers(std::vector<http2::Field> more = {}, bool end_stream = false);
  inline void raw_headers(std::vector<http2::Field> all, bool end_stream);
  inline void message(std::string_view payload, bool compressed = false);
  inline void raw_data(std::string_view bytes, bool end_stream);
  inline void trailers(std::vector<http2::Field> all);
  inline void reset(http2::ErrorCode code);
  void ok() { trailers({{"grpc-status", "0"}}); }
  void reply(std::string_view payload) {
    headers();
    message(payload);
    ok();
  }
  void error(const Error& failure) {
    grpc::FieldList list;
    grpc::append_status(failure, list);
    std::vector<http2::Field> fields_to_send;
    for (const grpc::Field f : list) fields_to_send.push_back({f.name, f.value});
    headers(fields_to_send, true);
  }
};
using FakeCallPtr = std::shared_ptr<FakeCall>;

class FakeServer {
 public:
  struct Options {
    http2::Options http2;
    // Where to listen; "127.0.0.1:0" by default.
    std::string address = "127.0.0.1:0";
    // Sent in place of HTTP/2, when not empty; then nothing is answered.
    std::string banner;
    // Accepts connections and says nothing.
    bool silent = false;
    // Whether received bytes are given back to the windows.
    bool consume = true;
    // Said with a GOAWAY of INADEQUATE_SECURITY at once, when not empty.
    std::string refusal;
    // Set: speaks TLS.
    std::shared_ptr<tls::ServerCredentials> tls;
  };
  using Handler = std::function<void(const FakeCallPtr&)>;

  // `on_request` is called when a request is complete.
  FakeServer(Loop& loop, Handler on_request) : FakeServer(loop, std::move(on_request), Options()) {}
  inline FakeServer(Loop& loop, Handler on_request, Options options);

  const std::string& address() const { return address_; }
  // Closes everything and waits.
  inline Task<void> stop();
  inline void close_connections();
  void goaway() {
    for_each([](http2::Session& session) { session.goaway(http2::ErrorCode::kNoError); });
  }
  inline void for_each(const std::function<void(http2::Session&)>& action);

  Options options;
  Handler on_request;
  Handler on_open;  // headers have come
  Handler on_data;  // more of the body
  Handler on_reset;
  std::vector<FakeCallPtr> calls;
  int accepted = 0;
  std::vector<std::shared_ptr<const PeerIdentity>> identities;  // of those that came by TLS
  std::size_t open() const { return connections_.size(); }

 private:
  friend class FakeConnection;
  inline Detached accept(Gate::Holder holder);
  std::unique_ptr<net::Listener> listener_;
  std::string address_;
  std::vector<FakeConnection*> connections_;
  Gate gate_;
};

class FakeConnection final : public http2::Events {
 public:
  FakeConnection(FakeServer& server, std::unique_ptr<net::Stream> socket)
      : server_(server),
        socket_(std::move(socket)),
        session_(http2::Role::kServer, server.options.http2, *this),
        flush_([](void* self) { static_cast<FakeConnection*>(self)->flush(); }, this) {
    server_.connections_.push_back(this);
    if (!server.options.refusal.empty()) session_.goaway(http2::ErrorCode::kInadequateSecurity, server.options.refusal);
  }
  ~FakeConnection() override { std::erase(server_.connections_, this); }

  http2::Session& session() { return session_; }
  void changed() { socket_->loop().defer(flush_); }
  void close() { socket_->close(); }

  static Detached serve(std::unique_ptr<FakeConnection> self, Gate::Holder) {
    if (auto* secured = dynamic_cast<tls::Stream*>(self->socket_.get())) {
      const Result<void> done = co_await secured->handshake();
      if (!done) {
        co_await secured->linger();
        self->socket_->close();
        co_return;
      }
      self->server_.identities.push_back(secured->identity());
    }
    if (!self->server_.options.banner.empty()) {
      const std::string_view banner = self->server_.options.banner;
      (void)self->socket_->try_write({&banner, 1});
    }
    const bool deaf = !self->server_.options.banner.empty() || self->server_.options.silent;
    char buffer[16384];
    while (true) {
      const Result<std::size_t> count = co_await self->socket_->read_some(buffer);
      if (!count || *count == 0) break;
      if (deaf) continue;
      const bool fine = self->session_.feed({buffer, *count}, self->socket_->loop().now()).has_value();
      self->flush();
      if (!fine || !self->socket_->is_open()) break;
    }
    self->session_.abort(http2::ErrorCode::kCancel);
    self->socket_->close();
    while (self->writing_) co_await self->written_.wait();
  }

 private:
  void flush() {
    Chain& out = session_.output();
    while (!writing_ && !out.empty() && socket_->is_open()) {
      const std::string_view first = out.front();
      const Result<std::size_t> taken = socket_->try_write({&first, 1});
      if (!taken) return socket_->close();
      if (*taken == 0) {
        writing_ = true;
        written_.reset();
        write_rest();
        return;
      }
      out.consume(*taken);
    }
  }
  Detached write_rest() {
    (void)co_await socket_->wait_writable();
    writing_ = false;
    written_.set();
    flush();
  }
  static FakeCallPtr call_of(http2::Stream& stream) { return *static_cast<FakeCallPtr*>(stream.user); }
  static void tell(const FakeServer::Handler& handler, const FakeCallPtr& call) {
    if (handler) handler(call);
  }
  void ended(const FakeCallPtr& call) {
    call->request_ended = true;
    tell(server_.on_request, call);
  }

  void on_headers(http2::Stream& stream, const http2::HeaderBlock& block, bool end_stream) override {
    auto call = std::make_shared<FakeCall>();
    call->connection = this;
    call->stream = &stream;
    call->path = block.path;
    call->authority = block.authority;
    for (const http2::Field& field : block.fields) call->fields.emplace_back(field.name, field.value);
    stream.user = new FakeCallPtr(call);
    server_.calls.push_back(call);
    tell(server_.on_open, call);
    if (end_stream) ended(call);
  }
  void on_data(http2::Stream& stream, std::string_view data, bool end_stream) override {
    const FakeCallPtr call = call_of(stream);
    call->received += data.size();
    call->body.append(data);
    if (server_.options.consume) session_.consumed(stream, data.size());
    tell(server_.on_data, call);
    if (end_stream) ended(call);
  }
  void on_trailers(http2::Stream& stream, const http2::HeaderBlock&) override { ended(call_of(stream)); }
  void on_reset(http2::Stream& stream, http2::ErrorCode code, bool) override {
    const FakeCallPtr call = call_of(stream);
    call->was_reset = true;
    call->reset_code = code;
    tell(server_.on_reset, call);
  }
  void on_close(http2::Stream& stream) override {
    const std::unique_ptr<FakeCallPtr> call(static_cast<FakeCallPtr*>(stream.user));
    (*call)->stream = nullptr;
    (*call)->connection = nullptr;
  }

  FakeServer& server_;
  std::unique_ptr<net::Stream> socket_;
  http2::Session session_;
  Deferred flush_;
  Event written_;
  bool writing_ = false;
};

void FakeCall::raw_headers(std::vector<http2::Field> all, bool end_stream) {
  if (stream == nullptr) return;
  FakeConnection& on = *connection;
  on.session().submit_headers(*stream, all, end_stream);
  on.changed();
}
void FakeCall::headers(std::vector<http2::Field> more, bool end_stream) {
  std::vector<http2::Field> all{{":status", "200"}, {"content-type", "application/grpc"}};
  all.insert(all.end(), more.begin(), more.end());
  raw_headers(std::move(all), end_stream);
}
void FakeCall::message(std::string_view payload, bool compressed) {
  Buffer framed;
  grpc::append_frame(framed, payload, compressed);
  raw_data(framed.view(), false);
}
void FakeCall::raw_data(std::string_view bytes, bool end_stream) {
  if (stream == nullptr) return;
  FakeConnection& on = *connection;
  on.session().submit_data(*stream, bytes, end_stream);
  on.changed();
}
void FakeCall::trailers(std::vector<http2::Field> all) { raw_headers(std::move(all), true); }
void FakeCall::reset(http2::ErrorCode code) {
  if (stream == nullptr) return;
  FakeConnection& on = *connection;
  on.session().reset(*stream, code);
  on.changed();
}

FakeServer::FakeServer(Loop& loop, Handler handler, Options o) : options(std::move(o)), on_request(std::move(handler)) {
  auto listening = net::Listener::listen(loop, Address::parse(options.address).value(), {});
  listener_ = std::move(listening).value();
  address_ = listener_->address().to_string();
  accept(gate_.enter());
}

Detached FakeServer::accept(Gate::Holder) {
  while (true) {
    auto socket = co_await listener_->accept();
    if (!socket) co_return;
    ++accepted;
    if (options.tls) *socket = tls::Stream::server(std::move(*socket), *options.tls);
    auto connection = std::make_unique<FakeConnection>(*this, std::move(*socket));
    FakeConnection::serve(std::move(connection), gate_.enter());
  }
}

void FakeServer::close_connections() {
  for (FakeConnection* connection : connections_) connection->close();
}

void FakeServer::for_each(const std::function<void(http2::Session&)>& action) {
  for (FakeConnection* connection : connections_) {
    action(connection->session());
    connection->changed();
  }
}

Task<void> FakeServer::stop() {
  listener_->close();
  close_connections();
  on_request = on_open = on_data = on_reset = nullptr;
  co_await gate_.close();
}

}  // namespace micro::client::testing
