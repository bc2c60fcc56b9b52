#include "header_validation.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace micro::http2 {
namespace {

enum Pseudo : std::uint8_t { kMethod = 1, kPath = 2, kScheme = 4, kAuthority = 8, kProtocol = 16, kStatus = 32 };

enum CharClass : std::uint8_t {
  kNotName = 1,   // not allowed in a field name: everything but lower-case token characters (RFC 9113 section 8.2.1)
  kNotToken = 2,  // not a token character (RFC 9110 section 5.6.2): methods
  kNotValue = 4,  // control characters other than tab
  kNotUri = 8,    // controls and space: paths
  kNotScheme = 16,
  kNotHost = 32,  // what neither host nor port may hold (RFC 3986 section 3.2): authorities
};

constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool upper = c >= 'A' && c <= 'Z';
    const bool digit = c >= '0' && c <= '9';
    const bool mark = c != 0 && c < 128 && std::string_view("!#$%&'*+-.^_`|~").contains(static_cast<char>(c));
    std::uint8_t bits = 0;
    if (!lower && !digit && !mark) bits |= kNotName;
    if (!lower && !upper && !digit && !mark) bits |= kNotToken;
    if ((c < 0x20 && c != '\t') || c == 0x7f) bits |= kNotValue;
    if (c <= 0x20 || c == 0x7f) bits |= kNotUri;
    if (!lower && !upper && !digit && c != '+' && c != '-' && c != '.') bits |= kNotScheme;
    const bool host = c < 128 && std::string_view("-._~!$&'()*+,;=%:[]").contains(static_cast<char>(c));
    if (!lower && !upper && !digit && !host) bits |= kNotHost;
    table[c] = bits;
  }
  return table;
}();

bool all_outside(std::string_view text, std::uint8_t excluded) noexcept {
  std::uint8_t bits = 0;
  for (const char c : text) bits |= kClasses[static_cast<std::uint8_t>(c)];
  return (bits & excluded) == 0;
}

// True when some byte is below 0x20 or is 0x7f; eight at a time.
bool may_have_controls(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  const auto suspect = [](std::uint64_t word) {
    const std::uint64_t del = word ^ (kOnes * 0x7f);
    return (((word - kOnes * 0x20) & ~word) | ((del - kOnes) & ~del)) & kHigh;
  };
  const char* at = text.data();
  std::uint64_t word = 0;
  std::uint64_t found = 0;
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::memcpy(&word, at, 8);
    found |= suspect(word);
  }
  if (left != 0) {
    word = kOnes * ' ';
    std::memcpy(&word, at, left);
    found |= suspect(word);
  }
  return found != 0;
}

bool valid_value(std::string_view value) noexcept {
  if (value.empty()) return true;
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (blank(value.front()) || blank(value.back())) return false;
  return !may_have_controls(value) || all_outside(value, kNotValue);
}

std::string_view without_default_port(std::string_view authority, std::string_view scheme) noexcept {
  // That of CONNECT has no default.
  if (scheme.empty()) return authority;
  const std::string_view port = scheme == "https" ? ":443" : ":80";
  if (authority.ends_with(port)) authority.remove_suffix(port.size());
  return authority;
}

bool same_authority(std::string_view a, std::string_view b, std::string_view scheme) noexcept {
  if (a == b) return true;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(without_default_port(a, scheme), without_default_port(b, scheme), {}, lower, lower);
}

bool is_connection_specific(std::string_view name) noexcept {
  switch (name.size()) {
    case 7:
      return name == "upgrade";
    case 10:
      return name == "connection" || name == "keep-alive";
    case 16:
      return name == "proxy-connection";
    case 17:
      return name == "transfer-encoding";
    default:
      return false;
  }
}

}  // namespace

std::string_view HeaderBlock::find(std::string_view name) const noexcept {
  for (const Field& field : fields) {
    if (field.name == name) return field.value;
  }
  return {};
}

void DecodedBlock::clear() noexcept {
  block = {};
  fields.clear();
  text.clear();
  content_length = -1;
  malformed = nullptr;
  too_large = false;
  excess = Excess::kNone;
}

void HeaderValidator::add(const Field& field) {
  if (out_.malformed != nullptr) return;
  if (!field.name.empty() && field.name.front() == ':') {
    if (regular_seen_) return malformed("pseudo-header field after a regular field");
    return add_pseudo(field.name, field.value);
  }
  regular_seen_ = true;
  check_regular(field.name, field.value);
  if (out_.malformed == nullptr) out_.fields.push_back(field);
}

