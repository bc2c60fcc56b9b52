#include "http2_exchange.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include <micro/grpc/fields.hpp>
#include <micro/http/error.hpp>
#include <micro/http/field.hpp>
#include <micro/http/status.hpp>

#include "connection.hpp"
#include "http2_protocol.hpp"
#include "http_dispatch.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// Of a body nobody wants, at most this many times the limit for messages is read before the stream is reset.
constexpr std::size_t kDiscardFactor = 4;

// A carrier pauses when this much of its stream waits for the peer's window.
constexpr std::size_t kMaxQueued = 64 * 1024;

std::optional<std::uint64_t> declared_length(const http2::HeaderBlock& block) {
  const std::string_view text = block.find("content-length");
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

// What belongs to a connection of HTTP/1.1 or is added here.
bool travels(std::string_view name) {
  for (const std::string_view own : {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"}) {
    if (equals_ignore_case(name, own)) return false;
  }
  return http::is_token(name);
}

void append_fields(const Metadata& headers, grpc::FieldList& out) {
  for (const Metadata::Entry entry : headers) {
    if (travels(entry.key) && http::is_field_value(entry.value)) out.add(entry.key, entry.value);
  }
}

}  // namespace

void Http2Exchange::begin(const http2::HeaderBlock& block, bool end_stream) {
  http::Request& request = protocol_.worker().request();
  request.method = http::method_from_string(block.method);
  if (request.method == http::Method::kOther) request.other_method = block.method;
  request.target = block.path;
  const std::size_t question = block.path.find('?');
  request.path = block.path.substr(0, question);
  request.query = question == std::string_view::npos ? std::string_view() : block.path.substr(question + 1);
  request.headers.clear();
  for (const http2::Field& field : block.fields) request.headers.add(field.name, field.value);
  if (!block.authority.empty() && !request.headers.contains("host")) request.headers.add("host", block.authority);
  head_only_ = request.method == http::Method::kHead;
  connect_ = request.method == http::Method::kConnect;
  HttpHead head{.request = request,
                .content_length = declared_length(block),
                .websocket = connect_ && block.protocol == "websocket",
                .ended = end_stream};
  dispatch(protocol_.worker(), *this, head);
}

void Http2Exchange::receive(std::string_view data, bool end_stream) {
  received_ += data.size();
  unconsumed_ += data.size();
  if (carrier_ == nullptr) return discard(end_stream);
  carrier_->receive(data, end_stream);
}

void Http2Exchange::answer(int status, const Metadata& headers, std::string_view body) {
  carrier_ = nullptr;
  if (stream_.remote_closed() || connect_) return send_whole(status, headers, body);
  waiting_ = std::make_unique<http::Response>();
  waiting_->status = status;
  waiting_->headers = headers;
  waiting_->body = body;
  discard(false);
}

// Answering at once means resetting a stream the client still sends on, and some clients (curl 7.88) then lose the answer. So the
// rest is read and dropped, within reason.
void Http2Exchange::discard(bool end_stream) {
  if (unconsumed_ > 0) consumed(unconsumed_);
  if (waiting_ == nullptr) return;
  const std::size_t limit = protocol_.worker().state().options.max_receive_message_size;
  if (!end_stream && received_ <= kDiscardFactor * limit) return;
  const std::unique_ptr<http::Response> response = std::move(waiting_);
  send_whole(response->status, response->headers, response->body);
}

// Sending the end may close the stream and delete this object; so may everything that does.
void Http2Exchange::send_whole(int status, const Metadata& headers, std::string_view body) {
  Http2Protocol& protocol = protocol_;
  const bool has_body = !head_only_ && !body.empty();
  const bool remote_closed = stream_.remote_closed();
  const std::string length = std::to_string(body.size());
  send_head(status, headers, &length, !has_body && remote_closed);
  if (has_body || !remote_closed) protocol.session().submit_data(stream_, has_body ? body : std::string_view(), true);
  if (!remote_closed) stop_caller();
  protocol.output_added();
}

void Http2Exchange::send_head(int status, const Metadata& headers, const std::string* length, bool end) {
  std::array<char, 8> text;
  const auto text_end = std::to_chars(text.data(), text.data() + text.size(), status).ptr;
  grpc::FieldList list;
  Metadata scratch;
  append_fields(complete(headers, scratch), list);
  std::vector<http2::Field> fields;
  fields.reserve(list.size() + 3);
  fields.push_back({":status", {text.data(), static_cast<std::size_t>(text_end - text.data())}});
  if (length != nullptr) fields.push_back({"content-length", *length});
  fields.push_back({"date", protocol_.worker().date()});
  for (const grpc::Field field : list) fields.push_back({field.name, field.value});
  protocol_.session().submit_headers(stream_, fields, end);
}

Result<void> Http2Exchange::begin_reply(int status, const Metadata& headers) {
  replying_ = true;
  send_head(status, headers, nullptr, false);
  protocol_.output_added();
  return {};
}

void Http2Exchange::send(std::string_view bytes) {
  if (head_only_) return;
  protocol_.session().submit_data(stream_, bytes, false);
  protocol_.output_added();
}

void Http2Exchange::end_reply(const Metadata& trailers) {
  carrier_ = nullptr;
  Http2Protocol& protocol = protocol_;
  const bool remote_closed = stream_.remote_closed();
  grpc::FieldList list;
  append_fields(trailers, list);
  if (list.empty()) {
    protocol.session().submit_data(stream_, std::string_view(), true);
  } else {
    std::vector<http2::Field> fields;
    for (const grpc::Field field : list) fields.push_back({field.name, field.value});
    protocol.session().submit_headers(stream_, fields, true);
  }
  if (!remote_closed) stop_caller();
  protocol.output_added();
}

// The reply is complete and the caller still sends: it may stop (RFC 9113, section 8.1). Not before the reply has left the queue,
// because a reset would drop it.
void Http2Exchange::stop_caller() {
  if (stream_.queued() == 0) protocol_.session().reset(stream_, http2::ErrorCode::kNoError);
}

Result<void> Http2Exchange::switch_protocols(std::string_view, const Metadata& headers) { return begin_reply(200, headers); }

void Http2Exchange::reset() {
  carrier_ = nullptr;
  Http2Protocol& protocol = protocol_;
  protocol.session().reset(stream_, http2::ErrorCode::kInternalError);
  protocol.output_added();
}

void Http2Exchange::consumed(std::size_t bytes) {
  unconsumed_ -= bytes;
  protocol_.session().consumed(stream_, bytes);
  protocol_.output_added();
}

bool Http2Exchange::congested() const noexcept { return stream_.queued() > kMaxQueued || protocol_.congested(); }

void Http2Exchange::wake_when_writable() {
  wants_writable_ = true;
  if (protocol_.congested()) protocol_.wake_when_flushed(*this);
}

void Http2Exchange::flushed() {
  if (std::exchange(wants_writable_, false) && carrier_ != nullptr) carrier_->writable();
}

void Http2Exchange::drained() {
  if (stream_.local_closed()) {
    if (!stream_.remote_closed()) stop_caller();
    return;
  }
  flushed();
}

const std::string& Http2Exchange::peer() const noexcept { return protocol_.connection().peer(); }
const std::shared_ptr<const PeerIdentity>& Http2Exchange::identity() const noexcept { return protocol_.connection().identity(); }

void Http2Exchange::look(TimePoint now) {
  Worker& worker = protocol_.worker();
  const ServerOptions& limits = worker.state().options;
  if (stream_.local_closed()) {
    if (stream_.queued() == 0 || limits.write_timeout <= Duration{}) return pace_.restart();
    const std::uint64_t taken = std::numeric_limits<std::uint64_t>::max() - stream_.queued();
    if (pace_.keeps_up(taken, now, limits.write_timeout, limits.min_transfer_rate)) return;
    worker.counters().write_timeouts.add();
    Http2Protocol& protocol = protocol_;
    protocol.session().reset(stream_, http2::ErrorCode::kCancel);  // deletes this
    return protocol.output_added();
  }
  // Who is being answered already may send as slowly as the answer comes; what is not consumed is not the peer's fault.
  const bool waits_for_peer = !stream_.remote_closed() && !connect_ && !replying_ && unconsumed_ == 0;
  if (!waits_for_peer || limits.body_timeout <= Duration{}) return pace_.restart();
  if (pace_.keeps_up(received_, now, limits.body_timeout, limits.min_transfer_rate)) return;
  worker.counters().body_timeouts.add();
  if (waiting_ == nullptr) {
    const Error late =
        http::error_with_status(http::status::kRequestTimeout, "HTTP_BODY_TIMEOUT",
                                "the body of the request arrives too slowly (options body_timeout, min_transfer_rate)");
    if (carrier_ != nullptr) std::exchange(carrier_, nullptr)->detach(late);
    waiting_ = std::make_unique<http::Response>(http::Response::from_error(late));
  }
  const std::unique_ptr<http::Response> response = std::move(waiting_);
  send_whole(response->status, response->headers, response->body);
}
Abandoned::Ticket Http2Exchange::abandon() { return protocol_.abandoned().add(); }

void Http2Exchange::detach(const Error& reason) {
  if (carrier_ != nullptr) std::exchange(carrier_, nullptr)->detach(reason);
  protocol_.forget(*this);
  delete this;
}

}  // namespace micro::rpc
