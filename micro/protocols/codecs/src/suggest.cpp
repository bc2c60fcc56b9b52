#include "suggest.hpp"

#include <algorithm>

namespace micro::codec {
namespace {

char folded(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Levenshtein's distance, where case and underscores count for nothing.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_') out.push_back(folded(c));
  }
  return out;
}

}  // namespace

std::string suggest(std::string_view wrong, const std::vector<std::string_view>& known) {
  constexpr std::size_t kLongest = 64;
  constexpr std::size_t kListed = 8;
  if (known.empty()) return "; there are none";
  std::string_view best;
  if (wrong.size() <= kLongest) {
    const std::string name = folded(wrong);
    std::size_t closest = name.size() / 3 + 1;
    for (const std::string_view candidate : known) {
      if (candidate.size() > kLongest) continue;
      const std::size_t far = distance(name, folded(candidate));
      if (far < closest || (far == closest && best.empty() && far < name.size())) {
        closest = far;
        best = candidate;
      }
    }
  }
  if (!best.empty()) return "; did you mean \"" + std::string(best) + "\"?";
  std::string out = "; known are ";
  for (std::size_t i = 0; i < known.size() && i < kListed; ++i) {
    out.append(i == 0 ? "\"" : ", \"").append(known[i]).push_back('"');
  }
  if (known.size() > kListed) out += ", ...";
  return out;
}

}  // namespace micro::codec
