#include <micro/websocket/deflate.hpp>

#include <algorithm>
#include <utility>

#include <micro/metadata/metadata.hpp>

#include "extension.hpp"

namespace micro::websocket {
namespace {

constexpr std::string_view kName = "permessage-deflate";

// The parameters of one offer or answer. Bits of 0: the parameter is absent.
struct Parameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool has_client_max_window_bits = false;
  std::uint8_t server_max_window_bits = 0;
  std::uint8_t client_max_window_bits = 0;
};

std::uint8_t read_bits(const std::optional<std::string>& value) noexcept {
  if (!value) return 0;
  if (*value == "8" || *value == "9") return static_cast<std::uint8_t>(value->front() - '0');
  if (value->size() == 2 && value->front() == '1' && value->back() >= '0' && value->back() <= '5')
    return static_cast<std::uint8_t>(10 + value->back() - '0');
  return 0;
}

// nullopt for an unknown, repeated or bad parameter.
std::optional<Parameters> read_parameters(const Extension& extension) {
  Parameters out;
  for (const auto& [name, value] : extension.parameters) {
    if (name == "server_no_context_takeover") {
      if (value || std::exchange(out.server_no_context_takeover, true)) return std::nullopt;
    } else if (name == "client_no_context_takeover") {
      if (value || std::exchange(out.client_no_context_takeover, true)) return std::nullopt;
    } else if (name == "server_max_window_bits") {
      if (std::exchange(out.server_max_window_bits, read_bits(value)) != 0 || out.server_max_window_bits == 0)
        return std::nullopt;
    } else if (name == "client_max_window_bits") {
      if (std::exchange(out.has_client_max_window_bits, true)) return std::nullopt;
      out.client_max_window_bits = read_bits(value);
      if (value && out.client_max_window_bits == 0) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::uint8_t clamp_bits(std::uint8_t bits) noexcept { return std::clamp<std::uint8_t>(bits, 8, 15); }

DeflateAnswer answer_to(const Parameters& offer, const DeflateOptions& options) {
  DeflateAnswer out;
  Deflate& agreed = out.deflate;
  agreed.server_no_context_takeover = offer.server_no_context_takeover || options.server_no_context_takeover;
  agreed.client_no_context_takeover = offer.client_no_context_takeover || options.client_no_context_takeover;
  agreed.server_max_window_bits = clamp_bits(options.server_max_window_bits);
  if (offer.server_max_window_bits != 0)
    agreed.server_max_window_bits = std::min(agreed.server_max_window_bits, offer.server_max_window_bits);
  if (offer.has_client_max_window_bits) {
    agreed.client_max_window_bits = clamp_bits(options.client_max_window_bits);
    if (offer.client_max_window_bits != 0)
      agreed.client_max_window_bits = std::min(agreed.client_max_window_bits, offer.client_max_window_bits);
  }
  out.extension = kName;
  if (agreed.server_no_context_takeover) out.extension += "; server_no_context_takeover";
  if (agreed.client_no_context_takeover) out.extension += "; client_no_context_takeover";
  if (offer.server_max_window_bits != 0 || agreed.server_max_window_bits < 15)
    out.extension += "; server_max_window_bits=" + std::to_string(agreed.server_max_window_bits);
  if (agreed.client_max_window_bits < 15)
    out.extension += "; client_max_window_bits=" + std::to_string(agreed.client_max_window_bits);
  return out;
}

Error bad_answer(std::string_view answer, std::string_view why) {
  return Error(Code::kInternal, "WEBSOCKET_EXTENSIONS",
               "cannot open a WebSocket: the server answered Sec-WebSocket-Extensions '" + std::string(answer.substr(0, 200)) +
                   "', " + std::string(why));
}

}  // namespace

Result<std::optional<DeflateAnswer>> choose_deflate(std::string_view offers, const DeflateOptions& options) {
  const auto extensions = parse_extensions(offers);
  if (!extensions) {
    return fail(Error(Code::kInvalidArgument, "WEBSOCKET_EXTENSIONS",
                      "cannot open a WebSocket: Sec-WebSocket-Extensions is not of the form 'name; parameter=value, ...'"));
  }
  if (!options.enabled) return std::nullopt;
  for (const Extension& extension : *extensions) {
    if (!equals_ignore_case(extension.name, kName)) continue;
    if (const auto offer = read_parameters(extension)) return answer_to(*offer, options);
  }
  return std::nullopt;
}

std::string deflate_offer(const DeflateOptions& options) {
  if (!options.enabled) return {};
  std::string out(kName);
  if (options.server_no_context_takeover) out += "; server_no_context_takeover";
  if (options.client_no_context_takeover) out += "; client_no_context_takeover";
  if (const auto bits = clamp_bits(options.server_max_window_bits); bits < 15)
    out += "; server_max_window_bits=" + std::to_string(bits);
  // Without a value it tells that the server may limit our window.
  out += "; client_max_window_bits";
  if (const auto bits = clamp_bits(options.client_max_window_bits); bits < 15) out += "=" + std::to_string(bits);
  return out;
}

Result<std::optional<Deflate>> read_deflate_answer(std::string_view answer, const DeflateOptions& options) {
  const auto extensions = parse_extensions(answer);
  if (!extensions) return fail(bad_answer(answer, "which is malformed"));
  if (extensions->empty()) return std::nullopt;
  if (extensions->size() > 1 || !options.enabled || !equals_ignore_case(extensions->front().name, kName))
    return fail(bad_answer(answer, "which holds an extension that was not offered"));
  const auto parameters = read_parameters(extensions->front());
  if (!parameters) return fail(bad_answer(answer, "whose parameters are unknown, repeated or out of range"));
  if (parameters->has_client_max_window_bits && parameters->client_max_window_bits == 0)
    return fail(bad_answer(answer, "where client_max_window_bits needs a value"));
  if (options.server_no_context_takeover && !parameters->server_no_context_takeover)
    return fail(bad_answer(answer, "which lacks the server_no_context_takeover that was asked for"));
  Deflate agreed;
  agreed.server_no_context_takeover = parameters->server_no_context_takeover;
  agreed.client_no_context_takeover = parameters->client_no_context_takeover || options.client_no_context_takeover;
  if (parameters->server_max_window_bits != 0) agreed.server_max_window_bits = parameters->server_max_window_bits;
  if (agreed.server_max_window_bits > clamp_bits(options.server_max_window_bits))
    return fail(bad_answer(answer, "whose server_max_window_bits is more than was asked for"));
  agreed.client_max_window_bits = clamp_bits(options.client_max_window_bits);
  if (parameters->client_max_window_bits > agreed.client_max_window_bits)
    return fail(bad_answer(answer, "whose client_max_window_bits is more than was offered"));
  if (parameters->client_max_window_bits != 0) agreed.client_max_window_bits = parameters->client_max_window_bits;
  return agreed;
}

}  // namespace micro::websocket
