#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/http1/parser.hpp>
#include <micro/http1/writer.hpp>

namespace micro::http1 {
namespace {

constexpr std::string_view kGet =
    "GET /greeter.Greeter/Hello?name=John HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "User-Agent: wrk/4.2.0\r\n"
    "Accept: application/json\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "X-Request-Id: 0123456789abcdef0123456789abcdef\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

constexpr std::string_view kPost =
    "POST /greeter.Greeter/Hello HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "User-Agent: curl/7.88.1\r\n"
    "Accept: */*\r\n"
    "Content-Type: application/json\r\n"
    "X-Request-Id: 0123456789abcdef0123456789abcdef\r\n"
    "Content-Length: 15\r\n"
    "\r\n"
    "{\"name\":\"John\"}";

void parse_one(benchmark::State& state, std::string_view bytes) {
  RequestParser parser;
  for (auto _ : state) {
    std::string_view input = bytes;
    while (true) {
      const auto event = parser.next(input);
      if (!event || *event == Event::kNeedMore) break;
    }
    benchmark::DoNotOptimize(parser.head());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void parse_get(benchmark::State& state) { parse_one(state, kGet); }
void parse_post(benchmark::State& state) { parse_one(state, kPost); }
BENCHMARK(parse_get);
BENCHMARK(parse_post);

// The same request in two reads, cut in a header line.
void parse_split(benchmark::State& state) {
  RequestParser parser;
  const std::string_view parts[] = {kPost.substr(0, 100), kPost.substr(100)};
  for (auto _ : state) {
    for (std::string_view input : parts) {
      while (true) {
        const auto event = parser.next(input);
        if (!event || *event == Event::kNeedMore) break;
      }
    }
    benchmark::DoNotOptimize(parser.head());
  }
}
BENCHMARK(parse_split);

constexpr std::string_view kBody = "{\"message\":\"Hello John\"}";
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

void write_head_and_body(benchmark::State& state) {
  Buffer out;
  const Metadata headers{{"Content-Type", "application/json"}};
  for (auto _ : state) {
    out.clear();
    if (!write_response_head(out, {.body = BodySize::exactly(kBody.size()), .date = kDate}, headers)) std::abort();
    out.append(kBody);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(write_head_and_body);

void write_prepared(benchmark::State& state) {
  Buffer out;
  const auto prepared = PreparedResponse::make(200, {{"Content-Type", "application/json"}});
  for (auto _ : state) {
    out.clear();
    prepared->write(out, kBody, {.date = kDate});
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(write_prepared);

}  // namespace
}  // namespace micro::http1
