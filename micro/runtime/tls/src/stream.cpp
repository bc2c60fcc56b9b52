#include <micro/tls/stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include <micro/tls/engine.hpp>

namespace micro::tls {
namespace {

// Plaintext that is encrypted before the stream below is asked again: four records.
constexpr std::size_t kMostAhead = 64 * 1024;
constexpr std::size_t kRecord = 16 * 1024;
constexpr std::size_t kMostPieces = 64;
// Reads of the stream below for one read of ours, before others have their turn.
constexpr int kReads = 4;

// Encrypted bytes on their way in, and small pieces that become a record; used within one function call only.
std::span<char> scratch() {
  static thread_local std::unique_ptr<std::array<char, kRecord + 512>> memory;
  if (!memory) memory = std::make_unique_for_overwrite<std::array<char, kRecord + 512>>();
  return *memory;
}

// The pieces of a write, taken from the front.
class Pieces {
 public:
  explicit Pieces(std::span<const std::string_view> pieces) : rest_(pieces) {}

  // Leaves out up to `count` bytes and says how many.
  std::size_t skip(std::size_t count) {
    std::size_t skipped = 0;
    while (skipped < count && !front().empty()) skipped += advance(std::min(count - skipped, front().size()));
    return skipped;
  }
  // The next bytes for one record: in place when a piece is large enough, else gathered in `space`. Empty: no more.
  std::string_view record(std::span<char> space) {
    const std::string_view first = front();
    if (first.size() >= kRecord || first.size() == left()) {
      const std::size_t count = std::min(first.size(), kRecord);
      advance(count);
      return first.substr(0, count);
    }
    std::size_t size = 0;
    while (size < kRecord && !front().empty()) {
      const std::size_t count = std::min(kRecord - size, front().size());
      std::copy_n(front().data(), count, space.data() + size);
      size += advance(count);
    }
    return {space.data(), size};
  }

 private:
  // Empty only at the end.
  std::string_view front() {
    while (!rest_.empty() && offset_ == rest_.front().size()) {
      rest_ = rest_.subspan(1);
      offset_ = 0;
    }
    return rest_.empty() ? std::string_view() : rest_.front().substr(offset_);
  }
  std::size_t advance(std::size_t count) {
    offset_ += count;
    return count;
  }
  std::size_t left() const {
    std::size_t size = 0;
    for (const std::string_view piece : rest_) size += piece.size();
    return size - offset_;
  }
  std::span<const std::string_view> rest_;
  std::size_t offset_ = 0;
};

class EngineStream final : public Stream {
 public:
  enum class Role : std::uint8_t { kServer, kClient };
  EngineStream(std::unique_ptr<net::Stream> inner, Engine engine, Role role)
      : inner_(std::move(inner)), engine_(std::move(engine)), role_(role) {}

  Task<Result<void>> handshake(std::string_view received) override;
  Task<void> linger() override;
  std::string_view application_protocol() const noexcept override { return engine_.application_protocol(); }
  const std::shared_ptr<const PeerIdentity>& identity() const noexcept override { return engine_.identity(); }

  Result<std::size_t> try_read(std::span<char> buffer, bool& would_block) override;
  Result<std::size_t> try_write(std::span<const std::string_view> pieces) override;
  void shutdown_write() override;
  void close() override;
  bool is_open() const noexcept override { return inner_->is_open(); }
  const std::string& peer() const noexcept override { return inner_->peer(); }
  const std::string& local() const noexcept override { return inner_->local(); }
  Loop& loop() const noexcept override { return inner_->loop(); }

 protected:
  void start_read(std::span<char> buffer, net::IoOperation& operation) override;
  void start_wait_writable(net::IoOperation& operation) override;
  Error io_error(std::string_view what, int error_number) const override;

 private:
  // Sends what the engine has to say, as far as possible; true when all of it went.
  Result<bool> flush();
  Task<Result<void>> flush_all();
  // Fills `buffer` with what is there. True: `operation` is complete.
  bool take(std::span<char> buffer, net::IoOperation& operation);
  // Feeds the engine what the inner stream has ready.
  void pull();
  Detached read(std::span<char> buffer, net::IoOperation& operation);
  Detached wait(net::IoOperation& operation);
  void fail_operation(net::IoOperation& operation, Error error);
  Error at_peer(Error error) const { return std::move(error).with_context("TLS with " + peer()); }

