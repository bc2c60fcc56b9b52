// gRPC-Web: text bodies the same however they were split, there and back; one line a trailer, whatever is in it.
#include <algorithm>

#include <micro/grpc/web.hpp>

#include "fuzz.hpp"

namespace {

using micro::fuzz::require;
using micro::fuzz::require_equal;
namespace grpc = micro::grpc;

std::string decode(std::string_view text, std::size_t step) {
  grpc::WebTextDecoder decoder;
  micro::Buffer out;
  for (std::size_t at = 0; at < text.size(); at += step) {
    const micro::fuzz::Copy piece(text.substr(at, step));
    if (!decoder.decode(piece.view(), out)) {
      require(!decoder.decode("AAAA", out), "a failed decoder goes on");
      return "refused";
    }
  }
  return (decoder.finish() ? "whole " : "cut off ") + std::string(out.view());
}

}  // namespace

MICRO_FUZZ_TARGET(grpc_web) {
  const std::size_t step = 2 + micro::fuzz::hash(input) % 13;
  const std::string whole = decode(input, input.size() + 1);
  require_equal(whole, decode(input, 1), "a body depends on how it was split (single bytes)");
  require_equal(whole, decode(input, step), "a body depends on how it was split");

  // Flushed in pieces, as a server does.
  micro::Buffer text;
  for (std::size_t at = 0; at < input.size(); at += step) grpc::append_web_text(text, input.substr(at, step));
  require_equal(decode(text.view(), 7), "whole " + std::string(input), "a body changes on its way");

  if (const auto type = grpc::parse_web_content_type(input)) require(!type->format.empty(), "a content type without a format");
  if (!grpc::is_valid_value(input)) return;
  grpc::FieldList trailers;
  trailers.add("grpc-status", "0");
  trailers.add("grpc-message", input);
  micro::Buffer frame;
  grpc::append_web_trailers(frame, trailers);
  require(frame.size() >= 5 && static_cast<std::uint8_t>(frame.data()[0]) == grpc::kWebTrailerFlag &&
              micro::load_be32(frame.data() + 1) == frame.size() - 5,
          "a trailer frame without its length");
  require(std::ranges::count(frame.view().substr(5), '\n') == 2, "a trailer that becomes another");
}
