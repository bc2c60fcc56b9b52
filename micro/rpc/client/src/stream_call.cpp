#include "stream_call.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "connection.hpp"
#include "slot.hpp"

namespace micro::client {
namespace {

// A writer pauses when this much of its stream waits for the peer's window.
constexpr std::size_t kMostQueued = 64 * 1024;
// What one writer may put into the output of the connection before it is handed to the socket without waiting for the end of the
// turn.
constexpr std::size_t kWriteThrough = 64 * 1024;

}  // namespace

struct StreamCall::Wait {
  std::coroutine_handle<>& slot;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    if (slot) throw std::logic_error("two reads or two writes of one stream at the same time");
    slot = handle;
  }
  void await_resume() const noexcept {}
};

StreamCall::StreamCall(const CallInfo& call, rpc::MethodKind kind, Gate::Holder holder)
    : StreamInfo(call), Exchange(StreamInfo::info), holder_(std::move(holder)) {
  send_closed_ = kind == rpc::MethodKind::kServerStream;
}

StreamCall::~StreamCall() {
  if (!ended()) fail_with(cancelled("the stream was given up"));
}

void StreamCall::wake(std::coroutine_handle<>& waiter) {
  if (waiter) info_.slot.loop().post(std::exchange(waiter, {}));
}

void StreamCall::take_data(std::string_view data) {
  uncredited_ += data.size();
  reader_.feed(data);
  reader_.keep();
  wake(reading_);
}

// Whether the messages are whole is found when they are read.
Result<void> StreamCall::check_complete() { return {}; }

void StreamCall::on_end() {
  // What was received before the service said how it ended is still to be read; after any other end nobody wants it.
  if (!answered() && !result()) reader_.reset({});
  wake(reading_);
  wake(writing_);
  if (connection_ != nullptr) connection_->forget(*this);
  holder_.leave();
}

void StreamCall::on_writable() { wake(writing_); }

void StreamCall::credit(std::size_t bytes) {
  uncredited_ -= bytes;
  if (stream_ == nullptr || bytes == 0) return;
  connection_->session().consumed(*stream_, bytes);
  connection_->output_added();
}

Task<Result<bool>> StreamCall::read(codec::MessageRef message) {
  while (true) {
    const Result<std::optional<grpc::MessageReader::Message>> next = reader_.next();
    if (!next) {
      Error error = at_node(next.error().code(), next.error().message());
      fail_with(error);
      co_return fail(std::move(error));
    }
    if (*next) {
      Result<void> decoded = decode(**next, message);
      if (!decoded) {
        fail_with(decoded.error());
        co_return fail(std::move(decoded.error()));
      }
      credit(std::min(uncredited_, (*next)->payload.size() + grpc::kPrefixSize));
      co_return true;
    }
    if (ended()) {
      if (!result()) co_return fail(result().error());
      if (Result<void> whole = reader_.finish(); !whole) {
        co_return fail(std::move(whole.error()).with_context(info_.name()));
      }
      co_return false;
    }
    // The message is larger than what has come, perhaps larger than the window: somebody waits for it.
    credit(uncredited_);
    Wait wait{reading_};
    co_await wait;
  }
}

Result<void> StreamCall::may_write() const {
  if (ended()) {
    if (!result()) return fail(result().error());
    return fail(cancelled(info_.name() + ": the service has ended the call and reads no more"));
  }
  if (send_closed_) return fail(failed_precondition(info_.name() + ": nothing can be written any more on this stream"));
  return {};
}

bool StreamCall::output_full() { return stream_ != nullptr && (stream_->queued() > kMostQueued || connection_->congested()); }

Task<Result<void>> StreamCall::write(codec::MessageRef message) {
  if (Result<void> allowed = may_write(); !allowed) co_return allowed;
  if (Result<void> sent = send(message, false); !sent) co_return sent;
  if (connection_->session().output().size() > kWriteThrough) connection_->flush();
  while (output_full()) {
    if (connection_->congested()) connection_->tell_when_flushed(*this);
    Wait wait{writing_};
    co_await wait;
  }
  if (ended() && !result()) co_return fail(result().error());
  co_return Result<void>{};
}

Task<Result<void>> StreamCall::close_send() {
  if (send_closed_ || ended()) co_return Result<void>{};
  send_closed_ = true;
  connection_->session().submit_data(*stream_, std::string_view(), true);
  connection_->output_added();
  co_return Result<void>{};
}

Task<Result<void>> StreamCall::finish(codec::MessageRef reply) {
  Result<void> closed = co_await close_send();
  if (!closed) co_return closed;
  Result<bool> first = co_await read(reply);
  if (!first) co_return fail(std::move(first.error()));
  if (!*first) co_return fail(internal(info_.name() + ": status OK without a reply"));
  while (!ended()) {
    if (reader_.pending() != 0) break;
    credit(uncredited_);
    Wait wait{reading_};
    co_await wait;
  }
  if (ended() && !result()) co_return fail(result().error());
  if (reader_.pending() != 0) {
    Error error = internal(info_.name() + ": more than one reply to a client-streaming call");
    fail_with(error);
    co_return fail(std::move(error));
  }
  co_return Result<void>{};
}

}  // namespace micro::client
