#include <micro/http1/writer.hpp>

#include <charconv>
#include <cstddef>
#include <cstring>

#include <micro/http/field.hpp>
#include <micro/http/status.hpp>

#include "trailer.hpp"

namespace micro::http1 {

namespace {

using Kind = BodySize::Kind;

// Room for what a head holds besides the caller's texts: digits, names of the framing fields, CRLFs.
constexpr std::size_t kSlack = 256;

// Writes into room that was measured before.
class Cursor {
 public:
  explicit Cursor(char* out) : begin_(out), out_(out) {}
  Cursor& operator<<(std::string_view text) noexcept {
    out_ += text.copy(out_, text.size());
    return *this;
  }
  // Texts known to the compiler become a few moves instead of a call.
  template <std::size_t N>
  Cursor& operator<<(const char (&text)[N]) noexcept {
    std::memcpy(out_, text, N - 1);
    out_ += N - 1;
    return *this;
  }
  Cursor& operator<<(std::uint64_t number) noexcept {
    out_ = std::to_chars(out_, out_ + 20, number).ptr;
    return *this;
  }
  std::size_t written() const noexcept { return static_cast<std::size_t>(out_ - begin_); }

 private:
  char* begin_;
  char* out_;
};

std::unexpected<Error> refuse(std::string_view what, std::string_view subject, std::string_view why) {
  std::string message = "cannot write the HTTP message: ";
  message.append(what).append(" '");
  for (const char c : subject.substr(0, 64)) message.push_back(static_cast<unsigned char>(c) < 0x20 || c == '\x7f' ? '?' : c);
  message.append("' ").append(why);
  return fail(invalid_argument(std::move(message)).with_reason("HTTP_WRITE"));
}

// The fields the writer itself decides on.
bool is_framing(std::string_view name) noexcept {
  switch (name.size()) {
    case 7:
      return equals_ignore_case(name, "Upgrade");
    case 10:
      return equals_ignore_case(name, "Connection") || equals_ignore_case(name, "Keep-Alive");
    case 14:
      return equals_ignore_case(name, "Content-Length");
    case 16:
      return equals_ignore_case(name, "Proxy-Connection");
    case 17:
      return equals_ignore_case(name, "Transfer-Encoding");
    default:
      return false;
  }
}

bool is_host(std::string_view name) noexcept { return name.size() == 4 && equals_ignore_case(name, "Host"); }

// Checks every field and returns the bytes they will take.
Result<std::size_t> measure(const Metadata& headers) {
  std::size_t size = 0;
  for (const auto [name, value] : headers) {
    if (!http::is_token(name)) return refuse("the header name", name, "is not a token");
    if (!http::is_field_value(value)) return refuse("the value of header", name, "holds a control byte");
    size += name.size() + value.size() + 4;
  }
  return size;
}

void put_field(Cursor& cursor, std::string_view name, std::string_view value) noexcept {
  cursor << name << ": " << value << "\r\n";
}

void put_body_size(Cursor& cursor, BodySize body) noexcept {
  if (body.kind() == Kind::kExact) cursor << "Content-Length: " << body.bytes() << "\r\n";
  if (body.kind() == Kind::kChunked) cursor << "Transfer-Encoding: chunked\r\n";
}

void put_connection(Cursor& cursor, bool keep_alive, std::uint8_t minor_version) noexcept {
  if (!keep_alive) {
    cursor << "Connection: close\r\n";
  } else if (minor_version == 0) {
    cursor << "Connection: keep-alive\r\n";
  }
}

void put_status_line(Cursor& cursor, int status) noexcept {
  cursor << "HTTP/1.1 " << static_cast<std::uint64_t>(status) << " " << http::reason_phrase(status) << "\r\n";
}

template <class Out>
Result<void> response_head(Out& out, const ResponseStart& start, const Metadata& headers) {
  if (start.status < 100 || start.status > 999)
    return refuse("the status", std::to_string(start.status), "is not of three digits");
  if (!http::is_field_value(start.date)) return refuse("the date", start.date, "holds a control byte");
  if (!http::is_field_value(start.upgrade)) return refuse("the upgrade", start.upgrade, "holds a control byte");
  BodySize body = start.body;
  if (http::is_interim(start.status) || start.status == http::status::kNoContent) body = BodySize::none();
  if (body.kind() == Kind::kChunked && start.minor_version == 0) {
    return refuse("the body size", "chunked", "is not known to HTTP/1.0; use until_close()");
  }
  const auto size = measure(headers);
  if (!size) return std::unexpected(size.error());

  Cursor cursor(out.prepare(*size + start.date.size() + start.upgrade.size() + kSlack));
  put_status_line(cursor, start.status);
  bool dated = start.date.empty();
  for (const auto [name, value] : headers) {
    if (is_framing(name)) continue;
    if (!dated && name.size() == 4 && equals_ignore_case(name, "Date")) dated = true;
    put_field(cursor, name, value);
  }
  if (!dated) put_field(cursor, "Date", start.date);
  put_body_size(cursor, body);
  if (!start.upgrade.empty()) {
    put_field(cursor, "Upgrade", start.upgrade);
    cursor << "Connection: Upgrade\r\n";
  } else if (!http::is_interim(start.status)) {
    put_connection(cursor, start.keep_alive && body.kind() != Kind::kUntilClose, start.minor_version);
  }
  cursor << "\r\n";
  out.commit(cursor.written());
  return {};
}

template <class Out>
Result<void> request_head(Out& out, const RequestStart& start, const Metadata& headers) {
  if (!http::is_token(start.method)) return refuse("the method", start.method, "is not a token");
  if (start.target.empty() || !http::all_of_class(start.target, http::kTargetChar)) {
    return refuse("the target", start.target, "is empty or holds bytes that must be percent-encoded");
  }
  if (!http::is_authority(start.host)) return refuse("the host", start.host, "is not host[:port]");
  if (!http::is_field_value(start.upgrade)) return refuse("the upgrade", start.upgrade, "holds a control byte");
  if (start.body.kind() == Kind::kUntilClose) return refuse("the body size", "until_close", "is for responses only");
  const auto size = measure(headers);
  if (!size) return std::unexpected(size.error());

  Cursor cursor(
      out.prepare(*size + start.method.size() + start.target.size() + start.host.size() + start.upgrade.size() + kSlack));
  cursor << start.method << " " << start.target << " HTTP/1.1\r\n";
  put_field(cursor, "Host", start.host);
  for (const auto [name, value] : headers) {
    if (!is_framing(name) && !is_host(name)) put_field(cursor, name, value);
  }
  put_body_size(cursor, start.body);
  if (start.expect_continue) cursor << "Expect: 100-continue\r\n";
  if (!start.upgrade.empty()) {
    put_field(cursor, "Upgrade", start.upgrade);
    cursor << (start.upgrade == "h2c" ? "Connection: Upgrade, HTTP2-Settings\r\n" : "Connection: Upgrade\r\n");
  } else {
    put_connection(cursor, start.keep_alive, 1);
  }
  cursor << "\r\n";
  out.commit(cursor.written());
  return {};
}

template <class Out>
void chunk_line(Out& out, std::uint64_t size) {
  char* const room = out.prepare(18);
  char* const end = std::to_chars(room, room + 16, size, 16).ptr;
  std::memcpy(end, "\r\n", 2);
  out.commit(static_cast<std::size_t>(end - room) + 2);
}

template <class Out>
void chunk(Out& out, std::string_view data) {
  if (data.empty()) return;
  chunk_line(out, data.size());
  out.append(data);
  out.append(std::string_view("\r\n"));
}

template <class Out>
Result<void> last_chunk(Out& out, const Metadata& trailers) {
  const auto size = measure(trailers);
  if (!size) return std::unexpected(size.error());
  for (const auto [name, value] : trailers) {
    if (forbidden_in_trailers(name)) return refuse("the trailer", name, "belongs to the head");
  }
  Cursor cursor(out.prepare(*size + kSlack));
  cursor << "0\r\n";
  for (const auto [name, value] : trailers) put_field(cursor, name, value);
  cursor << "\r\n";
  out.commit(cursor.written());
  return {};
}

template <class Out>
void prepared(Out& out, std::string_view head, std::string_view body, const PreparedResponse::Options& options) {
  const bool together = !options.omit_body && body.size() <= Chain::kCopyThreshold;
  Cursor cursor(out.prepare(head.size() + options.date.size() + (together ? body.size() : 0) + kSlack));
  cursor << head;
  if (!options.date.empty()) put_field(cursor, "Date", options.date);
  put_body_size(cursor, BodySize::exactly(body.size()));
  put_connection(cursor, options.keep_alive, options.minor_version);
  cursor << "\r\n";
  if (together) cursor << body;
  out.commit(cursor.written());
  if (!together && !options.omit_body) out.append(body);
}

constexpr std::string_view kContinueHead = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Result<void> write_response_head(Buffer& out, const ResponseStart& start, const Metadata& headers) {
  return response_head(out, start, headers);
}
Result<void> write_response_head(Chain& out, const ResponseStart& start, const Metadata& headers) {
  return response_head(out, start, headers);
}
Result<void> write_request_head(Buffer& out, const RequestStart& start, const Metadata& headers) {
  return request_head(out, start, headers);
}
Result<void> write_request_head(Chain& out, const RequestStart& start, const Metadata& headers) {
  return request_head(out, start, headers);
}

void write_chunk(Buffer& out, std::string_view data) { chunk(out, data); }
void write_chunk(Chain& out, std::string_view data) { chunk(out, data); }
void write_chunk(Chain& out, Buffer&& data) {
  if (data.empty()) return;
  chunk_line(out, data.size());
  out.append(std::move(data));
  out.append(std::string_view("\r\n"));
}

Result<void> write_last_chunk(Buffer& out, const Metadata& trailers) { return last_chunk(out, trailers); }
Result<void> write_last_chunk(Chain& out, const Metadata& trailers) { return last_chunk(out, trailers); }

void write_continue(Buffer& out) { out.append(kContinueHead); }
void write_continue(Chain& out) { out.append(kContinueHead); }

Result<PreparedResponse> PreparedResponse::make(int status, const Metadata& headers) {
  if (status < 200 || status > 999 || !http::allows_body(status)) {
    return refuse("the status", std::to_string(status), "is not one of a response with a body");
  }
  const auto size = measure(headers);
  if (!size) return std::unexpected(size.error());
  std::string head(*size + kSlack, '\0');
  Cursor cursor(head.data());
  put_status_line(cursor, status);
  for (const auto [name, value] : headers) {
    if (!is_framing(name) && !equals_ignore_case(name, "Date")) put_field(cursor, name, value);
  }
  head.resize(cursor.written());
  head.shrink_to_fit();
  return PreparedResponse(std::move(head));
}

void PreparedResponse::write(Buffer& out, std::string_view body, const Options& options) const {
  prepared(out, head_, body, options);
}
void PreparedResponse::write(Chain& out, std::string_view body, const Options& options) const {
  prepared(out, head_, body, options);
}

}  // namespace micro::http1
