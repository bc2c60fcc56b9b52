#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <micro/bytes/buffer.hpp>
#include <micro/http2/field.hpp>

namespace micro::http2 {

// What a header section is, and with it which rules it has to meet.
enum class BlockKind : std::uint8_t { kRequest, kResponse, kTrailers, kDiscard };

// A decoded header section with the memory its views point into.
struct DecodedBlock {
  HeaderBlock block;
  std::vector<Field> fields;
  Buffer text;
  static constexpr std::int64_t kBadLength = -2;
  std::int64_t content_length = -1;  // -1: not given; kBadLength: of a response, which is malformed unless it opens a tunnel
  const char* malformed = nullptr;   // why RFC 9113 section 8 calls the section malformed, for people; nullptr when it is not
  bool too_large = false;
  // Why decoding was broken off although the block may be sound.
  enum class Excess : std::uint8_t { kNone, kSize, kTableUpdates };
  Excess excess = Excess::kNone;

  void clear() noexcept;
};

// Checks one header section field by field and sorts it into a DecodedBlock. Views are kept, not copied.
class HeaderValidator {
 public:
  HeaderValidator(BlockKind kind, bool connect_protocol, DecodedBlock& out)
      : kind_(kind), connect_protocol_(connect_protocol), out_(out) {}

  // After the first violation the rest is not looked at.
  void add(const Field& field);
  void finish();

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  void finish_request();
  void check_regular(std::string_view name, std::string_view value);
  void check_content_length(std::string_view value);
  void bad_length(const char* why);
  void malformed(const char* why) { out_.malformed = why; }

  BlockKind kind_;
  bool connect_protocol_;
  DecodedBlock& out_;
  std::uint8_t seen_ = 0;  // one bit a pseudo-header field
  bool regular_seen_ = false;
  std::string_view host_;
};

}  // namespace micro::http2
