#include <micro/websocket/session.hpp>

#include <stdexcept>
#include <string>
#include <utility>

#include "session_impl.hpp"

namespace micro::websocket {

SessionImpl::SessionImpl(Role role, const Options& options, std::optional<Deflate> deflate) : role_(role), options_(options) {
  if (!deflate) return;
  const bool server = role == Role::kServer;
  const auto ours = server ? deflate->server_max_window_bits : deflate->client_max_window_bits;
  const auto theirs = server ? deflate->client_max_window_bits : deflate->server_max_window_bits;
  const bool we_forget = server ? deflate->server_no_context_takeover : deflate->client_no_context_takeover;
  const bool they_forget = server ? deflate->client_no_context_takeover : deflate->server_no_context_takeover;
  compressor_.emplace(ours, !we_forget, options.compression_level);
  decompressor_.emplace(theirs, !they_forget);
}

Session::Session(Role role, const Options& options, std::optional<Deflate> deflate)
    : impl_(std::make_unique<SessionImpl>(role, options, deflate)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

Result<Event> Session::next(std::string_view& input) { return impl_->next(input); }
Result<void> Session::finish() { return impl_->finish(); }
MessageKind Session::kind() const noexcept { return impl_->kind; }
std::string_view Session::payload() const noexcept { return impl_->payload; }
std::size_t Session::unfinished() const noexcept { return impl_->message.size(); }

Buffer Session::take_payload() noexcept {
  impl_->payload = {};
  return std::move(impl_->message);
}
std::uint16_t Session::close_code() const noexcept { return impl_->received_code; }
std::uint16_t Session::sent_close_code() const noexcept { return impl_->sent_code; }

Chain& Session::output() noexcept { return impl_->output; }
Result<void> Session::send(MessageKind kind, std::string_view payload) { return impl_->send(kind, payload); }
Result<void> Session::send(MessageKind kind, Buffer&& payload) { return impl_->send(kind, std::move(payload)); }
Result<void> Session::send_piece(MessageKind kind, std::string_view piece, bool last) {
  return impl_->send_piece(kind, piece, last);
}
void Session::ping(std::string_view payload) { impl_->send_control(Opcode::kPing, payload.substr(0, kMaxControlPayload)); }
void Session::pong(std::string_view payload) { impl_->send_control(Opcode::kPong, payload.substr(0, kMaxControlPayload)); }

void Session::close(std::uint16_t code, std::string_view reason) {
  if (!is_valid_close_code(code))
    throw std::logic_error("a WebSocket close frame cannot carry code " + std::to_string(code) + "; use 1000, 3000 to 4999, ...");
  impl_->close(code, close_reason(reason));
}

bool Session::can_send() const noexcept { return impl_->can_send(); }
bool Session::closed() const noexcept { return impl_->closed(); }

}  // namespace micro::websocket
