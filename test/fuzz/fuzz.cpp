#include "fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace micro::fuzz {
namespace {

// A finding is read on a terminal: what is no printable ASCII is escaped, what is long is cut.
void print(const char* label, std::string_view text) {
  constexpr std::size_t kLongest = 4000;
  std::fprintf(stderr, "  %s: ", label);
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      std::fputs("\n      ", stderr);
    } else if (byte < 0x20 || byte >= 0x7f) {
      std::fprintf(stderr, "\\x%02x", byte);
    } else {
      std::fputc(c, stderr);
    }
  }
  std::fprintf(stderr, "%s\n", text.size() > kLongest ? " ..." : "");
}

}  // namespace

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fputs("fuzz: broken promise\n", stderr);
  print("what", what);
  std::abort();
}

void require_equal(std::string_view a, std::string_view b, std::string_view what) {
  if (a == b) return;
  print("first", a);
  print("second", b);
  require(false, what);
}

bool tracing() {
  static const bool on = std::getenv("MICRO_FUZZ_TRACE") != nullptr;
  return on;
}

void trace(std::string_view line) { print("trace", line); }

std::uint64_t hash(std::string_view bytes) noexcept {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : bytes) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return (value ^ (value >> 32)) * 0x9e3779b97f4a7c15;
}

std::uint8_t Input::byte() noexcept {
  if (rest_.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return byte;
}

std::uint16_t Input::u16() noexcept {
  const auto high = byte();
  return static_cast<std::uint16_t>(high << 8 | byte());
}

std::uint32_t Input::u32() noexcept {
  const std::uint32_t high = u16();
  return high << 16 | u16();
}

std::string_view Input::bytes(std::size_t count) noexcept {
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(taken.size());
  return taken;
}

}  // namespace micro::fuzz
