// The table of testdata/requests.txt against the parser. The same table is sent to a server by test/attack/http1_test.py.

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <micro/http/error.hpp>
#include <micro/http1/parser.hpp>

#include <gtest/gtest.h>

namespace micro::http1 {
namespace {

struct Row {
  int line = 0;
  std::string what;
  std::string bytes;
  std::string outcome;  // its "<" lines
};

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'v':
        out += '\v';
        break;
      case 'f':
        out += '\f';
        break;
      case '0':
        out += '\0';
        break;
      case 'x':
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default:
        out += text[i];
        break;
    }
  }
  return out;
}

// "{x*n}" becomes n times x.
std::string expanded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    const std::size_t star = text.find('*', open == std::string_view::npos ? text.size() : open);
    const std::size_t close = text.find('}', star == std::string_view::npos ? text.size() : star);
    out += unescaped(text.substr(0, open));
    if (close == std::string_view::npos) break;
    const std::string piece = unescaped(text.substr(open + 1, star - open - 1));
    for (int n = std::stoi(std::string(text.substr(star + 1, close - star - 1))); n > 0; --n) out += piece;
    text.remove_prefix(close + 1);
  }
  return out;
}

std::vector<Row> rows() {
  std::ifstream file(MICRO_HTTP1_REQUESTS);
  std::vector<Row> rows;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const std::string_view rest = std::string_view(line).substr(std::min<std::size_t>(line.size(), 2));
    if (line.starts_with('[')) {
      rows.push_back({number, line.substr(1, line.find(']') - 1), {}, {}});
    } else if (line.starts_with("> ")) {
      rows.back().bytes += expanded(rest);
    } else if (line.starts_with("< ")) {
      rows.back().outcome += unescaped(rest) + "\n";
    }
  }
  return rows;
}

// What the bytes become when they arrive in reads of `step`, in the words of the table.
std::string outcome(std::string_view bytes, std::size_t step) {
  RequestParser parser;
  std::string out;
  std::string body;
  bool closed = false;
  while (!bytes.empty() && !closed) {
    const std::string read(bytes.substr(0, step));
    bytes.remove_prefix(read.size());
    std::string_view input = read;
    while (!closed) {
      const Result<Event> event = parser.next(input);
      if (!event) {
        return out.append(std::to_string(http::status_from(event.error()))).append(" ").append(event.error().reason()) + "\n";
      }
      if (*event == Event::kNeedMore) break;
      if (*event == Event::kHead) body.clear();
      if (*event == Event::kBody) body += parser.body();
      if (*event != Event::kEnd) continue;
      out.append(parser.head().method_name).append(" ").append(parser.head().target);
      out += (body.empty() ? "" : " " + body) + "\n";
      closed = !parser.head().keep_alive;
    }
  }
  if (closed) return out + "close\n";
  return parser.idle() ? out : out + "more\n";
}

TEST(Smuggling, EveryRowOfTheTable) {
  const std::vector<Row> table = rows();
  ASSERT_GT(table.size(), 100U) << MICRO_HTTP1_REQUESTS;
  for (const Row& row : table) {
    for (const std::size_t step : {row.bytes.size(), std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
      EXPECT_EQ(outcome(row.bytes, step), row.outcome)
          << "line " << row.line << ": " << row.what << ", in reads of " << step << " bytes";
    }
  }
}

TEST(Smuggling, NothingSurfacesThatShouldNot) {
  for (const Row& row : rows()) {
    const std::string seen = outcome(row.bytes, row.bytes.size());
    EXPECT_EQ(seen.find("GET /smuggled\n"), std::string::npos) << "line " << row.line << ": " << row.what;
  }
}

// However a refused request is cut off, what came before the fault is no request either.
TEST(Smuggling, NoPrefixOfARefusedFirstRequestIsOne) {
  for (const Row& row : rows()) {
    if (row.outcome.empty() || row.outcome[0] < '4' || row.outcome[0] > '5' || row.bytes.size() > 1000) continue;
    for (std::size_t size = 1; size < row.bytes.size(); ++size) {
      const std::string seen = outcome(std::string_view(row.bytes).substr(0, size), size);
      EXPECT_TRUE(seen == "more\n" || seen == row.outcome || seen.empty())
          << "line " << row.line << ": " << row.what << ", cut after " << size << ": " << seen;
    }
  }
}

}  // namespace
}  // namespace micro::http1
