#include "http2_http_call.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include <micro/http/error.hpp>
#include <micro/http/status.hpp>

#include "connection.hpp"
#include "http2_protocol.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// Of a body beyond the limit, at most this many times the limit is read before the stream is reset.
constexpr std::size_t kDiscardFactor = 4;

}  // namespace

Http2HttpCall::Http2HttpCall(Http2Protocol& protocol, http2::Stream& stream)
    : protocol_(protocol),
      stream_(&stream),
      call_(new HttpCall(protocol.worker(), *this, protocol.connection().peer())),
      unfinished_(protocol.worker().unfinished()) {}

void Http2HttpCall::begin(const http2::HeaderBlock& block, bool end_stream) {
  http::Request& request = call_->request();
  request.method = http::method_from_string(block.method);
  request.target = block.path;
  const std::size_t question = block.path.find('?');
  request.path = block.path.substr(0, question);
  if (question != std::string_view::npos) request.query = block.path.substr(question + 1);
  for (const http2::Field& field : block.fields) request.headers.add(field.name, field.value);
  if (!block.authority.empty() && !request.headers.contains("host")) request.headers.add("host", block.authority);
  head_only_ = request.method == http::Method::kHead;
  if (end_stream) call_->start();
}

void Http2HttpCall::receive(std::string_view data, bool end_stream) {
  if (call_ == nullptr) return;  // answered already
  if (!data.empty()) protocol_.session().consumed(*stream_, data.size());
  std::string& body = call_->request().body;
  const std::size_t limit = protocol_.worker().state().options.max_receive_message_size;
  received_ += data.size();
  if (received_ > limit) {
    body = {};
    (void)unfinished_.set(0);
    // Answering at once means resetting a stream the client still sends on, and some clients (curl 7.88) then lose the answer. So the
    // rest is read and dropped, within reason.
    if (!end_stream && received_ <= kDiscardFactor * limit) return;
    protocol_.worker().counters().oversized.add();
    refuse(http::error_with_status(http::status::kContentTooLarge, "HTTP_BODY_SIZE",
                                   "the request body is larger than the limit of " + std::to_string(limit) + " bytes"));
    return;
  }
  body += data;
  if (end_stream) {
    (void)unfinished_.set(0);
    call_->start();
  } else if (!unfinished_.set(body.size())) {
    refuse(protocol_.worker().no_room());
  }
}

void Http2HttpCall::refuse(const Error& error) {
  (void)unfinished_.set(0);
  http::Response response = http::Response::from_error(error);
  HttpCall* call = call_;
  answer(response);
  call->detach(cancelled("refused"));
}

void Http2HttpCall::look(TimePoint now) {
  Worker& worker = protocol_.worker();
  const ServerOptions& limits = worker.state().options;
  if (call_ == nullptr) {
    if (stream_->queued() == 0 || limits.write_timeout <= Duration{}) return pace_.restart();
    const std::uint64_t taken = std::numeric_limits<std::uint64_t>::max() - stream_->queued();
    if (pace_.keeps_up(taken, now, limits.write_timeout, limits.min_transfer_rate)) return;
    worker.counters().write_timeouts.add();
    Http2Protocol& protocol = protocol_;
    protocol.session().reset(*stream_, http2::ErrorCode::kCancel);  // deletes this
    return protocol.output_added();
  }
  if (stream_->remote_closed() || limits.body_timeout <= Duration{}) return;
  if (pace_.keeps_up(received_, now, limits.body_timeout, limits.min_transfer_rate)) return;
  worker.counters().body_timeouts.add();
  refuse(http::error_with_status(http::status::kRequestTimeout, "HTTP_BODY_TIMEOUT",
                                 "the body of the request arrives too slowly (options body_timeout, min_transfer_rate)"));
}

void Http2HttpCall::answer(http::Response& response) {
  call_ = nullptr;
  if (stream_ == nullptr) return;
  std::array<char, 8> status;
  const auto status_end = std::to_chars(status.data(), status.data() + status.size(), response.status).ptr;
  const std::string length = std::to_string(response.body.size());
  std::vector<std::pair<std::string, std::string_view>> owned;
  for (const Metadata::Entry entry : response.headers) {
    std::string name(entry.key);
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool of_connection = name == "connection" || name == "keep-alive" || name == "transfer-encoding" || name == "upgrade" ||
                               name == "content-length";
    const bool sound = entry.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
    if (!of_connection && sound) owned.emplace_back(std::move(name), entry.value);
  }
  std::vector<http2::Field> fields{{":status", {status.data(), static_cast<std::size_t>(status_end - status.data())}},
                                   {"content-length", length},
                                   {"date", protocol_.worker().date()}};
  for (const auto& [name, value] : owned) fields.push_back({name, value});
  http2::Session& session = protocol_.session();
  Http2Protocol& protocol = protocol_;
  http2::Stream& stream = *stream_;
  const bool remote_closed = stream.remote_closed();
  const bool has_body = !head_only_ && !response.body.empty();
  // Sending the end may close the stream and delete this object.
  session.submit_headers(stream, fields, !has_body);
  if (has_body) session.submit_data(stream, response.body, true);
  if (!remote_closed && stream.queued() == 0) session.reset(stream, http2::ErrorCode::kNoError);
  protocol.output_added();
}

void Http2HttpCall::detach(const Error& reason) {
  stream_ = nullptr;
  if (call_ != nullptr) std::exchange(call_, nullptr)->detach(reason);
  delete this;
}

}  // namespace micro::rpc
