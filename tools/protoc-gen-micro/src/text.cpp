#include "text.hpp"

#include <array>

namespace micro::generator {
namespace {

std::string clean(std::string_view line) {
  std::string cleaned;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') continue;
    cleaned += (byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c;
  }
  const auto end = cleaned.find_last_not_of(" \t");
  cleaned.resize(end == std::string::npos ? 0 : end + 1);
  return cleaned;
}

// U+200E, U+200F, U+202A..U+202E, U+2066..U+2069 in UTF-8.
bool is_direction_mark(std::string_view three) {
  if (three.size() < 3 || three[0] != '\xe2') return false;
  const auto middle = static_cast<unsigned char>(three[1]);
  const auto last = static_cast<unsigned char>(three[2]);
  if (middle == 0x80) return last == 0x8e || last == 0x8f || (last >= 0xaa && last <= 0xae);
  return middle == 0x81 && last >= 0xa6 && last <= 0xa9;
}

}  // namespace

std::vector<std::string> comment_lines(std::string_view raw) {
  std::vector<std::string> lines;
  while (!raw.empty()) {
    const std::size_t end = raw.find('\n');
    std::string line = clean(raw.substr(0, end));
    if (line.starts_with(' ')) line.erase(0, 1);
    if (!line.empty() || !lines.empty()) lines.push_back(std::move(line));
    raw.remove_prefix(end == std::string_view::npos ? raw.size() : end + 1);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::string comment_line(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    if (is_direction_mark(line.substr(i, 3))) {
      i += 3;
    } else {
      out += line[i++];
    }
  }
  // Also the trigraph of the backslash.
  if (out.ends_with('\\') || out.ends_with("?\?/")) out += " //";
  return out.empty() ? "//" : "// " + out;
}

std::string string_literal(std::string_view text) {
  std::string out = "\"";
  char previous = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '"' || c == '\\' || (c == '?' && previous == '?')) {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Always three digits: a digit that follows is then never taken for part of the escape.
      const std::array<char, 4> octal = {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
                                         static_cast<char>('0' + (byte & 7))};
      out.append(octal.data(), octal.size());
    } else {
      out += c;
    }
    previous = c;
  }
  return out + '"';
}

}  // namespace micro::generator
