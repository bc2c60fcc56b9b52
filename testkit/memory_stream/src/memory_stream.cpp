#include <micro/testkit/memory_stream.hpp>

#include <algorithm>
#include <cerrno>

namespace micro::testkit {

// One direction: bytes under way from a writer to a reader, and whoever waits for them or for room.
struct MemoryStream::Pipe {
  Pipe(Loop& l, const MemoryStreamOptions& o) : loop(l), options(o), read_chunk(o.chunk) {}

  Loop& loop;
  MemoryStreamOptions options;  // the writer's
  std::size_t read_chunk;
  std::string bytes;
  bool ended = false;        // the writer says no more
  bool reader_gone = false;  // nobody will read
  int read_error = 0;
  int write_error = 0;
  net::IoOperation* read = nullptr;
  net::IoOperation* write = nullptr;

  bool readable() const noexcept { return read_error != 0 || !bytes.empty() || ended; }
  bool writable() const noexcept {
    return write_error != 0 || reader_gone || ended || bytes.size() < std::max<std::size_t>(1, options.capacity);
  }
  std::size_t take(std::span<char> into) {
    const std::size_t count = std::min({into.size(), bytes.size(), std::max<std::size_t>(1, read_chunk)});
    std::copy_n(bytes.data(), count, into.data());
    bytes.erase(0, count);
    return count;
  }
  void finish(net::IoOperation*& operation, std::size_t size, int error_number) {
    net::IoOperation& done = *std::exchange(operation, nullptr);
    done.size = size;
    done.error = error_number;
    loop.post(done.waiter);
  }
  // Completes what can be completed now.
  void settle() {
    if (read != nullptr && readable()) {
      read->ready = true;
      finish(read, 0, read_error);
    }
    if (write != nullptr && writable()) finish(write, 0, 0);
  }
};

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> MemoryStream::pair(Loop& loop,
                                                                                           const MemoryStreamOptions& options) {
  auto there = std::make_shared<Pipe>(loop, options);
  auto back = std::make_shared<Pipe>(loop, options);
  std::unique_ptr<MemoryStream> a(new MemoryStream(loop, back, there, "memory:a", "memory:b"));
  std::unique_ptr<MemoryStream> b(new MemoryStream(loop, there, back, "memory:b", "memory:a"));
  return {std::move(a), std::move(b)};
}

MemoryStream::MemoryStream(Loop& loop, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, std::string local, std::string peer)
    : loop_(loop), in_(std::move(in)), out_(std::move(out)), local_(std::move(local)), peer_(std::move(peer)) {}

MemoryStream::~MemoryStream() { close(); }

void MemoryStream::fail_reads(int error_number) {
  in_->read_error = error_number;
  in_->bytes.clear();
  in_->settle();
}

void MemoryStream::fail_writes(int error_number) {
  out_->write_error = error_number;
  out_->settle();
}

void MemoryStream::set_options(const MemoryStreamOptions& options) {
  in_->read_chunk = options.chunk;
  out_->options = options;
  out_->settle();
}

std::size_t MemoryStream::unread() const noexcept { return out_->bytes.size(); }

Result<std::size_t> MemoryStream::try_read(std::span<char> buffer, bool& would_block) {
  would_block = false;
  if (!open_) return fail(io_error("read from", ECANCELED));
  if (in_->read_error != 0) return fail(io_error("read from", in_->read_error));
  would_block = !in_->readable();
  const std::size_t count = in_->take(buffer);
  in_->settle();
  return count;
}

Result<std::size_t> MemoryStream::try_write(std::span<const std::string_view> pieces) {
  if (!open_) return fail(io_error("write to", ECANCELED));
  Pipe& pipe = *out_;
  if (pipe.write_error != 0) return fail(io_error("write to", pipe.write_error));
  if (pipe.reader_gone || pipe.ended) return fail(io_error("write to", EPIPE));
  std::size_t room = pipe.options.capacity > pipe.bytes.size() ? pipe.options.capacity - pipe.bytes.size() : 0;
  room = std::min(room, std::max<std::size_t>(1, pipe.options.chunk));
  std::size_t taken = 0;
  for (const std::string_view piece : pieces.first(std::min<std::size_t>(pieces.size(), 64))) {
    const std::size_t count = std::min(piece.size(), room - taken);
    pipe.bytes.append(piece.substr(0, count));
    taken += count;
  }
  if (taken != 0) ++writes_;
  pipe.settle();
  return taken;
}

void MemoryStream::shutdown_write() {
  out_->ended = true;
  out_->settle();
}

void MemoryStream::close() {
  if (!std::exchange(open_, false)) return;
  if (in_->read != nullptr) in_->finish(in_->read, 0, ECANCELED);
  if (out_->write != nullptr) out_->finish(out_->write, 0, ECANCELED);
  in_->reader_gone = true;
  in_->bytes.clear();
  out_->ended = true;
  in_->settle();
  out_->settle();
}

void MemoryStream::start_read(std::span<char>, net::IoOperation& operation) {
  in_->read = &operation;
  if (open_)
    in_->settle();
  else
    in_->finish(in_->read, 0, ECANCELED);
}

void MemoryStream::finish_read(std::span<char> buffer, net::IoOperation& operation) {
  operation.error = open_ ? in_->read_error : ECANCELED;
  if (operation.error != 0) return;
  operation.size = in_->take(buffer);
  in_->settle();
}

void MemoryStream::start_wait_writable(net::IoOperation& operation) {
  out_->write = &operation;
  if (open_)
    out_->settle();
  else
    out_->finish(out_->write, 0, ECANCELED);
}

}  // namespace micro::testkit
