#include "http1_protocol.hpp"

#include <utility>

#include <micro/http/error.hpp>
#include <micro/http/status.hpp>

#include "connection.hpp"
#include "http_dispatch.hpp"
#include "worker.hpp"

namespace micro::rpc {
namespace {

// Received bytes a carrier may hold before the socket is read no further.
constexpr std::size_t kMaxUnconsumed = 256 * 1024;

// Output that waits for the socket: beyond this much, writers pause and further pipelined requests wait.
constexpr std::size_t kMaxOutput = 256 * 1024;

// Of a body nobody wants, at most this much is read so that the connection can go on; else it is closed.
constexpr std::size_t kMaxDiscarded = 64 * 1024;

}  // namespace

Http1Protocol::Http1Protocol(Connection& connection)
    : connection_(connection),
      worker_(connection.worker()),
      parser_(worker_.state().http1_limits),
      resume_([](void* self) { static_cast<Http1Protocol*>(self)->go_on(); }, this) {}

Http1Protocol::~Http1Protocol() {
  if (carrier_ != nullptr) std::exchange(carrier_, nullptr)->detach(cancelled("the connection is gone"));
}

const std::string& Http1Protocol::peer() const noexcept { return connection_.peer(); }
const std::shared_ptr<const PeerIdentity>& Http1Protocol::identity() const noexcept { return connection_.identity(); }
bool Http1Protocol::paused() const noexcept { return carrier_ != nullptr && unconsumed_ > kMaxUnconsumed; }
bool Http1Protocol::congested() const noexcept { return output_.size() > kMaxOutput; }
bool Http1Protocol::head_only() const noexcept { return parser_.head().method == http::Method::kHead; }

Result<void> Http1Protocol::receive(std::string_view bytes) {
  if (finished_) return {};
  if (answering() || paused() || head_waits_ || !held_.empty()) {
    held_.append(bytes);
    return {};
  }
  Result<void> processed = process(bytes);
  if (processed && !finished_ && !bytes.empty()) held_.append(bytes);
  return processed;
}

// Takes requests off `bytes` until they are used up or something has to wait.
Result<void> Http1Protocol::process(std::string_view& bytes) {
  processing_ = true;
  Result<void> result;
  while (result && !finished_ && !answering() && !paused() && (body_open_ || tunnel_ || pipe_ || !congested())) {
    if (head_waits_) {
      offer_head();
      if (head_waits_) break;
      continue;
    }
    if (tunnel_) {
      if (!bytes.empty()) pass_on(std::exchange(bytes, {}), false);
      break;
    }
    Result<http1::Event> event = parser_.next(bytes);
    if (!event) {
      result = refuse(event.error());
    } else if (*event == http1::Event::kNeedMore) {
      break;
    } else {
      result = step(*event, bytes);
    }
  }
  processing_ = false;
  return result;
}

Result<void> Http1Protocol::step(http1::Event event, std::string_view& bytes) {
  if (event == http1::Event::kHead) {
    on_head();
    return {};
  }
  if (event == http1::Event::kBody) return on_body(parser_.body());
  return on_end(bytes);
}

void Http1Protocol::on_head() {
  ++requests_;
  if (pipe_) return offer_head();
  begin_exchange();
}

HttpHead Http1Protocol::arrived_head() {
  http1::RequestHead& head = parser_.head();
  http::Request& request = worker_.request();
  request.method = head.method;
  if (head.method == http::Method::kOther) request.other_method = head.method_name;
  request.target = head.target;
  request.path = head.path();
  request.query = head.query();
  swap(request.headers, head.headers);
  return HttpHead{.request = request,
                  .content_length = head.content_length,
                  .websocket = head.upgrade_websocket,
                  .message_pipe = head.minor_version > 0};
}

void Http1Protocol::take_back(HttpHead& head) { swap(head.request.headers, parser_.head().headers); }

// To the carrier of the pipe or, when that is over, to whoever is next.
void Http1Protocol::offer_head() {
  head_waits_ = false;
  if (!pipe_) return begin_exchange();
  HttpHead message = arrived_head();
  body_open_ = true;
  if (carrier_->take_message(message)) return;
  take_back(message);
  body_open_ = false;
  head_waits_ = true;
}

void Http1Protocol::begin_exchange() {
  http1::RequestHead& head = parser_.head();
  body_open_ = true;
  answered_ = false;
  unconsumed_ = 0;
  wants_writable_ = false;
  forget_origin();
  upgrading_ = head.upgrade_h2c && !draining_ && !connection_.identity();
  if (!upgrading_) {
    HttpHead started = arrived_head();
    dispatch(worker_, *this, started);
  }
  // Who has its answer already need not send the body.
  if (head.expect_continue && !replying_ && (upgrading_ || carrier_ != nullptr)) http1::write_continue(output_);
}

Result<void> Http1Protocol::on_body(std::string_view data) {
  if (upgrading_) {
    const std::size_t limit = worker_.state().options.max_receive_message_size;
    if (data.size() > limit - upgrade_body_.size()) {
      return refuse(http::error_with_status(http::status::kContentTooLarge, "HTTP_BODY_SIZE",
                                            "the request body is larger than the limit of " + std::to_string(limit) + " bytes"));
    }
    upgrade_body_ += data;
  } else {
    pass_on(data, false);
  }
  return {};
}

Result<void> Http1Protocol::on_end(std::string_view& rest) {
  body_open_ = false;
  if (upgrading_) return upgrade_to_http2(std::exchange(rest, {}));
  pass_on({}, true);
  return {};
}

void Http1Protocol::pass_on(std::string_view data, bool end) {
  if (carrier_ == nullptr) return;
  unconsumed_ += data.size();
  carrier_->receive(data, end);
}

// The connection cannot go on: tells why, unless the request has its reply or a part of it.
Result<void> Http1Protocol::refuse(const Error& error) {
  finished_ = true;
  if (carrier_ != nullptr) std::exchange(carrier_, nullptr)->detach(error);
  if (!replying_ && !(body_open_ && answered_)) {
    const http::Response response = http::Response::from_error(error);
    http1::ResponseStart start;
    start.status = response.status;
    start.date = worker_.date();
    start.keep_alive = false;
    start.body = http1::BodySize::exactly(response.body.size());
    (void)http1::write_response_head(output_, start, response.headers);
    output_.append(response.body);
  }
  return fail(error);
}

http1::ResponseStart Http1Protocol::reply_start(int status) {
  const http1::RequestHead& head = parser_.head();
  const bool body_unwanted = body_open_ && (head.expect_continue || !head.content_length || *head.content_length > kMaxDiscarded);
  http1::ResponseStart start;
  start.status = status;
  start.date = worker_.date();
  start.minor_version = head.minor_version;
  start.keep_alive = head.keep_alive && !draining_ && !peer_ended_ && !body_unwanted;
  return start;
}

void Http1Protocol::answer(int status, const Metadata& headers, std::string_view body) {
  carrier_ = nullptr;
  http1::ResponseStart start = reply_start(status);
  start.body = http1::BodySize::exactly(body.size());
  http::Response instead;
  Metadata scratch;
  if (Result<void> written = http1::write_response_head(output_, start, complete(headers, scratch)); !written) {
    // A handler's header that cannot be sent.
    instead = http::Response::from_error(internal("the reply has an invalid header: " + written.error().message()));
    body = instead.body;
    start.status = instead.status;
    start.body = http1::BodySize::exactly(body.size());
    (void)http1::write_response_head(output_, start, instead.headers);
  }
  if (!head_only()) output_.append(body);
  if (!start.keep_alive) finished_ = true;
  exchange_over();
}

Result<void> Http1Protocol::begin_reply(int status, const Metadata& headers) {
  http1::ResponseStart start = reply_start(status);
  const bool chunked = parser_.head().minor_version > 0;
  if (!chunked) start.keep_alive = false;
  start.body = chunked ? http1::BodySize::chunked() : http1::BodySize::until_close();
  Metadata scratch;
  if (Result<void> written = http1::write_response_head(output_, start, complete(headers, scratch)); !written) return written;
  const bool no_body = head_only() || !http::allows_body(status);
  reply_body_ = no_body ? ReplyBody::kNone : chunked ? ReplyBody::kChunked : ReplyBody::kUntilClose;
  replying_ = true;
  keep_alive_ = start.keep_alive;
  connection_.output_added();
  return {};
}

void Http1Protocol::send(std::string_view bytes) {
  if (reply_body_ == ReplyBody::kChunked) {
    http1::write_chunk(output_, bytes);
  } else if (reply_body_ == ReplyBody::kUntilClose) {
    output_.append(bytes);
  }
  connection_.output_added();
}

void Http1Protocol::end_reply(const Metadata& trailers) {
  carrier_ = nullptr;
  if (reply_body_ == ReplyBody::kChunked && !http1::write_last_chunk(output_, trailers)) (void)http1::write_last_chunk(output_);
  if (!keep_alive_) finished_ = true;
  exchange_over();
}

Result<void> Http1Protocol::switch_protocols(std::string_view protocol, const Metadata& headers) {
  http1::ResponseStart start;
  start.status = http::status::kSwitchingProtocols;
  start.upgrade = protocol;
  if (Result<void> written = http1::write_response_head(output_, start, headers); !written) return written;
  tunnel_ = true;
  replying_ = true;
  reply_body_ = ReplyBody::kUntilClose;
  keep_alive_ = false;
  connection_.output_added();
  // What came behind the request and had to wait for this.
  worker_.loop().defer(resume_);
  return {};
}

void Http1Protocol::begin_messages() {
  keep_alive_ = reply_start(http::status::kOk).keep_alive;
  reply_body_ = ReplyBody::kNone;
  pipe_ = replying_ = true;
  // What came behind the request and had to wait for this.
  worker_.loop().defer(resume_);
}

Result<void> Http1Protocol::send_message(const Metadata& headers, std::string_view body) {
  http1::ResponseStart start;
  start.date = worker_.date();
  start.keep_alive = keep_alive_;
  start.body = http1::BodySize::exactly(body.size());
  Metadata scratch;
  if (Result<void> written = http1::write_response_head(output_, start, complete(headers, scratch)); !written) return written;
  output_.append(body);
  connection_.output_added();
  return {};
}

void Http1Protocol::reset() {
  carrier_ = nullptr;
  finished_ = true;
  exchange_over();
}

void Http1Protocol::consumed(std::size_t bytes) {
  const bool was_paused = paused();
  unconsumed_ -= bytes;
  // Later, because the carrier is in the middle of something.
  if ((was_paused && !paused()) || head_waits_) worker_.loop().defer(resume_);
}

void Http1Protocol::output_flushed() {
  if (std::exchange(wants_writable_, false) && carrier_ != nullptr) carrier_->writable();
  if (!held_.empty() && !answering() && !paused() && !head_waits_) go_on();
}

void Http1Protocol::sample(ConnectionSample& sample) const noexcept {
  sample.requests = requests_;
  if (body_open_) {
    // Who is being answered already may send as slowly as the answer comes.
    sample.phase = tunnel_ || (replying_ && !pipe_) ? Phase::kBusy : Phase::kBody;
  } else if (pipe_ && !head_waits_) {
    sample.phase = parser_.idle() ? Phase::kBusy : Phase::kHead;
  } else {
    sample.phase = carrier_ != nullptr || tunnel_ || head_waits_ ? Phase::kBusy : parser_.idle() ? Phase::kIdle : Phase::kHead;
  }
}

void Http1Protocol::time_out(const Error& reason) {
  if (!finished_) (void)refuse(reason);
}

void Http1Protocol::exchange_over() {
  answered_ = true;
  replying_ = tunnel_ = pipe_ = false;
  if (!processing_) go_on();
}

// Something took its time: goes on with what has arrived meanwhile.
void Http1Protocol::go_on() {
  if (!finished_ && (body_open_ || tunnel_ || head_waits_ || !held_.empty())) {
    Buffer held = std::move(held_);
    held_ = Buffer();
    std::string_view bytes = held.view();
    const Result<void> processed = process(bytes);
    if (!processed) connection_.count_failure(processed.error());
    if (processed && !finished_ && !bytes.empty()) held_.append(bytes);
  }
  connection_.output_added();
  connection_.resume_reading();
}

void Http1Protocol::receive_end() {
  peer_ended_ = true;
  finished_ = true;
  // Who closes a connection before the answer does not want it any more.
  if (carrier_ == nullptr || carrier_->may_leave()) return;
  std::exchange(carrier_, nullptr)->detach(cancelled("the caller closed the connection"));
}

void Http1Protocol::abort(const Error& reason) {
  finished_ = true;
  if (carrier_ != nullptr) std::exchange(carrier_, nullptr)->detach(reason);
}

}  // namespace micro::rpc
