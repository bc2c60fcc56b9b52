#include "mucp_socket.hpp"

#include <cerrno>
#include <utility>

#include <micro/net/connect.hpp>
#include <micro/tls/credentials.hpp>
#include <micro/tls/stream.hpp>

#include "slot.hpp"

namespace micro::client {
namespace {

// Beside the message: envelopes and frames.
constexpr std::size_t kBodyExtra = 64 * 1024;

http1::Limits limits(const rpc::ClientOptions& options) {
  http1::Limits limits;
  // go-micro repeats all headers of the request in its responses.
  limits.max_header_bytes = 64 * 1024;
  limits.max_body = options.max_receive_message_size + kBodyExtra;
  return limits;
}

}  // namespace

MucpSocket::MucpSocket(Slot& slot, std::unique_ptr<net::Stream> stream)
    : slot_(slot), stream_(std::move(stream)), parser_(limits(slot.options())) {
  slot_.counters.open_connections.add();
}

MucpSocket::~MucpSocket() {
  stream_->close();
  slot_.counters.open_connections.subtract();
}

Task<Result<std::unique_ptr<MucpSocket>>> MucpSocket::open(Slot& slot, Context& context, const Address& address, bool secure) {
  Result<std::unique_ptr<net::Stream>> connected = co_await net::connect(context, address);
  if (!connected) co_return fail(std::move(connected.error()));
  if (!secure) co_return std::make_unique<MucpSocket>(slot, std::move(*connected));

  Result<std::shared_ptr<tls::ClientCredentials>> credentials = slot.tls_credentials();
  if (!credentials) co_return fail(std::move(credentials.error()));
  const std::string host = address.is_unix() || address.host.empty() ? "localhost" : address.host;
  std::unique_ptr<tls::Stream> secured = tls::Stream::client(std::move(*connected), **credentials, host, "http/1.1");
  tls::Stream& stream = *secured;
  CancelCallback closer;
  closer.link(context.cancellation(), [](void* self, const Error&) { static_cast<tls::Stream*>(self)->close(); }, &stream);
  const Result<void> done = co_await stream.handshake();
  if (!done) co_return fail(done.error());
  auto socket = std::make_unique<MucpSocket>(slot, std::move(secured));
  socket->identity_ = stream.identity();
  co_return socket;
}

Task<Result<void>> MucpSocket::write(Buffer bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.view();
    const Result<std::size_t> taken = stream_->try_write({&piece, 1});
    if (!taken) co_return fail(taken.error());
    bytes.consume(*taken);
    if (*taken != 0) continue;
    const Result<void> writable = co_await stream_->wait_writable();
    if (!writable) co_return fail(writable.error());
  }
  co_return Result<void>{};
}

Result<bool> MucpSocket::take() {
  std::string_view input = rest_.view();
  Result<http1::Event> event = http1::Event::kNeedMore;
  do {
    event = parser_.next(input);
    if (event && *event == http1::Event::kBody) body_ += parser_.body();
  } while (event && *event != http1::Event::kNeedMore && *event != http1::Event::kEnd);
  rest_.consume(rest_.size() - input.size());
  if (!event) return fail(std::move(event.error()));
  return *event == http1::Event::kEnd;
}

Task<Result<void>> MucpSocket::read() {
  body_.clear();
  heard_ = reset_ = false;
  parser_.expect(http::Method::kPost);
  while (true) {
    const Result<bool> whole = take();
    if (!whole) co_return fail(whole.error());
    if (*whole) co_return Result<void>{};
    const std::span<char> buffer = slot_.scratch();
    net::Stream::ReadAwaiter reading = stream_->read_some(buffer);
    const Result<std::size_t> count = co_await reading;
    if (!count) {
      reset_ = reading.operation.error == ECONNRESET;
      co_return fail(count.error());
    }
    if (*count == 0) {
      const Result<http1::Event> last = parser_.finish();
      if (last && *last == http1::Event::kEnd) co_return Result<void>{};
      co_return fail(unavailable(stream_->peer() + " closed the connection"));
    }
    heard_ = true;
    rest_.append(buffer.data(), *count);
  }
}

bool MucpSocket::alive() {
  bool would_block = false;
  const Result<std::size_t> count = stream_->try_read(slot_.scratch(), would_block);
  return rest_.empty() && count && would_block;
}

void MucpSocket::close_with(std::string_view farewell) {
  if (stream_->is_open()) (void)stream_->try_write({&farewell, 1});
  stream_->close();
}

}  // namespace micro::client
