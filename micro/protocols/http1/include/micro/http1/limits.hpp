#pragma once

#include <cstddef>
#include <cstdint>

namespace micro::http1 {

// What one message may cost. Every bound is checked before the bytes behind it are kept, so a peer can make a parser hold at
// most max_start_line or max_header_bytes of unfinished line plus the headers themselves. All sizes in bytes.
struct Limits {
  // Request line or status line with its CRLF; a longer request line is answered 414. RFC 9112, section 3 asks for 8000 at
  // least. Raise it for clients that put data into the query.
  std::size_t max_start_line = 8 * 1024;

  // All field lines with their CRLFs; the trailers of a chunked body are counted anew. Beyond: 431.
  std::size_t max_header_bytes = 32 * 1024;

  // Field lines, trailers counted anew. Beyond: 431.
  std::size_t max_header_count = 100;

  // The body after chunk decoding. A Content-Length or chunk size beyond it is refused (413) before any of it is read. Streams
  // without an end need UINT64_MAX.
  std::uint64_t max_body = 16 * 1024 * 1024;

  // The line with the size of a chunk and its extensions. Beyond: 400. We use no extensions, and hardly anybody does.
  std::size_t max_chunk_line = 256;

  // Chunk lines in excess of 16 bytes a chunk and of twice the data they bring: a bound on peers that send one byte of body with
  // a long extension each (CVE-2023-39326). Beyond: 400.
  std::size_t max_chunk_overhead = 16 * 1024;

  // Interim (1xx) responses before the final one that a client skips.
  std::size_t max_interim = 16;
};

}  // namespace micro::http1
