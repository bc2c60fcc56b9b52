#include "wire.hpp"

#include <algorithm>
#include <utility>

#include <micro/coro/deadline.hpp>
#include <micro/duration/duration.hpp>
#include <micro/net/connect.hpp>
#include <micro/tls/stream.hpp>
#include <micro/web_client/target.hpp>

namespace micro::web {
namespace {

std::string rounded(Duration time) {
  if (time >= std::chrono::milliseconds(1)) time = std::chrono::round<std::chrono::milliseconds>(time);
  return format_duration(time);
}

// Sets a flag as long as it lives.
struct Mark {
  explicit Mark(bool& f) noexcept : flag(f) { flag = true; }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  ~Mark() { flag = false; }
  bool& flag;
};

Task<Result<std::unique_ptr<net::Stream>>> secure(Context& context, std::unique_ptr<net::Stream> stream, const Target& target,
                                                  std::shared_ptr<tls::ClientCredentials> credentials) {
  if (!credentials) {
    auto loaded = tls::ClientCredentials::load({});
    if (!loaded) co_return fail(std::move(loaded.error()));
    credentials = std::move(*loaded);
  }
  const std::string host = target.address.is_unix() ? "localhost" : target.address.host;
  std::unique_ptr<tls::Stream> secured = tls::Stream::client(std::move(stream), *credentials, host, "http/1.1");
  const ContextDeadline deadline(context, secured->loop());
  CancelCallback closer;
  closer.link(context.cancellation(), [](void* self, const Error&) { static_cast<tls::Stream*>(self)->close(); }, secured.get());
  Result<void> done = co_await secured->handshake();
  if (context.cancelled()) co_return fail(*context.error());
  if (!done) co_return fail(std::move(done.error()).with_context("connect to " + target.address.to_string()));
  co_return secured;
}

}  // namespace

std::string name_of(const Target& target) { return target.host.empty() ? target.address.to_string() : target.host; }

std::string url_of(const Target& target, std::string_view scheme) {
  return std::string(scheme) + (target.secure ? "s://" : "://") + name_of(target) + target.path;
}

Task<Result<std::unique_ptr<net::Stream>>> dial(Context& context, const Target& target,
                                                const std::shared_ptr<tls::ClientCredentials>& credentials, Duration timeout) {
  Context attempt(context);
  if (timeout > Duration::zero()) attempt.set_timeout(timeout);
  auto stream = co_await net::connect(attempt, target.address);
  if (stream && target.secure) stream = co_await secure(attempt, std::move(*stream), target, credentials);
  if (stream || context.cancelled()) co_return stream;
  const bool context_is_first = context.deadline() && Clock::now() >= *context.deadline();
  if (stream.error().code() != Code::kDeadlineExceeded || context_is_first) co_return stream;
  Error error = unavailable("connect to " + target.address.to_string() + ": no answer within " + rounded(timeout));
  co_return fail(std::move(error));
}

Wire::Wire(Context& context, std::unique_ptr<net::Stream> stream, std::string name, std::optional<TimePoint> deadline)
    : stream_(std::move(stream)), name_(std::move(name)) {
  cancelled_.link(
      context.cancellation(),
      [](void* self, const Error& reason) {
        auto& wire = *static_cast<Wire*>(self);
        wire.end(Error(reason).with_context(wire.name_));
      },
      this);
  if (context.deadline() && (!deadline || *context.deadline() < *deadline)) deadline = context.deadline();
  if (!deadline) return;
  allowed_ = *deadline - loop().now();
  deadline_.set(
      loop(), *deadline,
      [](void* self) {
        auto& wire = *static_cast<Wire*>(self);
        wire.end(deadline_exceeded(wire.name_ + ": not finished within " + rounded(std::max(wire.allowed_, Duration::zero()))));
      },
      this);
}

Wire::~Wire() { stream_->close(); }

std::shared_ptr<const PeerIdentity> Wire::identity() const {
  const auto* secured = dynamic_cast<const tls::Stream*>(stream_.get());
  return secured == nullptr ? nullptr : secured->identity();
}

void Wire::end(Error error) {
  if (error_) return;
  if (goodbye_ != nullptr) goodbye_(goodbye_argument_);
  fail_with(std::move(error));
}

void Wire::fail_with(Error error) {
  if (!error_) error_ = std::move(error);
  close();
}

void Wire::close() {
  deadline_.cancel();
  limit_.cancel();
  cancelled_.unlink();
  stream_->close();
}

void Wire::set_limit(Duration timeout, std::string_view what) {
  limit_timeout_ = timeout;
  limit_what_ = what;
  if (timeout <= Duration::zero()) return;
  limit_.set(
      loop(), loop().now() + timeout,
      [](void* self) {
        auto& wire = *static_cast<Wire*>(self);
        std::string text = wire.name_ + ": ";
        text.append(wire.limit_what_).append(" within ").append(rounded(wire.limit_timeout_));
        wire.fail_with(unavailable(std::move(text)));
      },
      this);
}

// The reason we ended it ourselves says more than what the operation noticed of that.
Error Wire::error_of(Error io) const { return error_ ? *error_ : std::move(io).with_context(name_); }

Task<Result<std::string_view>> Wire::read() {
  if (error_) co_return fail(*error_);
  const Mark mark(reading_);
  Result<std::size_t> count = co_await stream_->read_some(buffer_);
  if (!count) co_return fail(error_of(std::move(count.error())));
  co_return std::string_view(buffer_.data(), *count);
}

Result<std::optional<std::string_view>> Wire::try_read() {
  if (error_) return fail(*error_);
  bool would_block = false;
  Result<std::size_t> count = stream_->try_read(buffer_, would_block);
  if (!count) return fail(error_of(std::move(count.error())));
  if (would_block) return std::nullopt;
  return std::string_view(buffer_.data(), *count);
}

Task<Result<void>> Wire::flush(Chain& out) {
  while (!out.empty()) {
    if (error_) co_return fail(*error_);
    if (flushing_) {
      co_await flushed_.wait();
      continue;
    }
    flushed_.reset();
    Result<void> done;
    {
      const Mark mark(flushing_);
      while (done && !out.empty() && !error_) {
        std::array<std::string_view, 16> pieces;
        const std::size_t count = out.gather(pieces);
        const Result<std::size_t> written = stream_->try_write({pieces.data(), count});
        if (!written) {
          done = fail(written.error());
        } else if (*written == 0) {
          done = co_await stream_->wait_writable();
        } else {
          out.consume(*written);
        }
      }
    }
    flushed_.set();
    if (!done) co_return fail(error_of(std::move(done.error())));
  }
  co_return Result<void>{};
}

void Wire::try_flush(Chain& out) {
  while (!flushing_ && !out.empty() && stream_->is_open()) {
    std::array<std::string_view, 16> pieces;
    const std::size_t count = out.gather(pieces);
    const Result<std::size_t> written = stream_->try_write({pieces.data(), count});
    if (!written || *written == 0) return;
    out.consume(*written);
  }
}

}  // namespace micro::web
