#pragma once

#include <span>
#include <string_view>

#include <micro/bytes/buffer.hpp>

namespace micro::http2 {

// One header or trailer field, or a pseudo-header field (":path") when sending. Both views belong to somebody else.
//
// What a caller sends must already be right for HTTP/2 (RFC 9113 section 8.2): names in lower case, no connection-specific
// fields, no CR, LF or NUL in values, pseudo-header fields first. The session does not check it again; a strict peer will.
struct Field {
  std::string_view name;
  std::string_view value;
  // True: never put into a compression table, here or at any hop (RFC 7541 section 7.1.3): credentials and the like.
  bool sensitive = false;
};

// A header section as received, decoded and validated against RFC 9113 section 8.
// Lifetime: all views are valid only during the call that hands the block over; copy what is needed later.
struct HeaderBlock {
  // Pseudo-header fields; empty when absent. `method`, `scheme`, `path`, `authority` and `protocol` (RFC 8441) are those of a
  // request, `status` (three digits) that of a response. `authority` falls back to the Host field when only that was sent.
  std::string_view method;
  std::string_view path;
  std::string_view scheme;
  std::string_view authority;
  std::string_view protocol;
  std::string_view status;
  // Regular fields in the order sent, repetitions included, names in lower case. Values have no surrounding blanks.
  // A cookie may arrive in several fields; join them with "; " before HTTP/1.1 code sees them (RFC 9113 section 8.2.3).
  std::span<const Field> fields;

  // The value of the first field called `name` (lower case), or an empty view without data() when there is none.
  std::string_view find(std::string_view name) const noexcept;
};

// Appends `fields` to `out` as an HPACK block that depends on no connection state: entries of the static table where they match
// in full, else literals without indexing (never indexed when sensitive), without Huffman coding.
//
// Such a block can be made once and sent any number of times on any connection with Session::open_encoded and
// Session::submit_encoded_headers; blocks may also be concatenated.
void encode_static(std::span<const Field> fields, Buffer& out);

}  // namespace micro::http2
