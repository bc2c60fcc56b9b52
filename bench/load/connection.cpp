#include "connection.hpp"

#include <bit>
#include <utility>

#include "socket.hpp"

namespace bench {
namespace {

constexpr std::size_t kReadSize = 256 * 1024;

// HPACK representations (RFC 7541, section 6) of a field with the given index of the static table for its name.
std::string indexed(unsigned index) { return std::string(1, static_cast<char>(0x80 | index)); }
std::string literal_indexed(unsigned name_index, std::string_view value) {
  return std::string(1, static_cast<char>(0x40 | name_index)) + hpack_string(value);
}
std::string literal(std::string_view name, std::string_view value) {
  return std::string(1, '\0') + hpack_string(name) + hpack_string(value);
}

}  // namespace

Requests::Requests(std::string_view authority, std::string_view path, std::string_view message, std::uint32_t times,
                   std::string reply, bool metadata)
    : message_size_(message.size() * times), expected_reply_(std::move(reply)) {
  const std::string method_and_scheme = indexed(3) + indexed(6);  // :method POST, :scheme http
  const std::string fields[] = {literal_indexed(4, path), literal_indexed(1, authority), literal_indexed(31, "application/grpc"),
                                std::string(1, '\x40') + hpack_string("te") + hpack_string("trailers"),
                                literal_indexed(58, "grpc-load/1")};
  std::string first = method_and_scheme, later = method_and_scheme;
  unsigned table_index = 61 + std::size(fields);  // the dynamic table starts at 62 with the newest entry
  for (const std::string& field : fields) {
    first += field;
    later += indexed(table_index--);
  }
  first_ = make_template(first, message, times, metadata);
  later_ = make_template(later, message, times, metadata);
}

Requests::Template Requests::make_template(const std::string& header_block, std::string_view message, std::uint32_t times,
                                           bool metadata) {
  Template result{.bytes = {}, .frames = {0}, .trace_at = std::string::npos};
  std::string block = header_block;
  if (metadata) {
    block += literal("grpc-timeout", "2500m") + literal("x-trace-id", std::string(32, '0'));
    result.trace_at = kFrameHeaderSize + block.size() - 16;
  }
  append_frame(result.bytes, kHeaders, kEndHeaders, 0, block);
  for (; times > 0; --times) {
    result.frames.push_back(result.bytes.size());
    append_frame(result.bytes, kData, times == 1 ? kEndStream : 0, 0, message);
  }
  return result;
}

void Requests::append_to(std::string& out, bool first, std::uint32_t stream) {
  const Template& source = first ? first_ : later_;
  const std::size_t at = out.size();
  out.append(source.bytes);
  for (const std::size_t frame : source.frames) write_u32(out.data() + at + frame + 5, stream);
  if (source.trace_at == std::string::npos) return;
  std::uint64_t trace = ++trace_ * 0x9e3779b97f4a7c15u;
  for (std::size_t i = 0; i < 16; ++i, trace >>= 4) out[at + source.trace_at + i] = "0123456789abcdef"[trace & 15];
}

Connection::Connection(const std::string& address, int epoll, Requests& requests, Run& run)
    : epoll_(epoll), fd_(tcp_socket(0)), requests_(requests), run_(run), slots_(std::bit_ceil(run.streams * 4)), in_(kReadSize) {
  const sockaddr_in peer = parse_address(address);
  check(connect(fd_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer), address.c_str());
  set_nodelay(fd_);
  out_ = kPreface;
  // Both windows wide open: SETTINGS_INITIAL_WINDOW_SIZE for streams, WINDOW_UPDATE for the connection.
  append_frame(out_, kSettings, 0, 0, std::string("\0\4", 2) + u32_bytes(0x7fffffffu));
  append_frame(out_, kWindowUpdate, 0, 0, u32_bytes(0x7fffffffu - 65535u));
  epoll_set(epoll_, EPOLL_CTL_ADD, fd_, EPOLLIN, this);
  write();
}

Connection::~Connection() { close(fd_); }

void Connection::on_event(std::uint32_t events, std::uint64_t now_ns) {
  if (events & ~static_cast<std::uint32_t>(EPOLLOUT)) read(now_ns);
  send(now_ns);
}

void Connection::send(std::uint64_t now_ns) {
  if (!open_) return;
  send_requests(now_ns);
  write();
}

void Connection::abandon(const std::string& why) {
  if (open_) epoll_set(epoll_, EPOLL_CTL_DEL, fd_, 0, nullptr);
  open_ = false;
  run_.failed += due_.size();
  due_.clear();
  for (Stream& stream : slots_) {
    if (stream.id != 0) finish(stream, 0, why.c_str());
  }
}

void Connection::read(std::uint64_t now_ns) {
  const ssize_t got = recv(fd_, in_.data() + have_, in_.size() - have_, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (outstanding_ == 0 && run_.first_failure.empty()) run_.first_failure = "the server closed an idle connection";
    abandon(got == 0 ? "the server closed the connection" : std::strerror(errno));
    return;
  }
  have_ += static_cast<std::size_t>(got);
  const std::size_t used = each_frame({in_.data(), have_}, [&](const Frame& frame) { on_frame(frame, now_ns); });
  have_ -= used;
  std::memmove(in_.data(), in_.data() + used, have_);
}

void Connection::write() {
  if (!out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return abandon(std::strerror(errno));
    if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
  }
  if (want_write_ != !out_.empty()) {
    want_write_ = !want_write_;
    epoll_set(epoll_, EPOLL_CTL_MOD, fd_, EPOLLIN | (want_write_ ? EPOLLOUT : 0u), this);
  }
}

void Connection::send_requests(std::uint64_t now_ns) {
  const auto message_size = static_cast<std::int64_t>(requests_.message_size());
  const auto more = [&] { return run_.scheduled ? !due_.empty() : run_.to_send > 0; };
  while (settings_seen_ && outstanding_ < run_.streams && more() && send_window_ >= message_size) {
    while (slot(next_id_).id != 0) next_id_ += 2;
    slot(next_id_) = {.id = next_id_, .headers_seen = false, .received = 0, .sent_ns = run_.scheduled ? due_.front() : now_ns};
    requests_.append_to(out_, first_, next_id_);
    first_ = false;
    next_id_ += 2;
    send_window_ -= message_size;
    ++outstanding_;
    if (run_.scheduled) {
      due_.pop_front();
    } else {
      --run_.to_send;
    }
  }
}

void Connection::on_frame(const Frame& frame, std::uint64_t now_ns) {
  switch (frame.type) {
    case kData:
    case kHeaders:
    case kRstStream:
      return on_stream_frame(frame, now_ns);
    case kSettings:
      if (!(frame.flags & kAck)) on_settings(frame.payload);
      return;
    case kPing:
      if (!(frame.flags & kAck)) append_frame(out_, kPing, kAck, 0, frame.payload);
      return;
    case kWindowUpdate:
      if (frame.stream == 0) send_window_ += read_u32(frame.payload.data());
      return;
    case kGoaway:
      run_.first_failure = "the server sent GOAWAY, error code " + std::to_string(read_u32(frame.payload.data() + 4));
      run_.to_send = 0;
      return;
    default:
      return;
  }
}

void Connection::on_stream_frame(const Frame& frame, std::uint64_t now_ns) {
  Stream& stream = slot(frame.stream);
  ++run_.frames;
  if (stream.id != frame.stream) return;  // already over: RST_STREAM may follow the trailers
  if (frame.type == kRstStream) return finish(stream, now_ns, "the server reset the stream");
  const bool last = frame.flags & kEndStream;
  if (frame.type == kHeaders) {
    const bool whole = stream.headers_seen && stream.received == requests_.expected_reply().size();
    stream.headers_seen = true;
    if (last) finish(stream, now_ns, whole ? nullptr : "trailers without the expected message: an error status");
    return;
  }
  receive_used_ += static_cast<std::uint32_t>(frame.payload.size());
  if (receive_used_ > kWindowStep) {
    append_frame(out_, kWindowUpdate, 0, 0, u32_bytes(receive_used_));
    receive_used_ = 0;
  }
  const std::string_view expected = requests_.expected_reply();
  if (last || stream.received > expected.size() || !expected.substr(stream.received).starts_with(frame.payload)) {
    return finish(stream, now_ns, last ? "DATA ends the stream: trailers are missing" : "the reply is not the expected message");
  }
  stream.received += static_cast<std::uint32_t>(frame.payload.size());
}

void Connection::on_settings(std::string_view payload) {
  settings_seen_ = true;
  append_frame(out_, kSettings, kAck, 0, {});
  for (; payload.size() >= 6; payload.remove_prefix(6)) {
    const unsigned id = read_u32(payload.data()) >> 16;
    const std::uint32_t value = read_u32(payload.data() + 2);
    const auto refuse = [&](const char* name) {
      die(std::string("the server's ") + name + " of " + std::to_string(value) + " is too small");
    };
    if (id == 1 && value < 4096) refuse("SETTINGS_HEADER_TABLE_SIZE");
    if (id == 3 && value < run_.streams) refuse("SETTINGS_MAX_CONCURRENT_STREAMS");
    if (id == 4 && value < requests_.message_size()) refuse("SETTINGS_INITIAL_WINDOW_SIZE");
  }
}

void Connection::finish(Stream& stream, std::uint64_t now_ns, const char* failure) {
  if (failure == nullptr) {
    ++run_.ok;
    run_.latency.add(now_ns - stream.sent_ns);
  } else {
    ++run_.failed;
    if (run_.first_failure.empty()) run_.first_failure = failure;
  }
  stream.id = 0;
  --outstanding_;
}

}  // namespace bench
