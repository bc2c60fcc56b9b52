#include "exchange.hpp"

#include <charconv>

#include <micro/duration/duration.hpp>
#include <micro/grpc/request.hpp>
#include <micro/mucp/error.hpp>

#include "connection.hpp"
#include "node_pool.hpp"
#include "slot.hpp"

namespace micro::client {
namespace {

// In words of the time one sets: nanoseconds are noise here.
std::string time_text(Duration time) {
  if (time >= std::chrono::milliseconds(1)) time = std::chrono::round<std::chrono::milliseconds>(time);
  return format_duration(time);
}

// Never put into a compression table, here or further on (RFC 7541, section 7.1.3).
bool is_sensitive(std::string_view name) { return name == "authorization" || name == "proxy-authorization" || name == "cookie"; }

}  // namespace

std::string CallInfo::name() const { return std::string(service).append(1, '/').append(method); }

Error CallInfo::too_late(std::string_view where, std::string_view what) const {
  std::string text = name();
  text.append(where).append(": ").append(what).append(" within ").append(time_text(*deadline - begun));
  return deadline_exceeded(std::move(text));
}

Error CallInfo::cut_off(const Context& bounded, std::string_view where, std::string_view what) const {
  if (const std::optional<Error> asked = context.error()) return Error(*asked).with_context(name());
  if (slot.stopping().cancelled()) return Error(*slot.stopping().reason()).with_context(name());
  if (!deadline) return Error(*bounded.error()).with_context(name());
  return too_late(where, what);
}

Exchange::~Exchange() {
  if (stream_ == nullptr) return;
  stream_->user = nullptr;
  connection_->session().reset(*stream_, http2::ErrorCode::kCancel);
  connection_->output_added();
}

bool Exchange::open(Connection& connection, codec::MessageRef request) {
  connection_ = &connection;
  if (try_open(connection, request)) return true;
  connection.pool().give_back();
  return false;
}

bool Exchange::try_open(Connection& connection, codec::MessageRef request) {
  Context& context = info_.context;
  Slot& slot = info_.slot;
  const TimePoint now = slot.loop().now();
  context.begin_calling(connection.pool().address(), connection.identity());
  if (context.cancelled()) {
    fail_with(std::move(*context.error()).with_context(info_.name()));
    return false;
  }
  std::optional<Duration> timeout;
  if (info_.deadline) {
    timeout = *info_.deadline - now;
    if (*timeout <= Duration::zero()) {
      fail_with(info_.too_late({}, "the time was over before it could be sent"));
      return false;
    }
  }
  Result<std::string_view> block = connection.pool().blocks().get(info_.service, info_.method, timeout);
  Result<void> ready;
  if (!block) ready = fail(std::move(block.error()));
  if (ready) ready = add_metadata();
  if (ready && request) ready = encode(request);
  if (!ready) {
    fail_with(std::move(ready.error()));
    return false;
  }
  position_ = connection.position();
  opened_ = now;
  stream_ = connection.open_stream(*this, *block, slot.fields);
  if (stream_ == nullptr) {
    progress_ = retry::Progress::kNotSent;
    fail_with(at_node(Code::kUnavailable, "the connection takes no more calls"));
    return false;
  }
  if (request) connection.session().submit_data(*stream_, std::move(slot.encoded), true);
  connection.output_added();
  cancelled_.link(
      context.cancellation(),
      [](void* self, const Error& reason) {
        auto& exchange = *static_cast<Exchange*>(self);
        exchange.fail_with(Error(reason).with_context(exchange.info_.name()));
      },
      this);
  if (info_.deadline) {
    timer_.set(
        slot.loop(), *info_.deadline,
        [](void* self) {
          auto& exchange = *static_cast<Exchange*>(self);
          exchange.connection_->suspect(exchange.opened_);
          const std::string_view what = exchange.http_status_ == 0 ? "no answer" : "not finished";
          exchange.fail_with(exchange.info_.too_late(" at " + exchange.connection_->pool().address(), what));
        },
        this);
  }
  return true;
}

// What goes behind the prepared block.
Result<void> Exchange::add_metadata() {
  Slot& slot = info_.slot;
  slot.fields.clear();
  if (info_.compression != grpc::Compression::kIdentity) {
    slot.fields.push_back({"grpc-encoding", grpc::to_string(info_.compression)});
  }
  // Another one each time: not worth a place in the peer's table.
  if (const std::string_view id = info_.context.request_id_to_send(); !id.empty())
    slot.fields.push_back({"x-request-id", id, true});
  if (info_.context.outgoing().empty()) return {};
  slot.metadata.clear();
  if (Result<void> added = grpc::append_metadata(info_.context.outgoing(), slot.metadata); !added) return added;
  for (const grpc::Field field : slot.metadata) slot.fields.push_back({field.name, field.value, is_sensitive(field.name)});
  return {};
}

// Into slot.encoded, with the prefix.
Result<void> Exchange::encode(codec::MessageRef message) {
  Slot& slot = info_.slot;
  Buffer& out = slot.encoded;
  out.clear();
  const std::size_t frame = grpc::begin_frame(out);
  if (Result<void> done = slot.codec().marshal(message, out); !done) return done;
  const bool compressed =
      info_.compression != grpc::Compression::kIdentity && info_.context.request_compression() != Compress::kOff;
  if (compressed) {
    Buffer packed;
    const std::size_t start = grpc::begin_frame(packed);
    if (Result<void> done = grpc::compress(info_.compression, out.view().substr(grpc::kPrefixSize), packed); !done) return done;
    grpc::end_frame(packed, start, true);
    out = std::move(packed);
  }
  const std::size_t size = out.size() - grpc::kPrefixSize;
  if (Result<void> allowed = grpc::check_send_size(size, slot.options().max_send_message_size); !allowed) {
    return fail(std::move(allowed.error()).with_context(info_.name()));
  }
  if (!compressed) grpc::end_frame(out, frame, false);
  return {};
}

Result<void> Exchange::send(codec::MessageRef message, bool last) {
  if (Result<void> encoded = encode(message); !encoded) return encoded;
  connection_->session().submit_data(*stream_, std::move(info_.slot.encoded), last);
  connection_->output_added();
  return {};
}

Result<void> Exchange::decode(const grpc::MessageReader::Message& message, codec::MessageRef into) {
  Slot& slot = info_.slot;
  Result<void> done;
  info_.context.set_reply_was_compressed(message.compressed);
  if (message.compressed) {
    Buffer plain;
    done = grpc::decompress(encoding_, message.payload, slot.options().max_receive_message_size, plain);
    if (done) done = slot.codec().unmarshal(plain.view(), into);
  } else {
    done = slot.codec().unmarshal(message.payload, into);
  }
  if (done) [[likely]]
    return done;
  // The codec blames whoever gave it the bytes; here that is the service, not the caller.
  const Code code = done.error().code() == Code::kInvalidArgument ? Code::kInternal : done.error().code();
  return fail(at_node(code, "cannot read the reply: " + done.error().message()));
}

Error Exchange::at_node(Code code, std::string_view what) const {
  std::string text = info_.name();
  // Afterwards the connection may be gone.
  if (!ended_) text.append(" at ").append(connection_->pool().address());
  text.append(": ").append(what);
  return Error(code, std::move(text));
}

void Exchange::on_headers(const http2::HeaderBlock& block, bool end_stream) {
  if (Result<void> taken = take_head(block, end_stream); !taken) return end(std::move(taken), end_stream);
  if (end_stream) complete();
}

Result<void> Exchange::take_head(const http2::HeaderBlock& block, bool end_stream) {
  std::from_chars(block.status.data(), block.status.data() + block.status.size(), http_status_);
  const std::string_view content_type = block.find("content-type");
  const auto subtype = grpc::parse_content_type(content_type);
  if (http_status_ != 200 || !subtype) {
    const bool has_status = end_stream && block.find(grpc::kStatusName).data() != nullptr;
    if (!has_status) return fail(not_grpc(block, content_type));
  } else if (*subtype != info_.slot.codec().name()) {
    return fail(at_node(Code::kInternal, "answered in " + std::string(content_type) + ", asked for application/grpc+proto"));
  }
  Context& context = info_.context;
  Metadata& out = end_stream ? context.reply_trailers() : context.reply_headers();
  for (const http2::Field& field : block.fields) {
    if (end_stream && status_.take(field.name, field.value)) continue;
    if (field.name == "grpc-encoding") {
      const Result<grpc::Compression> encoding = grpc::parse_encoding(field.value, Code::kInternal);
      if (!encoding) return fail(at_node(Code::kInternal, encoding.error().message()));
      encoding_ = *encoding;
      continue;
    }
    if (context.serving()) continue;
    if (Result<void> taken = grpc::take_field(field.name, field.value, out); !taken) {
      return fail(at_node(Code::kInternal, taken.error().message()));
    }
  }
  grpc::MessageReader::Options reader;
  reader.max_message_size = info_.slot.options().max_receive_message_size;
  reader.encoding = encoding_;
  reader_.reset(reader);
  return {};
}

Error Exchange::not_grpc(const http2::HeaderBlock& block, std::string_view content_type) const {
  std::string what = "no gRPC answer: HTTP status " + std::string(block.status);
  if (content_type.empty())
    what.append(" without content-type");
  else
    what.append(", content-type ").append(content_type);
  what.append("; is a gRPC server listening there?");
  return at_node(grpc::code_from_http_status(http_status_), what);
}

void Exchange::on_data(std::string_view data, bool end_stream) {
  take_data(data);
  if (ended_ || !end_stream) return;
  end(fail(at_node(Code::kInternal, "the answer ended without a status")), true);
}

void Exchange::on_trailers(const http2::HeaderBlock& block) {
  for (const http2::Field& field : block.fields) {
    if (status_.take(field.name, field.value) || info_.context.serving()) continue;
    if (Result<void> taken = grpc::take_field(field.name, field.value, info_.context.reply_trailers()); !taken) {
      return end(fail(at_node(Code::kInternal, taken.error().message())), true);
    }
  }
  complete();
}

void Exchange::complete() {
  if (!status_.has_status()) return end(fail(at_node(Code::kInternal, "the answer ended without a status")), true);
  Result<void> result = status_.result(http_status_);
  if (!result) result = fail(mucp::refine(std::move(result.error())));
  answered_ = true;
  if (result) {
    result = check_complete();
    answered_ = result.has_value();
  }
  end(std::move(result), true);
}

void Exchange::on_reset(http2::ErrorCode code, bool by_peer) {
  const std::optional<Error>& lost = connection_->ended();
  Error error = internal("");
  if (by_peer && code == http2::ErrorCode::kRefusedStream) {
    progress_ = retry::Progress::kNotSent;
    error = at_node(Code::kUnavailable, "refused, and not processed");
  } else if (by_peer) {
    // A server that watches the deadline too may reset the stream a moment before our own timer fires (grpc-go does).
    const bool late = code == http2::ErrorCode::kCancel && info_.deadline && Clock::now() >= *info_.deadline;
    const Code mapped = late ? Code::kDeadlineExceeded : grpc::code_from_http2_error(static_cast<std::uint32_t>(code));
    error = at_node(mapped, "the service reset the stream with " + std::string(http2::to_string(code)));
  } else if (lost) {
    if (connection_->written() <= position_) progress_ = retry::Progress::kNotSent;
    error = at_node(lost->code(), lost->message());
  } else {
    const Code mapped = grpc::code_from_http2_error(static_cast<std::uint32_t>(code));
    error = at_node(mapped, "the service broke a rule of HTTP/2 (" + std::string(http2::to_string(code)) + ")");
  }
  // The session closes the stream by itself.
  stream_->user = nullptr;
  stream_ = nullptr;
  end(fail(std::move(error)), true);
}

void Exchange::fail_with(Error error) { end(fail(std::move(error)), false); }

void Exchange::end(Result<void> result, bool peer_done) {
  if (ended_) return;
  ended_ = true;
  result_ = std::move(result);
  timer_.cancel();
  cancelled_.unlink();
  if (http2::Stream* const stream = std::exchange(stream_, nullptr)) {
    stream->user = nullptr;
    // A service may answer before it has read everything; the rest is of no use then.
    if (!peer_done || !stream->local_closed() || stream->queued() != 0) {
      connection_->session().reset(*stream, http2::ErrorCode::kCancel);
      connection_->output_added();
    }
  }
  on_end();
}

}  // namespace micro::client
