#include "http2_log.hpp"
#include "testing.hpp"

namespace micro::fuzz {

std::string describe_output(std::string_view bytes) {
  std::string out;
  for (const std::string& line : http2::testing::describe(bytes)) {
    require(line != "incomplete", "the output ends within a frame");
    if (!line.starts_with("WINDOW_UPDATE")) out.append(line).append("\n");
  }
  return out;
}

}  // namespace micro::fuzz
