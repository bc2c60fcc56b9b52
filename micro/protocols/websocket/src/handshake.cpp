#include <micro/websocket/handshake.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <micro/http/error.hpp>
#include <micro/http/field.hpp>
#include <micro/http/status.hpp>

#include "mask.hpp"

namespace micro::websocket {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// Several fields of one name are one list (RFC 9110, section 5.2).
std::string joined(const Metadata& headers, std::string_view name) {
  std::string out;
  for (const std::string_view value : headers.values(name)) {
    if (!out.empty()) out += ", ";
    out += value;
  }
  return out;
}

bool lists(const Metadata& headers, std::string_view name, std::string_view token) {
  return std::ranges::any_of(headers.values(name), [&](std::string_view value) { return http::list_contains(value, token); });
}

// 16 bytes in base64: 22 characters, of which the last has four bits, and the padding.
bool is_key(std::string_view key) noexcept {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view kLastDigits = "AQgw";
  return key.size() == 24 && key.ends_with("==") && key.substr(0, 22).find_first_not_of(kDigits) == std::string_view::npos &&
         kLastDigits.contains(key[21]);
}

Error refuse(Error why) { return std::move(why).with_context("cannot open a WebSocket"); }

Error bad_answer(std::string_view why) {
  return Error(Code::kInternal, "WEBSOCKET_ANSWER", "cannot open a WebSocket: the server's answer " + std::string(why));
}

std::string shown(std::string_view value) { return "'" + std::string(value.substr(0, 100)) + "'"; }

Result<std::string> choose_subprotocol(const Metadata& headers, const std::vector<std::string>& ours) {
  const std::string offered = joined(headers, "Sec-WebSocket-Protocol");
  std::string_view rest = offered;
  std::vector<std::string_view> theirs;
  for (std::string_view item; http::next_list_item(rest, item);) {
    if (!http::is_token(item))
      return fail(refuse(http::error_with_status(http::status::kBadRequest, "WEBSOCKET_SUBPROTOCOL",
                                                 "Sec-WebSocket-Protocol holds " + shown(item) + ", which is no token")));
    theirs.push_back(item);
  }
  for (const std::string& each : ours) {
    if (std::ranges::find(theirs, each) != theirs.end()) return each;
  }
  return std::string();
}

}  // namespace

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 29> encoded;
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

Result<Accepted> accept_request(http::Method method, int minor_version, const Metadata& headers, const AcceptOptions& options) {
  using http::status::kBadRequest;
  if (!lists(headers, "Upgrade", "websocket") || !lists(headers, "Connection", "upgrade") || minor_version < 1) {
    return fail(refuse(http::error_with_status(
        http::status::kUpgradeRequired, "WEBSOCKET_UPGRADE_REQUIRED",
        "the request must be HTTP/1.1 with 'Connection: Upgrade' and 'Upgrade: websocket'; a proxy in between may "
        "have removed them")));
  }
  if (method != http::Method::kGet)
    return fail(refuse(http::error_with_status(kBadRequest, "WEBSOCKET_METHOD", "the method must be GET")));
  const auto versions = headers.values("Sec-WebSocket-Version");
  if (versions.size() != 1 || versions.front() != kVersion)
    return fail(
        refuse(http::error_with_status(http::status::kUpgradeRequired, "WEBSOCKET_VERSION", "Sec-WebSocket-Version must be 13")));
  const auto keys = headers.values("Sec-WebSocket-Key");
  if (keys.size() != 1 || !is_key(keys.front()))
    return fail(
        refuse(http::error_with_status(kBadRequest, "WEBSOCKET_KEY", "there must be one Sec-WebSocket-Key, 16 bytes in base64")));
  if (const auto origin = headers.find("Origin"); origin && !options.origins.empty()) {
    const auto same = [&](const std::string& each) { return equals_ignore_case(each, *origin); };
    if (headers.values("Origin").size() != 1 || std::ranges::none_of(options.origins, same))
      return fail(refuse(http::error_with_status(http::status::kForbidden, "WEBSOCKET_ORIGIN",
                                                 "pages of origin " + shown(*origin) + " are not let in")));
  }

  Accepted out;
  auto subprotocol = choose_subprotocol(headers, options.subprotocols);
  if (!subprotocol) return fail(std::move(subprotocol.error()));
  out.subprotocol = std::move(*subprotocol);
  auto deflate = choose_deflate(joined(headers, "Sec-WebSocket-Extensions"), options.deflate);
  if (!deflate) return fail(std::move(deflate.error()));

  out.headers.add("Sec-WebSocket-Accept", accept_key(keys.front()));
  if (!out.subprotocol.empty()) out.headers.add("Sec-WebSocket-Protocol", out.subprotocol);
  if (*deflate) {
    out.headers.add("Sec-WebSocket-Extensions", (*deflate)->extension);
    out.deflate = (*deflate)->deflate;
  }
  return out;
}

Offer make_offer(const ConnectOptions& options) {
  const std::array<char, 24> key = random_key();
  Offer out{.headers = {}, .key = std::string(key.data(), key.size()), .options = options};
  out.headers.add("Sec-WebSocket-Key", out.key);
  out.headers.add("Sec-WebSocket-Version", kVersion);
  std::string subprotocols;
  for (const std::string& each : options.subprotocols) {
    if (!http::is_token(each)) throw std::logic_error("a WebSocket subprotocol must be a token, but one is '" + each + "'");
    if (!subprotocols.empty()) subprotocols += ", ";
    subprotocols += each;
  }
  if (!subprotocols.empty()) out.headers.add("Sec-WebSocket-Protocol", subprotocols);
  if (const std::string offer = deflate_offer(options.deflate); !offer.empty())
    out.headers.add("Sec-WebSocket-Extensions", offer);
  return out;
}

Result<Opened> check_answer(int status, const Metadata& headers, const Offer& offer) {
  if (status != http::status::kSwitchingProtocols)
    return fail(bad_answer("has status " + std::to_string(status) + " instead of 101"));
  if (!lists(headers, "Upgrade", "websocket")) return fail(bad_answer("has no 'Upgrade: websocket'"));
  if (!lists(headers, "Connection", "upgrade")) return fail(bad_answer("has no 'Connection: Upgrade'"));
  const auto keys = headers.values("Sec-WebSocket-Accept");
  if (keys.size() != 1 || http::trim_blanks(keys.front()) != accept_key(offer.key))
    return fail(bad_answer("has a Sec-WebSocket-Accept that does not belong to our key; a cache may stand in between"));
  const auto subprotocols = headers.values("Sec-WebSocket-Protocol");
  if (subprotocols.size() > 1) return fail(bad_answer("has more than one Sec-WebSocket-Protocol"));

  Opened out;
  if (!subprotocols.empty()) {
    out.subprotocol = http::trim_blanks(subprotocols.front());
    if (std::ranges::find(offer.options.subprotocols, out.subprotocol) == offer.options.subprotocols.end())
      return fail(bad_answer("chose the subprotocol " + shown(out.subprotocol) + ", which was not offered"));
  }
  auto deflate = read_deflate_answer(joined(headers, "Sec-WebSocket-Extensions"), offer.options.deflate);
  if (!deflate) return fail(std::move(deflate.error()));
  out.deflate = *deflate;
  return out;
}

}  // namespace micro::websocket
