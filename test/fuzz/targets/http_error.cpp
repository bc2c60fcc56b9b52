// Errors as JSON over HTTP: whatever body a peer answers with becomes an error; what we write is read back.
#include <micro/http/error.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(http_error) {
  using namespace micro;
  if (input.empty()) return;
  const int status = 400 + static_cast<unsigned char>(input.front()) % 200;
  input.remove_prefix(1);
  const Error error = http::error_from_response(status, input);
  const std::string json = http::error_json(error);
  for (const char c : json) fuzz::require(static_cast<unsigned char>(c) >= 0x20, "a control byte in JSON");
  const Error again = http::error_from_response(http::status_from(error), json);
  fuzz::require(again.code() == error.code(), "the code of an error changes on its way: " + json);
  // Bytes that are no UTF-8 are mended once; from then on nothing changes.
  const std::string mended = http::error_json(again);
  fuzz::require_equal(http::error_json(http::error_from_response(http::status_from(again), mended)), mended,
                      "an error is not stable");
  fuzz::require_equal(json, mended, "the JSON of an error changes on its way");
}
