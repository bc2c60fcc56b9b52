#include "uuid.hpp"

#include <array>
#include <chrono>

#include <micro/id/id.hpp>

#include "random.hpp"

namespace micro {
namespace id {
namespace {

constexpr std::uint64_t kVariant = std::uint64_t{2} << 62;  // RFC 9562, section 4.1: bits 10
constexpr std::uint64_t kTailMask = (std::uint64_t{1} << 62) - 1;
constexpr std::uint64_t kCountLimit = 0x1000;

}  // namespace

std::string format_uuid(std::uint64_t high, std::uint64_t low) {
  std::string text;
  text.reserve(36);
  append_hex(text, high >> 32, 4).push_back('-');
  append_hex(text, high >> 16, 2).push_back('-');
  append_hex(text, high, 2).push_back('-');
  append_hex(text, low >> 48, 2).push_back('-');
  return append_hex(text, low, 6);
}

std::string Sequence::next(std::uint64_t milliseconds, std::uint64_t random_count, std::uint64_t random_tail) {
  const bool same_millisecond = milliseconds <= milliseconds_;
  if (!same_millisecond || ++count_ == kCountLimit) {
    milliseconds_ = same_millisecond ? milliseconds_ + 1 : milliseconds;
    count_ = random_count % (kCountLimit / 2);
  }
  return format_uuid(milliseconds_ << 16 | 0x7000 | count_, kVariant | (random_tail & kTailMask));
}

}  // namespace id

std::string uuid_v4() {
  std::array<std::uint64_t, 2> bits;
  id::fill_from_kernel(bits.data(), sizeof(bits));
  return id::format_uuid((bits[0] & ~std::uint64_t{0xf000}) | 0x4000, id::kVariant | (bits[1] & id::kTailMask));
}

std::string uuid_v7() {
  thread_local id::Sequence sequence;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return sequence.next(static_cast<std::uint64_t>(milliseconds), fast_random(), fast_random());
}

}  // namespace micro
