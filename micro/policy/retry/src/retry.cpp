#include <micro/retry/retry.hpp>

#include <algorithm>

namespace micro::retry {
namespace {

bool may_repeat(const Attempt& attempt, Code code) noexcept {
  switch (attempt.progress) {
    case Progress::kNotSent:
      return code != Code::kCancelled && code != Code::kDeadlineExceeded;
    case Progress::kSent:
      return attempt.idempotent && code == Code::kUnavailable;
    case Progress::kReplyBegun:
      return false;
  }
  return false;
}

// min(max_backoff, base_backoff * 2^(number-1)), without overflow.
Duration ceiling(const Options& options, int number) noexcept {
  Duration limit = std::max(options.base_backoff, Duration::zero());
  for (int i = 1; i < number && limit < options.max_backoff && limit > Duration::zero(); ++i) {
    limit = limit > Duration::max() / 2 ? Duration::max() : limit * 2;
  }
  return std::max(std::min(limit, options.max_backoff), Duration::zero());
}

// Uniform in [0, limit].
Duration scale(Duration limit, std::uint64_t random) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide range = static_cast<Wide>(limit.count()) + 1;
  return Duration(static_cast<Duration::rep>((static_cast<Wide>(random) * range) >> 64));
}

}  // namespace

Decision decide(const Options& options, const Attempt& attempt, Code code, Duration remaining, std::uint64_t random) noexcept {
  if (code == Code::kOk || attempt.number >= options.max_attempts || remaining <= Duration::zero()) return {};
  if (!may_repeat(attempt, code)) return {};
  if (attempt.progress == Progress::kNotSent) return {.retry = true};
  const Duration wait = scale(ceiling(options, attempt.number), random);
  if (wait >= remaining) return {};
  return {.retry = true, .wait = wait};
}

}  // namespace micro::retry