void HeaderValidator::add_pseudo(std::string_view name, std::string_view value) {
  struct Known {
    std::string_view name;
    Pseudo bit;
    std::string_view HeaderBlock::* member;
  };
  static constexpr std::array<Known, 6> kKnown = {{{":method", kMethod, &HeaderBlock::method},
                                                   {":path", kPath, &HeaderBlock::path},
                                                   {":scheme", kScheme, &HeaderBlock::scheme},
                                                   {":authority", kAuthority, &HeaderBlock::authority},
                                                   {":protocol", kProtocol, &HeaderBlock::protocol},
                                                   {":status", kStatus, &HeaderBlock::status}}};
  const auto known = std::ranges::find(kKnown, name, &Known::name);
  std::uint8_t allowed = 0;
  if (kind_ == BlockKind::kRequest) allowed = kMethod | kPath | kScheme | kAuthority | (connect_protocol_ ? kProtocol : 0);
  if (kind_ == BlockKind::kResponse) allowed = kStatus;
  if (known == kKnown.end() || (known->bit & allowed) == 0) return malformed("pseudo-header field that does not belong here");
  if ((seen_ & known->bit) != 0) return malformed("pseudo-header field repeated");
  seen_ |= known->bit;
  bool good = false;
  switch (known->bit) {
    case kMethod:
      good = !value.empty() && all_outside(value, kNotToken);
      break;
    case kPath:
      good = !value.empty() && all_outside(value, kNotUri);
      break;
    case kScheme:
      good = !value.empty() && all_outside(value, kNotScheme);
      break;
    case kAuthority:
      good = all_outside(value, kNotHost);
      break;
    case kProtocol:
      good = !value.empty() && all_outside(value, kNotUri);
      break;
    case kStatus:
      good = value.size() == 3 && value[0] >= '1' && value[0] <= '9' &&
             std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
      break;
  }
  if (!good) return malformed("pseudo-header field with a bad value");
  out_.block.*(known->member) = value;
}

void HeaderValidator::check_regular(std::string_view name, std::string_view value) {
  if (name.empty() || !all_outside(name, kNotName)) return malformed("field name that is not a lower-case token");
  if (!valid_value(value)) return malformed("field value with control characters or blanks at its ends");
  if (is_connection_specific(name)) return malformed("connection-specific field");
  if (name == "te" && value != "trailers") return malformed("te other than trailers");
  if (name == "content-length" && kind_ != BlockKind::kTrailers) check_content_length(value);
  if (name == "host" && kind_ == BlockKind::kRequest) {
    // Readers that take the first one and readers that take the last must not exist (RFC 9112 section 3.2 has it a bad request).
    if (host_.data() != nullptr) return malformed("host repeated");
    host_ = value;
  }
}

void HeaderValidator::check_content_length(std::string_view value) {
  if (out_.content_length == DecodedBlock::kBadLength) return;
  if (value.empty() || value.size() > 18) return bad_length("bad content-length");
  std::int64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return bad_length("bad content-length");
    length = length * 10 + (c - '0');
  }
  if (out_.content_length >= 0 && out_.content_length != length) return bad_length("contradicting content-length fields");
  out_.content_length = length;
}

// What a response answers, and so whether its length means anything, is not known here.
void HeaderValidator::bad_length(const char* why) {
  if (kind_ == BlockKind::kRequest) return malformed(why);
  out_.content_length = DecodedBlock::kBadLength;
}

void HeaderValidator::finish() {
  out_.block.fields = out_.fields;
  if (out_.malformed != nullptr || out_.too_large) return;
  if (kind_ == BlockKind::kRequest) finish_request();
  if (kind_ == BlockKind::kResponse && (seen_ & kStatus) == 0) malformed("response without :status");
}

void HeaderValidator::finish_request() {
  HeaderBlock& block = out_.block;
  if ((seen_ & kMethod) == 0) return malformed("request without :method");
  // RFC 9113 section 8.3.1: or two readers of the request could disagree whose it is.
  if ((seen_ & kAuthority) != 0 && host_.data() != nullptr && !same_authority(block.authority, host_, block.scheme)) {
    return malformed("host other than :authority");
  }
  // What follows a CONNECT is a tunnel and no content (RFC 9110 section 9.3.6): a length of it means nothing.
  if (block.method == "CONNECT") out_.content_length = -1;
  // RFC 9113 section 8.5 for CONNECT, RFC 8441 section 4 for the extended one.
  if (block.method == "CONNECT" && (seen_ & kProtocol) == 0) {
    if ((seen_ & (kPath | kScheme)) != 0) return malformed("CONNECT with :path or :scheme");
    if (block.authority.empty()) return malformed("CONNECT without :authority");
    return;
  }
  if ((seen_ & kProtocol) != 0 && block.method != "CONNECT") return malformed(":protocol without CONNECT");
  if ((seen_ & (kPath | kScheme)) != (kPath | kScheme)) return malformed("request without :path or :scheme");
  const bool http = block.scheme == "http" || block.scheme == "https";
  if (http && block.path.front() != '/' && !(block.path == "*" && block.method == "OPTIONS"))
    return malformed(":path not absolute");
  if ((seen_ & kAuthority) == 0) {
    if (!all_outside(host_, kNotHost)) return malformed("bad host");
    block.authority = host_;
  }
}

}  // namespace micro::http2