  std::unique_ptr<net::Stream> inner_;
  Engine engine_;
  const Role role_;
  std::size_t ahead_ = 0;       // plaintext that is encrypted and not reported as taken yet
  std::optional<Error> error_;  // what io_error() tells
};

Result<bool> EngineStream::flush() {
  Chain& out = engine_.output();
  while (!out.empty()) {
    std::array<std::string_view, 16> pieces;
    const std::size_t count = out.gather(pieces);
    const Result<std::size_t> written = inner_->try_write(std::span(pieces.data(), count));
    if (!written) return fail(written.error());
    if (*written == 0) return false;
    out.consume(*written);
  }
  return true;
}

Task<Result<void>> EngineStream::flush_all() {
  while (true) {
    const Result<bool> flushed = flush();
    if (!flushed) co_return fail(flushed.error());
    if (*flushed) co_return Result<void>{};
    Result<void> room = co_await inner_->wait_writable();
    if (!room) co_return room;
  }
}

Task<Result<void>> EngineStream::handshake(std::string_view received) {
  engine_.feed(received);
  std::array<char, 2048> buffer;
  while (true) {
    Result<bool> done = engine_.handshake();
    if (!done) {
      (void)flush();  // the alert that tells the peer
      co_return fail(at_peer(std::move(done.error())));
    }
    if (*done && role_ == Role::kServer && engine_.identity()->protocol == "TLSv1.3") {
      // Only tickets are left to send, which nobody waits for: what does not go now goes before the first answer.
      (void)flush();
      co_return Result<void>{};
    }
    Result<void> flushed = co_await flush_all();
    if (!flushed || *done) co_return flushed;
    const Result<std::size_t> count = co_await inner_->read_some(buffer);
    if (!count) co_return fail(count.error());
    if (*count == 0) engine_.feed_end();
    engine_.feed({buffer.data(), *count});
    if (*count == buffer.size()) pull();
  }
}

// To close a socket with unread bytes makes the kernel send a reset, which can destroy the alert that is on its way.
Task<void> EngineStream::linger() {
  inner_->shutdown_write();
  std::array<char, 2048> buffer;
  while (true) {
    const Result<std::size_t> count = co_await inner_->read_some(buffer);
    if (!count || *count == 0) co_return;
  }
}

void EngineStream::pull() {
  const std::span<char> space = scratch();
  for (int i = 0; i < kReads; ++i) {
    bool would_block = false;
    const Result<std::size_t> count = inner_->try_read(space, would_block);
    // An error or an end: the next read of the inner stream tells it again.
    if (!count || would_block || *count == 0) return;
    engine_.feed({space.data(), *count});
    if (*count < space.size()) return;
  }
}

bool EngineStream::take(std::span<char> buffer, net::IoOperation& operation) {
  bool starved = false;
  Result<std::size_t> size = engine_.read(buffer, starved);
  // Some of what comes in wants an answer, and a failure wants to be told to the peer.
  if (!engine_.output().empty()) (void)flush();
  if (starved) return false;
  if (!size) {
    fail_operation(operation, at_peer(std::move(size.error())));
  } else {
    operation.size = *size;
  }
  return true;
}

void EngineStream::fail_operation(net::IoOperation& operation, Error error) {
  operation.error = error.code() == Code::kCancelled ? ECANCELED : EPROTO;
  error_ = std::move(error);
}

Error EngineStream::io_error(std::string_view what, int error_number) const {
  return error_number == EPROTO && error_ ? *error_ : net::Stream::io_error(what, error_number);
}

void EngineStream::start_read(std::span<char> buffer, net::IoOperation& operation) { read(buffer, operation); }

// Encrypted bytes arrive in the buffer of whoever reads, so that a connection which waits needs none of its own.
Detached EngineStream::read(std::span<char> buffer, net::IoOperation& operation) {
  bool done = false;
  if (!is_open() || engine_.has_unread()) {
    co_await loop().yield();  // the buffer may be another's until then
    if (!is_open()) operation.error = ECANCELED;
    done = !is_open() || take(buffer, operation);
  }
  while (!done) {
    Result<std::size_t> count = co_await inner_->read_some(buffer);
    if (!count) {
      fail_operation(operation, std::move(count.error()));
      break;
    }
    if (*count == 0) engine_.feed_end();
    engine_.feed({buffer.data(), *count});
    if (*count == buffer.size()) pull();
    done = take(buffer, operation);
  }
  operation.waiter.resume();  // may destroy this stream
}

Result<std::size_t> EngineStream::try_read(std::span<char> buffer, bool& would_block) {
  would_block = false;
  if (!is_open()) return fail(net::Stream::io_error("read from", ECANCELED));
  std::size_t size = 0;
  for (int i = 0; i < kReads && size < buffer.size(); ++i) {
    bool starved = false;
    Result<std::size_t> got = engine_.read(buffer.subspan(size), starved);
    if (!got) {
      if (size != 0) return size;  // the next read tells it again
      (void)flush();
      return fail(at_peer(std::move(got.error())));
    }
    size += *got;
    if (*got == 0 && !starved) return size;
    if (size == buffer.size()) break;
    bool inner_would_block = false;
    const std::span<char> space = scratch();
    Result<std::size_t> count = inner_->try_read(space, inner_would_block);
    if (size != 0 && (!count || *count == 0)) return size;
    if (!count) return fail(std::move(count.error()));
    if (inner_would_block) {
      would_block = true;
      return 0;
    }
    if (*count == 0) engine_.feed_end();
    engine_.feed({space.data(), *count});
  }
  if (!engine_.output().empty()) (void)flush();
  would_block = size == 0;
  return size;
}

Result<std::size_t> EngineStream::try_write(std::span<const std::string_view> pieces) {
  if (!is_open()) return fail(net::Stream::io_error("write to", ECANCELED));
  Pieces rest(pieces.first(std::min(pieces.size(), kMostPieces)));
  std::size_t taken = 0;
  while (true) {
    const Result<bool> flushed = flush();
    if (!flushed) return fail(flushed.error());
    if (!*flushed) return taken;
    const std::size_t skipped = rest.skip(ahead_);
    taken += skipped;
    ahead_ -= skipped;
    if (ahead_ != 0) return taken;  // fewer bytes are offered again than were before
    while (ahead_ < kMostAhead) {
      const std::string_view record = rest.record(scratch());
      if (record.empty()) break;
      if (Result<void> written = engine_.write(record); !written) return fail(at_peer(std::move(written.error())));
      ahead_ += record.size();
    }
    if (ahead_ == 0) return taken;
    const Result<bool> sent = flush();
    if (!sent) return fail(sent.error());
    if (!*sent) return taken;
    taken += std::exchange(ahead_, 0);
  }
}

void EngineStream::shutdown_write() {
  engine_.close();
  (void)flush();
  inner_->shutdown_write();
}

void EngineStream::close() {
  // In the middle of a record a farewell is of no use, and could not be sent.
  if (is_open() && engine_.output().empty()) {
    engine_.close();
    (void)flush();
  }
  inner_->close();
}

void EngineStream::start_wait_writable(net::IoOperation& operation) { wait(operation); }

Detached EngineStream::wait(net::IoOperation& operation) {
  Result<void> room = co_await inner_->wait_writable();
  if (!room) fail_operation(operation, std::move(room.error()));
  operation.waiter.resume();  // may destroy this stream
}

}  // namespace

std::unique_ptr<Stream> Stream::server(std::unique_ptr<net::Stream> inner, const ServerCredentials& credentials) {
  return std::make_unique<EngineStream>(std::move(inner), Engine::server(credentials), EngineStream::Role::kServer);
}

std::unique_ptr<Stream> Stream::client(std::unique_ptr<net::Stream> inner, const ClientCredentials& credentials,
                                       std::string_view host, std::string_view protocol) {
  Engine engine = Engine::client(credentials, host, inner->peer(), protocol);
  return std::make_unique<EngineStream>(std::move(inner), std::move(engine), EngineStream::Role::kClient);
}

}  // namespace micro::tls
