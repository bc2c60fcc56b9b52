#include <micro/http/message.hpp>

#include <utility>

#include <micro/http/error.hpp>
#include <micro/uri/uri.hpp>

namespace micro::http {

namespace {
Response make(std::string_view content_type, std::string body, int status) {
  Response response{.status = status, .body = std::move(body)};
  response.headers.add("Content-Type", content_type);
  return response;
}
}  // namespace

std::optional<std::string> Request::query_value(std::string_view name) const {
  auto pairs = parse_query(query);
  if (!pairs) return std::nullopt;
  for (auto& [key, value] : *pairs) {
    if (key == name) return std::move(value);
  }
  return std::nullopt;
}

Response Response::json(std::string body, int status) { return make("application/json", std::move(body), status); }
Response Response::text(std::string body, int status) { return make("text/plain; charset=utf-8", std::move(body), status); }
Response Response::from_error(const Error& error) { return json(error_json(error), status_from(error)); }

}  // namespace micro::http
