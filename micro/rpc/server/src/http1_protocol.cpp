#include "http1_protocol.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <micro/grpc/base64.hpp>
#include <micro/grpc/fields.hpp>
#include <micro/http/error.hpp>
#include <micro/http/status.hpp>
#include <micro/http1/writer.hpp>

#include "connection.hpp"
#include "http2_protocol.hpp"
#include "worker.hpp"

namespace micro::rpc {

namespace {

// Beyond this much output, further pipelined requests wait until it has left.
constexpr std::size_t kMaxOutput = 256 * 1024;

}  // namespace

Http1Protocol::Http1Protocol(Connection& connection)
    : connection_(connection),
      worker_(connection.worker()),
      parser_(worker_.state().http1_limits),
      unfinished_(worker_.unfinished()) {}

Http1Protocol::~Http1Protocol() {
  if (call_ != nullptr) std::exchange(call_, nullptr)->detach(cancelled("the connection is gone"));
}

Result<void> Http1Protocol::receive(std::string_view bytes) {
  if (finished_) return {};
  if (call_ != nullptr || !held_.empty()) {
    held_.append(bytes);
    return {};
  }
  Result<void> processed = process(bytes);
  if (processed && !finished_ && !bytes.empty()) held_.append(bytes);
  return processed;
}

// Takes requests off `bytes` until they are used up or one has to wait for its handler.
Result<void> Http1Protocol::process(std::string_view& bytes) {
  processing_ = true;
  Result<void> result;
  while (call_ == nullptr && !finished_ && output_.size() <= kMaxOutput) {
    Result<http1::Event> event = parser_.next(bytes);
    if (!event) {
      http::Response response = http::Response::from_error(event.error());
      finished_ = true;
      answer(response);
      result = std::unexpected(std::move(event.error()));
      break;
    }
    if (*event == http1::Event::kNeedMore) break;
    if (*event == http1::Event::kHead) {
      body_.clear();
      ++requests_;
      in_body_ = true;
      const http1::RequestHead& head = parser_.head();
      if (head.expect_continue) http1::write_continue(output_);
    } else if (*event == http1::Event::kBody) {
      body_ += parser_.body();
    } else {
      in_body_ = false;
      Result<bool> goes_on = on_request(bytes);
      if (!goes_on) {
        result = std::unexpected(std::move(goes_on.error()));
        break;
      }
      if (!*goes_on) {
        bytes = {};
        break;
      }
    }
  }
  if (!unfinished_.set(in_body_ ? body_.size() : 0) && !finished_) {
    finished_ = true;
    body_ = {};
    (void)unfinished_.set(0);
    http::Response response = http::Response::from_error(worker_.no_room());
    answer(response);
  }
  processing_ = false;
  return result;
}

Result<bool> Http1Protocol::on_request(std::string_view rest) {
  http1::RequestHead& head = parser_.head();
  if (head.upgrade_h2c && !draining_) {
    if (Result<void> upgraded = upgrade_to_http2(rest); !upgraded) return std::unexpected(std::move(upgraded.error()));
    return false;
  }
  call_ = new HttpCall(worker_, *this, connection_.peer());
  http::Request& request = call_->request();
  request.method = head.method;
  request.target = head.target;
  request.path = head.path();
  request.query = head.query();
  std::swap(request.headers, head.headers);
  request.body = std::move(body_);
  call_->start();
  return true;
}

// RFC 7540, section 3.2: the request that asked is stream 1 of the HTTP/2 connection.
Result<void> Http1Protocol::upgrade_to_http2(std::string_view rest) {
  http1::RequestHead& head = parser_.head();
  std::string encoded(head.headers.get("http2-settings"));
  std::ranges::replace(encoded, '-', '+');
  std::ranges::replace(encoded, '_', '/');
  std::string settings;
  finished_ = true;
  if (!grpc::base64_decode(encoded, settings)) {
    const Error error = invalid_argument("HTTP2-Settings is not base64url");
    http::Response response = http::Response::from_error(error);
    answer(response);
    return fail(error);
  }
  std::vector<std::pair<std::string, std::string>> owned;
  for (const Metadata::Entry entry : head.headers) {
    std::string name(entry.key);
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool of_connection = name == "connection" || name == "upgrade" || name == "http2-settings" || name == "host" ||
                               name == "keep-alive" || name == "proxy-connection" || name == "transfer-encoding" || name == "te";
    if (!of_connection) owned.emplace_back(std::move(name), entry.value);
  }
  std::vector<http2::Field> fields{
      {":method", head.method_name}, {":scheme", "http"}, {":path", head.target}, {":authority", head.authority}};
  for (const auto& [name, value] : owned) fields.push_back({name, value});

  auto http2 = std::make_unique<Http2Protocol>(connection_);
  Http2Protocol& next = *http2;
  const std::string body = std::move(body_);
  // Its answer gathers in its own output, which goes behind ours.
  if (Result<void> upgraded = next.upgrade(settings, fields, body); !upgraded) {
    http::Response response = http::Response::from_error(upgraded.error());
    answer(response);
    return upgraded;
  }
  http1::ResponseStart start;
  start.status = http::status::kSwitchingProtocols;
  start.upgrade = "h2c";
  if (Result<void> written = http1::write_response_head(output_, start, Metadata{}); !written) return written;
  const std::string remaining(rest);
  connection_.switch_to(std::move(http2));
  return remaining.empty() ? Result<void>{} : next.receive(remaining);
}

void Http1Protocol::answer(http::Response& response) {
  const http1::RequestHead& head = parser_.head();
  const bool broken = finished_;
  call_ = nullptr;
  http1::ResponseStart start;
  start.status = response.status;
  start.date = worker_.date();
  start.minor_version = broken ? 1 : head.minor_version;
  start.keep_alive = !broken && head.keep_alive && !draining_ && !peer_ended_;
  start.body = http1::BodySize::exactly(response.body.size());
  if (Result<void> written = http1::write_response_head(output_, start, response.headers); !written) {
    // A handler's header that cannot be sent.
    response = http::Response::from_error(internal("the reply has an invalid header: " + written.error().message()));
    start.status = response.status;
    start.body = http1::BodySize::exactly(response.body.size());
    (void)http1::write_response_head(output_, start, response.headers);
  }
  if (broken || head.method != http::Method::kHead) output_.append(response.body);
  if (!start.keep_alive) finished_ = true;
  if (processing_) return;
  process_held();
  connection_.output_added();
  connection_.resume_reading();
}

void Http1Protocol::process_held() {
  if (finished_ || held_.empty()) return;
  Buffer held = std::move(held_);
  held_ = Buffer();
  std::string_view bytes = held.view();
  const Result<void> processed = process(bytes);
  if (!processed) connection_.count_failure(processed.error());
  if (processed && !finished_ && !bytes.empty()) held_.append(bytes);
}

void Http1Protocol::output_flushed() {
  if (call_ != nullptr || held_.empty()) return;
  process_held();
  if (!output_.empty()) connection_.output_added();
  connection_.resume_reading();
}

void Http1Protocol::sample(ConnectionSample& sample) const noexcept {
  sample.phase = call_ != nullptr ? Phase::kBusy : in_body_ ? Phase::kBody : parser_.idle() ? Phase::kIdle : Phase::kHead;
  sample.requests = requests_;
}

void Http1Protocol::time_out(const Error& reason) {
  if (call_ != nullptr) return abort(reason);
  if (finished_) return;
  finished_ = true;
  http::Response response = http::Response::from_error(reason);
  answer(response);
}

void Http1Protocol::receive_end() {
  peer_ended_ = true;
  finished_ = true;
  // Who closes a connection before the answer does not want it any more.
  if (call_ != nullptr) std::exchange(call_, nullptr)->detach(cancelled("the caller closed the connection"));
}

void Http1Protocol::abort(const Error& reason) {
  finished_ = true;
  if (call_ != nullptr) std::exchange(call_, nullptr)->detach(reason);
}

}  // namespace micro::rpc
