#include <micro/context/context.hpp>

#include <algorithm>

#include <micro/id/id.hpp>

namespace micro {
namespace {

constexpr int kRequestIdBytes = 16;
constexpr std::size_t kMaxRequestId = 128;

}  // namespace

Context::Context(Context& parent) : deadline_(parent.deadline_), outgoing_(parent.outgoing_), request_id_(parent.request_id()) {
  const auto follow = [](void* self, const Error& reason) { static_cast<Context*>(self)->cancel(reason); };
  parent_link_.link(parent.cancellation_, follow, this);
}

void Context::set_deadline(TimePoint deadline) noexcept {
  if (!deadline_ || deadline < *deadline_) deadline_ = deadline;
}

void Context::set_timeout(Duration timeout, TimePoint now) noexcept {
  if (timeout.count() > 0 && now > TimePoint::max() - timeout) return;
  set_deadline(now + std::max(timeout, Duration::zero()));
}

std::optional<Duration> Context::remaining(TimePoint now) const noexcept {
  if (!deadline_) return std::nullopt;
  return *deadline_ > now ? *deadline_ - now : Duration::zero();
}

void Context::begin_serving(std::string_view peer, std::shared_ptr<const PeerIdentity> identity) {
  serving_ = true;
  peer_.assign(peer);
  peer_identity_ = std::move(identity);
}

void Context::begin_calling(std::string_view peer, std::shared_ptr<const PeerIdentity> identity) {
  if (serving_) return;
  reply_headers_.clear();
  reply_trailers_.clear();
  peer_.assign(peer);
  peer_identity_ = std::move(identity);
}

const std::string& Context::request_id() const {
  if (serving_ && request_id_.empty()) request_id_ = random_hex(kRequestIdBytes);
  return request_id_;
}

void Context::set_request_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxRequestId) return;
  if (std::ranges::all_of(id, [](char c) { return c > ' ' && c <= '~'; })) request_id_.assign(id);
}

std::string_view Context::request_id_to_send() const {
  return outgoing_.contains("x-request-id") ? std::string_view{} : std::string_view{request_id()};
}

void Context::reset() noexcept {
  parent_link_.unlink();
  cancellation_.reset();
  deadline_.reset();
  incoming_.clear();
  outgoing_.clear();
  reply_headers_.clear();
  reply_trailers_.clear();
  peer_.clear();
  peer_identity_.reset();
  request_id_.clear();
  reply_compression_ = request_compression_ = Compress::kDefault;
  request_was_compressed_ = reply_was_compressed_ = serving_ = false;
}

}  // namespace micro
