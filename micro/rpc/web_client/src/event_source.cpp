#include "event_source.hpp"

#include <cstdint>
#include <utility>

#include <micro/http/media_type.hpp>
#include <micro/http/status.hpp>
#include <micro/sse/writer.hpp>

namespace micro::web {
namespace {

http1::Limits endless() {
  http1::Limits limits;
  limits.max_body = UINT64_MAX;
  return limits;
}

}  // namespace

EventSource::EventSource(Context& context, std::unique_ptr<net::Stream> stream, const Target& target,
                         std::optional<TimePoint> deadline)
    : wire_(context, std::move(stream), url_of(target, "http"), deadline), exchange_(wire_, endless()) {}

Task<Result<bool>> EventSource::open(Context& context, const Target& target, std::string_view method, const Metadata& headers,
                                     std::string_view body, Duration timeout) {
  const std::string host = name_of(target);
  http1::RequestStart start;
  start.method = method;
  start.target = target.path;
  start.host = target.host.empty() && target.address.is_unix() ? std::string_view("localhost") : std::string_view(host);
  if (method != "GET") start.body = http1::BodySize::exactly(body.size());
  wire_.set_limit(timeout, "no answer");
  Metadata all = headers;
  all.set("Accept", sse::kContentType);
  if (Result<void> sent = co_await exchange_.send(start, all, body); !sent) co_return fail(std::move(sent.error()));
  take_reply_headers(exchange_.head().headers, target.address.to_string(), wire_.identity(), context);
  const int status = exchange_.head().status;
  if (status == http::status::kNoContent) co_return false;
  if (status != http::status::kOk) {
    Error refused = co_await exchange_.refusal();
    final_ = true;
    co_return fail(std::move(refused));
  }
  const std::string_view type = exchange_.head().headers.get("content-type");
  if (!http::is_media_type(type, sse::kContentType)) {
    final_ = true;
    co_return fail(internal(wire_.name() + ": the answer is no event stream but '" + std::string(type.substr(0, 100)) + "'"));
  }
  wire_.clear_limit();
  co_return true;
}

Task<Result<bool>> EventSource::next(sse::Parser& parser, Duration idle) {
  while (true) {
    const Result<bool> more = parser.next(input_);
    if (!more) {
      final_ = true;
      Error error = more.error();
      co_return fail(std::move(error).with_context(wire_.name()));
    }
    if (*more) co_return true;
    wire_.set_limit(idle, "nothing came");
    const Result<std::string_view> piece = co_await exchange_.read_body();
    wire_.clear_limit();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return false;
    input_ = *piece;
  }
}

}  // namespace micro::web
