// Compressed messages: round trip, and whatever bytes as compressed data under a limit. The first byte chooses both.
#include <micro/grpc/compression.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(grpc_compression) {
  using namespace micro;
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const auto compression = static_cast<grpc::Compression>(choice % 3);
  const std::size_t limit = std::size_t{1} << (choice / 3 % 20);

  Buffer out;
  out.append("kept");
  if (const auto done = grpc::decompress(compression, input, limit, out)) {
    fuzz::require(out.size() - 4 <= limit, "decompressed beyond the limit");
  } else {
    fuzz::require_equal(out.view(), "kept", "a failed decompression left something behind");
    const Code code = done.error().code();
    fuzz::require(code == Code::kInternal || code == Code::kResourceExhausted, "an undocumented code");
  }

  Buffer packed;
  fuzz::require(grpc::compress(compression, input, packed).has_value(), "compression failed");
  Buffer unpacked;
  fuzz::require(grpc::decompress(compression, packed.view(), input.size(), unpacked).has_value(),
                "what was compressed is refused");
  fuzz::require_equal(unpacked.view(), input, "compression loses something");
  if (!input.empty()) {
    Buffer less;
    fuzz::require(!grpc::decompress(compression, packed.view(), input.size() - 1, less), "a limit one byte below is not kept");
  }
}
