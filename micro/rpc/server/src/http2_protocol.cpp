#include "http2_protocol.hpp"

#include <algorithm>

#include <micro/codec/table.hpp>
#include <micro/grpc/request.hpp>
#include <micro/grpc/status.hpp>

#include "connection.hpp"
#include "grpc_call.hpp"
#include "http2_exchange.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// Output that waits for the socket: beyond this much, writers of streams pause.
constexpr std::size_t kMaxOutput = 1 << 20;

// Beyond this much, nothing is read either: who does not fetch answers gets no more of them. Input is taken in pieces so that one
// read cannot bring much more.
constexpr std::size_t kMaxUnsent = 4 << 20;
constexpr std::size_t kPiece = 16 * 1024;

// Marks the PINGs that ask for a sign of life.
constexpr std::uint64_t kKeepalivePing = 0x6d6963726f6b6170;

// What Stream::user points at: one of the two kinds of calls, told apart by the lowest bit of the address.
constexpr std::uintptr_t kPlainHttp = 1;

GrpcCall* grpc_call(http2::Stream& stream) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(stream.user);
  return (address & kPlainHttp) != 0 ? nullptr : reinterpret_cast<GrpcCall*>(address);
}

Http2Exchange* exchange(http2::Stream& stream) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(stream.user);
  return (address & kPlainHttp) == 0 ? nullptr : reinterpret_cast<Http2Exchange*>(address - kPlainHttp);
}

}  // namespace

Http2Protocol::Http2Protocol(Connection& connection)
    : connection_(connection),
      worker_(connection.worker()),
      session_(http2::Role::kServer, worker_.state().http2_options, *this) {}

Http2Protocol::~Http2Protocol() {
  session_.abort(http2::ErrorCode::kCancel);
  count();
}

void Http2Protocol::count() noexcept {
  const http2::Counters& counters = session_.counters();
  const Counted now{counters.streams_refused, counters.streams_overfull, counters.headers_too_large,
                    counters.streams_refused_backlog, counters.flood};
  worker_.counters().refused_streams.add(now.refused - counted_.refused);
  worker_.counters().dropped_answers.add(now.overfull - counted_.overfull);
  worker_.counters().oversized.add(now.too_large - counted_.too_large);
  worker_.counters().queued_data_refusals.add(now.backlog - counted_.backlog);
  if (now.flood != counted_.flood) worker_.counters().flood(now.flood).add();
  counted_ = now;
}

Result<void> Http2Protocol::upgrade(std::string_view settings, std::span<const http2::Field> head, std::string_view body) {
  return session_.upgrade(settings, head, body);
}

void Http2Protocol::refuse(const Error& error) {
  session_.goaway(http2::ErrorCode::kInadequateSecurity, error.message());
  failed_ = true;
}

Result<void> Http2Protocol::receive(std::string_view bytes) {
  if (failed_) return {};
  while (!bytes.empty() && held_.empty() && session_.output().size() <= kMaxUnsent) {
    const std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    if (Result<void> fed = session_.feed(piece, worker_.loop().now()); !fed) {
      failed_ = true;
      count();
      return fed;
    }
  }
  held_.append(bytes);
  return {};
}

// Clients of HTTP/2 do not half-close: who ends its side is gone, and its handlers are cancelled.
void Http2Protocol::receive_end() {
  peer_ended_ = true;
  session_.abort(http2::ErrorCode::kCancel);
}

void Http2Protocol::abort(const Error&) { session_.abort(http2::ErrorCode::kCancel); }

void Http2Protocol::drain() { session_.goaway(http2::ErrorCode::kNoError); }

bool Http2Protocol::finished() const noexcept {
  return failed_ || ((peer_ended_ || session_.goaway_finished()) && session_.active_streams() == 0);
}

void Http2Protocol::output_added() noexcept { connection_.output_added(); }

bool Http2Protocol::congested() noexcept { return session_.output().size() > kMaxOutput; }

void Http2Protocol::output_flushed() {
  if (!held_.empty()) {
    const Buffer held = std::move(held_);
    held_ = Buffer();
    if (const Result<void> received = receive(held.view()); !received) connection_.count_failure(received.error());
    connection_.resume_reading();
    output_added();
  }
  if (waiting_for_flush_.empty()) return;
  const std::vector<FlushWaiter*> waiting = std::move(waiting_for_flush_);
  waiting_for_flush_.clear();
  for (FlushWaiter* waiter : waiting) waiter->flushed();
}

void Http2Protocol::sample(ConnectionSample& sample) const noexcept {
  // What each call waits for is looked at in look_at_calls().
  sample.phase = !session_.ready() ? Phase::kHead : session_.active_streams() > 0 ? Phase::kBusy : Phase::kIdle;
  sample.requests = session_.counters().streams_opened;
  sample.can_ping = true;
}

void Http2Protocol::look_at_calls(TimePoint now) {
  count();
  struct Look {
    TimePoint now;
    static void at(http2::Stream& stream, void* argument) {
      const TimePoint moment = static_cast<Look*>(argument)->now;
      if (GrpcCall* call = grpc_call(stream)) {
        call->look(moment);
      } else if (Http2Exchange* plain = exchange(stream)) {
        plain->look(moment);
      }
    }
  } look{now};
  if (session_.active_streams() > 0) session_.for_each_stream(&Look::at, &look);
}

