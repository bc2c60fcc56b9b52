// The status of a call: google.rpc.Status as bytes, and the three trailer fields under every size limit.
#include <micro/grpc/base64.hpp>
#include <micro/grpc/status.hpp>

#include "fuzz.hpp"

namespace {

using micro::fuzz::require;
using micro::fuzz::require_equal;
namespace grpc = micro::grpc;

// Sent as trailers of at most `limit`, read by the other side.
void check_trailers(const micro::Error& error, std::size_t limit) {
  grpc::FieldList fields;
  grpc::append_status(error, fields, limit);
  require(fields.header_list_size() <= limit, "status fields larger than their limit");
  grpc::StatusReader reader;
  for (const auto [name, value] : fields) {
    require(grpc::is_valid_value(value), "a status field that may not be sent");
    require(reader.take(name, value), "a status field that is not taken");
  }
  const auto result = reader.result();
  require(!result && result.error().code() == error.code(), "the code of a status changes on its way");
  if (limit > grpc::kMaxStatusSize) {
    require_equal(result.error().message(), error.message(), "the message of a status changes on its way");
    require_equal(result.error().reason(), error.reason(), "the reason of a status changes on its way");
    require(result.error().metadata() == error.metadata(), "the metadata of a status changes on its way");
  }
}

}  // namespace

MICRO_FUZZ_TARGET(grpc_status) {
  // As the peer sends it: the first line is grpc-status, the second grpc-message, the rest the bytes of the details.
  const std::string_view code = input.substr(0, input.find('\n'));
  std::string_view rest = input.substr(std::min(code.size() + 1, input.size()));
  const std::string_view message = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(message.size() + 1, rest.size()));
  grpc::StatusReader reader;
  reader.take(grpc::kStatusName, code);
  reader.take(grpc::kMessageName, message);
  std::string details;
  grpc::base64_encode(rest, details);
  reader.take(grpc::kDetailsName, details);
  if (const auto result = reader.result(503); !result) {
    for (const std::size_t limit : {std::size_t{256}, std::size_t{600}, grpc::kMaxStatusSize})
      check_trailers(result.error(), limit);
  }

  if (const auto error = grpc::decode_status(rest)) {
    const std::string encoded = grpc::encode_status(*error);
    const auto again = grpc::decode_status(encoded);
    require(again.has_value(), "a status that was written cannot be read");
    // A text that is no UTF-8 is mended when it is written, or later where it stood in a detail of others, which are passed on as
    // they are; from then on nothing changes.
    const auto mended = grpc::decode_status(grpc::encode_status(*again));
    require(mended.has_value(), "a status that was written again cannot be read");
    const auto last = grpc::decode_status(grpc::encode_status(*mended));
    require(last && *last == *mended, "a status changes when it is written and read again");
    check_trailers(*mended, 1 << 20);
  }
}
