// The response parser: the same events however the bytes were split. The first byte chooses the method of the request, whether
// interim responses are told, and the limits.
#include <micro/http/field.hpp>
#include <micro/http1/parser.hpp>

#include "fuzz.hpp"
#include "transcript.hpp"

namespace {

using micro::fuzz::require;
using micro::fuzz::require_equal;
namespace http = micro::http;
namespace http1 = micro::http1;

constexpr http1::Limits kLimits{.max_start_line = 200,
                                .max_header_bytes = 400,
                                .max_header_count = 12,
                                .max_body = 300,
                                .max_chunk_line = 40,
                                .max_chunk_overhead = 100,
                                .max_interim = 2};

}  // namespace

MICRO_FUZZ_TARGET(http1_response) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  constexpr http::Method kMethods[] = {http::Method::kGet, http::Method::kHead, http::Method::kConnect, http::Method::kPost};
  const http1::Limits limits = choice / 8 % 2 == 0 ? http1::Limits{} : kLimits;
  const auto run = [&](std::size_t step) {
    http1::ResponseParser parser(limits, choice / 4 % 2 == 0);
    parser.expect(kMethods[choice % 4]);
    std::string out = http1::transcript(parser, input, step, true);
    for (const auto [name, value] : parser.head().headers) {
      require(http::is_token(name) && http::is_field_value(value), "a field with foreign bytes");
    }
    require(parser.head().status >= 100 && parser.head().status <= 999, "a status that is none");
    require(http::is_field_value(parser.head().reason), "a reason with foreign bytes");
    return out;
  };
  const std::string whole = run(input.size() + 1);
  require_equal(whole, run(1), "events depend on how the bytes were split (single bytes)");
  require_equal(whole, run(2 + micro::fuzz::hash(input) % 61), "events depend on how the bytes were split");
}
