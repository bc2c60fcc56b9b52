// The tables of docs/reference/errors.md against the code.
#include <fstream>

#include <micro/error/code.hpp>
#include <micro/grpc/status.hpp>
#include <micro/http/error.hpp>
#include <micro/http/status.hpp>

namespace micro {
namespace {

using Row = std::vector<std::string>;

std::string trimmed(std::string cell) {
  std::erase(cell, '`');
  const std::size_t first = cell.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return cell.substr(first, cell.find_last_not_of(' ') - first + 1);
}

// The rows of the table below a heading, without its head.
std::vector<Row> table(const std::string& heading) {
  std::ifstream page(MICRO_ERRORS_PAGE);
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (!inside || !line.starts_with("|")) continue;
    Row row;
    for (std::size_t at = 1; at < line.size();) {
      const std::size_t end = line.find('|', at);
      row.push_back(trimmed(line.substr(at, end - at)));
      at = end + 1;
    }
    rows.push_back(row);
  }
  if (rows.size() > 2) rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

TEST(ErrorsPage, CodeToHttpStatus) {
  const std::vector<Row> rows = table("Code to HTTP status");
  ASSERT_EQ(rows.size(), 17u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::optional<Code> code = code_from_string(rows[i][0]);
    ASSERT_TRUE(code) << rows[i][0];
    EXPECT_EQ(static_cast<std::size_t>(*code), i);
    EXPECT_EQ(grpc::status_number(*code), rows[i][1]) << rows[i][0];
    EXPECT_EQ(std::to_string(http::status_from(*code)), rows[i][2]) << rows[i][0];
  }
}

TEST(ErrorsPage, HttpStatusToCode) {
  std::vector<bool> listed(600);
  for (const Row& row : table("HTTP status to code")) {
    const int status = std::stoi(row[0]);
    listed.at(static_cast<std::size_t>(status)) = true;
    EXPECT_EQ(to_string(http::code_from_status(status)), row[1]) << status;
    EXPECT_EQ(to_string(grpc::code_from_http_status(status)), row[2]) << status;
  }
  for (int status = 100; status < 600; ++status) {
    if (listed[static_cast<std::size_t>(status)]) continue;
    const Code rest = status >= 500       ? Code::kInternal
                      : status >= 400     ? Code::kInvalidArgument
                      : status / 100 == 2 ? Code::kOk
                                          : Code::kUnknown;
    EXPECT_EQ(http::code_from_status(status), rest) << status;
    EXPECT_EQ(grpc::code_from_http_status(status), Code::kUnknown) << status;
  }
}

TEST(ErrorsPage, StreamResetToCode) {
  std::vector<Row> rows = table("Reset of an HTTP/2 stream to code");
  ASSERT_GT(rows.size(), 1u);
  const std::string rest = rows.back()[1];
  rows.pop_back();
  std::vector<std::string> expected(20, rest);
  for (const Row& row : rows) expected.at(std::stoul(row[0].substr(row[0].find('(') + 1))) = row[1];
  for (std::uint32_t error = 0; error < expected.size(); ++error) {
    EXPECT_EQ(to_string(grpc::code_from_http2_error(error)), expected[error]) << error;
  }
}

}  // namespace
}  // namespace micro
