#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace micro::codec {

enum class NumberStatus : std::uint8_t { kOk, kNotNumber, kNotIntegral, kOutOfRange };

// The length of the JSON number (RFC 8259, section 6) `text` starts with; 0 when it starts with none.
std::size_t number_prefix(std::string_view text) noexcept;

// The value of a JSON number that must be an integer of the target's range. Fractions and exponents may be there as long as the
// value is integral ("1e3", "2.50e1"); it is computed exactly, not by way of a double.
template <class Integer>
NumberStatus parse_integer(std::string_view text, Integer& out) noexcept;

// The nearest value; kOutOfRange when it would be infinite. What is too small becomes 0.
template <class Float>
NumberStatus parse_float(std::string_view text, Float& out) noexcept;

// "int32 (-2147483648 to 2147483647)", for error messages.
template <class Integer>
std::string range_of() {
  using Limits = std::numeric_limits<Integer>;
  return std::string(Limits::is_signed ? "int" : "uint") + std::to_string(sizeof(Integer) * 8) + " (" +
         std::to_string(Limits::min()) + " to " + std::to_string(Limits::max()) + ")";
}

}  // namespace micro::codec
