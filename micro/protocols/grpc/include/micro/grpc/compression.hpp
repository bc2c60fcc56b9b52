#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/error/error.hpp>

namespace micro::grpc {

// How the messages of a stream may be compressed: the values of grpc-encoding. "deflate" is the zlib format of RFC 1950, as in
// HTTP. (Rules: gRPC's doc/compression.md.)
enum class Compression : std::uint8_t { kIdentity = 0, kDeflate = 1, kGzip = 2 };

// What this component can do, as the value of grpc-accept-encoding.
inline constexpr std::string_view kAcceptEncoding = "identity,deflate,gzip";

// "identity", "deflate", "gzip".
std::string_view to_string(Compression compression) noexcept;

// The value of a grpc-encoding header; empty (no header) means identity. Fails with UNIMPLEMENTED naming the encoding and the
// ones that work; a server then also sends grpc-accept-encoding: kAcceptEncoding. A client that meets the error in a response
// passes kInternal as `unknown`, the code the protocol wants there.
Result<Compression> parse_encoding(std::string_view value, Code unknown = Code::kUnimplemented);

// What the peer told in grpc-accept-encoding. Identity is always accepted.
class AcceptedCompressions {
 public:
  constexpr AcceptedCompressions() = default;
  constexpr bool contains(Compression c) const noexcept { return (bits_ & bit(c)) != 0; }
  constexpr void add(Compression c) noexcept { bits_ |= bit(c); }
  // `wanted` if the peer accepts it, else identity.
  constexpr Compression choose(Compression wanted) const noexcept { return contains(wanted) ? wanted : Compression::kIdentity; }
  // The best the peer accepts: gzip before deflate before identity.
  constexpr Compression best() const noexcept {
    return contains(Compression::kGzip) ? Compression::kGzip : choose(Compression::kDeflate);
  }
  friend bool operator==(AcceptedCompressions, AcceptedCompressions) = default;

 private:
  static constexpr std::uint8_t bit(Compression c) noexcept { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(c)); }
  std::uint8_t bits_ = 1;
};

// Reads a comma-separated grpc-accept-encoding value; names it does not know are skipped.
AcceptedCompressions parse_accept_encoding(std::string_view value) noexcept;

// Appends `in`, compressed, to `out`; identity copies. Fails with RESOURCE_EXHAUSTED when there is no memory; `out` is then as
// before. The zlib states are kept a thread (about 300 KiB each once used), so a call does not allocate them again.
Result<void> compress(Compression compression, std::string_view in, Buffer& out);

// Appends `in`, decompressed, to `out`. The output grows as data comes and stops at `max_size` bytes: a bomb costs no more than
// that and fails with RESOURCE_EXHAUSTED. Corrupt or truncated data fails with INTERNAL. On failure `out` is as before.
Result<void> decompress(Compression compression, std::string_view in, std::size_t max_size, Buffer& out);

}  // namespace micro::grpc
