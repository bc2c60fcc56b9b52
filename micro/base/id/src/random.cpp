#include "random.hpp"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cerrno>
#include <system_error>

#include <micro/id/id.hpp>

namespace micro {
namespace id {

void fill_from_kernel(void* out, std::size_t size) {
  auto* bytes = static_cast<char*>(out);
  while (size != 0) {
    const ssize_t got = getrandom(bytes, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::string& append_hex(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = bytes * 8 - 4; shift >= 0; shift -= 4) out.push_back("0123456789abcdef"[(value >> shift) & 0xf]);
  return out;
}

}  // namespace id

namespace {

// All zeros is the one state xoshiro cannot leave, so it can stand for "not seeded yet".
constinit thread_local std::array<std::uint64_t, 4> state{};

}  // namespace

// xoshiro256++ 1.0 by Blackman and Vigna, https://prng.di.unimi.it/xoshiro256plusplus.c
unsigned long long fast_random() noexcept {
  while ((state[0] | state[1] | state[2] | state[3]) == 0) [[unlikely]]
    id::fill_from_kernel(state.data(), sizeof(state));
  const std::uint64_t result = std::rotl(state[0] + state[3], 23) + state[0];
  const std::uint64_t shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = std::rotl(state[3], 45);
  return result;
}

std::string random_hex(int bytes) {
  std::string text;
  if (bytes <= 0) return text;
  text.reserve(static_cast<std::size_t>(bytes) * 2);
  for (; bytes >= 8; bytes -= 8) id::append_hex(text, fast_random(), 8);
  if (bytes > 0) id::append_hex(text, fast_random(), bytes);
  return text;
}

}  // namespace micro
