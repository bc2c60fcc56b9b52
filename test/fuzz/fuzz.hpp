#pragma once

// What the fuzz targets share: how a target is declared, how it takes its input apart and how it says that something is wrong.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// Begins the definition of the target `name`: MICRO_FUZZ_TARGET(duration) { ... input ... }
// The input may hold anything; the target returns, or ends the process through require() or a sanitizer.
#define MICRO_FUZZ_TARGET(name) void fuzz_##name(std::string_view input)

namespace micro::fuzz {

// Prints what was expected and ends the process, unless `holds`.
void require(bool holds, std::string_view what);
// The same for two texts that must be equal; prints both.
void require_equal(std::string_view a, std::string_view b, std::string_view what);

// True when MICRO_FUZZ_TRACE is set: a target then says step by step what it does, for whoever looks into a finding.
bool tracing();
void trace(std::string_view line);

// Spreads over all 64 bits: where a target needs choices that must not eat into a readable input.
std::uint64_t hash(std::string_view bytes) noexcept;

// A copy on the heap without a byte to spare, so that the sanitizers see whoever reads past it or keeps a view too long.
class Copy {
 public:
  explicit Copy(std::string_view bytes) : bytes_(new char[bytes.size()]), size_(bytes.size()) { bytes.copy(bytes_.get(), size_); }
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

// Takes an input apart from the front; what is asked for beyond its end is zero or empty.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept;
  std::uint16_t u16() noexcept;
  std::uint32_t u32() noexcept;
  bool flag() noexcept { return (byte() & 1) != 0; }
  // 0 to limit - 1.
  std::size_t below(std::size_t limit) noexcept { return limit == 0 ? 0 : byte() % limit; }
  std::string_view bytes(std::size_t count) noexcept;
  // As many bytes as the next byte says.
  std::string_view text() noexcept { return bytes(byte()); }
  std::string_view rest() noexcept { return bytes(rest_.size()); }

 private:
  std::string_view rest_;
};

}  // namespace micro::fuzz