// The client's SETTINGS did not come.
void Http2Protocol::time_out(const Error& reason) {
  session_.goaway(http2::ErrorCode::kSettingsTimeout, reason.message());
  session_.abort(http2::ErrorCode::kSettingsTimeout);
  failed_ = true;
}

void Http2Protocol::ping() { session_.ping(kKeepalivePing); }

void Http2Protocol::forget(FlushWaiter& waiter) noexcept { std::erase(waiting_for_flush_, &waiter); }

void Http2Protocol::on_headers(http2::Stream& stream, const http2::HeaderBlock& block, bool end_stream) {
  if (abandoned_.size() >= worker_.state().options.max_concurrent_streams) {
    worker_.counters().refused_streams.add();
    session_.reset(stream, http2::ErrorCode::kRefusedStream);
    output_added();
    return;
  }
  const std::optional<std::string_view> format = grpc::parse_content_type(block.find("content-type"));
  if (format && block.method == "POST") {
    begin_grpc(stream, block, *format, end_stream);
    return;
  }
  auto* const plain = new Http2Exchange(*this, stream);  // deletes itself with the stream
  stream.user = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(plain) | kPlainHttp);
  plain->begin(block, end_stream);
}

void Http2Protocol::begin_grpc(http2::Stream& stream, const http2::HeaderBlock& block, std::string_view format, bool end_stream) {
  const ServerState& state = worker_.state();
  const Endpoint* endpoint = state.endpoints.find(block.path, last_called_);
  if (endpoint == nullptr) endpoint = state.endpoints.find_any_package(block.path);
  if (endpoint == nullptr) {
    reject(stream, state.endpoints.unknown(block.path));
    return;
  }
  // go-micro's plugins call it bytes when they have the message encoded already.
  const codec::Codec* codec = format == "proto" || format == "bytes" ? state.proto : state.codecs.find(format);
  if (codec == nullptr) {
    reject(stream,
           unimplemented("content type application/grpc+" + std::string(format) + " is not known here; use application/grpc"));
    return;
  }
  std::unique_ptr<GrpcCall> call = worker_.take_grpc_call();
  if (!call->begin(*this, stream, block, *endpoint, *codec)) {
    worker_.give_back(std::move(call));
    return;
  }
  stream.user = call.release();  // comes back through GrpcCall::release()
  if (end_stream) grpc_call(stream)->receive({}, true);
}

// Answers a call that never begins: the status in the only header section ("Trailers-Only" in gRPC's terms).
void Http2Protocol::reject(http2::Stream& stream, const Error& error, bool unknown_encoding) {
  grpc::FieldList status;
  grpc::append_status(error, status);
  std::vector<http2::Field> fields{{":status", "200"}, {"content-type", grpc::kContentType}};
  if (unknown_encoding) fields.push_back({"grpc-accept-encoding", grpc::kAcceptEncoding});
  for (const grpc::Field field : status) fields.push_back({field.name, field.value});
  const bool remote_closed = stream.remote_closed();
  session_.submit_headers(stream, fields, true);
  // The request's body is of no interest (RFC 9113, section 8.1). The stream still exists, because the peer has not ended it.
  if (!remote_closed) session_.reset(stream, http2::ErrorCode::kNoError);
  output_added();
}

void Http2Protocol::on_data(http2::Stream& stream, std::string_view data, bool end_stream) {
  if (GrpcCall* call = grpc_call(stream)) {
    call->receive(data, end_stream);
  } else if (Http2Exchange* plain = exchange(stream)) {
    plain->receive(data, end_stream);
  }
}

void Http2Protocol::on_trailers(http2::Stream& stream, const http2::HeaderBlock&) {
  if (GrpcCall* call = grpc_call(stream)) {
    call->receive({}, true);
  } else if (Http2Exchange* plain = exchange(stream)) {
    plain->receive({}, true);
  }
}

void Http2Protocol::on_reset(http2::Stream& stream, http2::ErrorCode code, bool by_peer) {
  const Error reason = by_peer ? cancelled("the caller cancelled the call")
                               : cancelled("the connection failed: " + std::string(http2::to_string(code)));
  if (GrpcCall* call = grpc_call(stream)) {
    call->detach(reason);
  } else if (Http2Exchange* plain = exchange(stream)) {
    plain->detach(reason);
  }
  stream.user = nullptr;
}

void Http2Protocol::on_drained(http2::Stream& stream) {
  if (GrpcCall* call = grpc_call(stream)) {
    call->writable();
  } else if (Http2Exchange* plain = exchange(stream)) {
    plain->drained();
  }
}

void Http2Protocol::on_close(http2::Stream& stream) {
  const Error& reason = []() -> const Error& {
    static const Error closed = cancelled("the caller closed the stream");
    return closed;
  }();
  if (GrpcCall* call = grpc_call(stream)) {
    call->detach(reason);
  } else if (Http2Exchange* plain = exchange(stream)) {
    plain->detach(reason);
  }
  stream.user = nullptr;
}

}  // namespace micro::rpc
