#include "http_exchange.hpp"

#include <string>
#include <utility>

#include <micro/grpc/fields.hpp>
#include <micro/http/error.hpp>

namespace micro::web {
namespace {

// More than any error needs.
constexpr std::size_t kMostOfRefusal = std::size_t{64} * 1024;

}  // namespace

Result<void> add_outgoing(const Context& context, Metadata& headers) {
  grpc::FieldList fields;
  if (Result<void> added = grpc::append_metadata(context.outgoing(), fields); !added) return added;
  for (const grpc::Field field : fields) headers.add(field.name, field.value);
  if (const std::string_view id = context.request_id_to_send(); !id.empty()) headers.add("x-request-id", id);
  return {};
}

void take_reply_headers(const Metadata& headers, std::string_view peer, std::shared_ptr<const PeerIdentity> identity,
                        Context& context) {
  context.begin_calling(peer, std::move(identity));
  if (context.serving()) return;
  // What a proxy added may look like bytes and not be base64; that is no reason to give up a call.
  for (const Metadata::Entry entry : headers) (void)grpc::take_field(entry.key, entry.value, context.reply_headers());
}

Task<Result<void>> HttpExchange::send(http1::RequestStart start, const Metadata& headers, std::string_view body) {
  Chain out;
  if (Result<void> written = http1::write_request_head(out, start, headers); !written) co_return written;
  out.append(body);
  Result<void> sent = co_await wire_.flush(out);
  // A server may refuse a request before it has read all of it, and its answer says why.
  if (!sent && wire_.error()) co_return sent;
  const Result<http1::Event> event = co_await next();
  if (!event) co_return fail(event.error());
  co_return Result<void>{};
}

Task<Result<http1::Event>> HttpExchange::next() {
  while (true) {
    const Result<http1::Event> event = parser_.next(input_);
    if (!event) {
      Error error = event.error();
      co_return fail(std::move(error).with_context(wire_.name()));
    }
    if (*event != http1::Event::kNeedMore) co_return event;
    const Result<std::string_view> bytes = co_await wire_.read();
    if (!bytes) co_return fail(bytes.error());
    if (bytes->empty()) {
      const Result<http1::Event> end = parser_.finish();
      if (end && *end == http1::Event::kEnd) co_return end;
      Error error = end ? unavailable(wire_.name() + " closed the connection without an answer") : end.error();
      co_return fail(std::move(error));
    }
    input_ = *bytes;
  }
}

Task<Result<std::string_view>> HttpExchange::read_body() {
  if (ended_) co_return std::string_view();
  const Result<http1::Event> event = co_await next();
  if (!event) co_return fail(event.error());
  if (*event == http1::Event::kBody) co_return parser_.body();
  ended_ = true;
  co_return std::string_view();
}

Task<Error> HttpExchange::refusal() {
  std::string body;
  while (body.size() < kMostOfRefusal) {
    const Result<std::string_view> piece = co_await read_body();
    if (!piece || piece->empty()) break;
    body += *piece;
  }
  co_return http::error_from_response(head().status, body);
}

}  // namespace micro::web
