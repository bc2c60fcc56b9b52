// Event streams: the same events however the bytes were split, and what is written is read back.
#include <micro/sse/parser.hpp>
#include <micro/sse/writer.hpp>

#include "fuzz.hpp"

namespace {

using micro::fuzz::Copy;
using micro::fuzz::require;
using micro::fuzz::require_equal;
namespace sse = micro::sse;

std::string run(std::string_view input, std::size_t step, const sse::Limits& limits) {
  sse::Parser parser(limits);
  std::string out;
  for (std::size_t at = 0; at < input.size(); at += step) {
    const Copy piece(input.substr(at, step));
    std::string_view rest = piece.view();
    while (true) {
      const auto more = parser.next(rest);
      if (!more) return out.append("error ").append(more.error().message());
      if (!*more) break;
      const sse::ReceivedEvent& event = parser.event();
      require(!event.type.empty() && event.data.size() <= limits.max_event, "an event without type or beyond its limit");
      out.append(event.type).append("|").append(event.data).append("|").append(event.last_event_id).append("\n");
    }
  }
  out.append("id ").append(parser.last_event_id());
  if (parser.retry()) out.append(" retry ").append(std::to_string(parser.retry()->count()));
  return out;
}

// What a handler passes becomes this event, whatever is in it, or is refused.
void check_written(std::string_view input) {
  const auto cut = input.find('\n');
  const std::string_view type = input.substr(0, cut);
  const std::string_view data = cut == input.npos ? std::string_view() : input.substr(cut + 1);
  micro::Buffer out;
  sse::write_comment(out, input);
  const std::size_t comment = out.size();
  const auto written = sse::write_event(out, {.data = data, .type = type, .id = type});
  if (!written) return require(out.size() == comment, "an event that was refused left bytes behind");
  sse::write_event(out, {.data = "second"}).value();
  sse::Parser parser;
  std::string_view rest = out.view();
  require(parser.next(rest).value_or(false), "an event that was written is not read");
  require_equal(parser.event().type, type.empty() ? "message" : type, "the type of an event changes");
  std::string lines;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] == '\r' && i + 1 < data.size() && data[i + 1] == '\n') continue;
    lines += data[i] == '\r' ? '\n' : data[i];
  }
  require_equal(parser.event().data, lines, "the data of an event changes");
  require_equal(parser.event().last_event_id, type, "the id of an event changes");
  require(parser.next(rest).value_or(false) && parser.event().data == "second", "an event swallows the next one");
  require(!parser.next(rest).value_or(true), "an event too many");
}

}  // namespace

MICRO_FUZZ_TARGET(sse) {
  for (const sse::Limits& limits : {sse::Limits{}, sse::Limits{.max_event = 40, .max_name = 8}}) {
    const std::string whole = run(input, input.size() + 1, limits);
    require_equal(whole, run(input, 1, limits), "events depend on how the bytes were split (single bytes)");
    require_equal(whole, run(input, 2 + micro::fuzz::hash(input) % 61, limits), "events depend on how the bytes were split");
  }
  check_written(input);
}
