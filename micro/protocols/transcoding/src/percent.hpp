#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace micro::transcoding {

// The character of the escape at the start of `text` ("%2F..."), or nullopt when there is none.
std::optional<char> escape_at(std::string_view text) noexcept;

// Whether `encoded` stands for `plain`. A broken escape stands for nothing.
bool equals_decoded(std::string_view encoded, std::string_view plain) noexcept;

enum class Slashes : bool { kDecoded, kKept };  // what becomes of "%2F"

// nullopt for a broken escape.
std::optional<std::string> decode(std::string_view encoded, Slashes slashes);

}  // namespace micro::transcoding
