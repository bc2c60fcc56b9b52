// The headers of the opening handshake: extensions and the answer a client accepts. The first byte chooses what we are willing to
// do.
#include <micro/websocket/handshake.hpp>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(websocket_handshake) {
  using namespace micro;
  using namespace micro::websocket;
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const DeflateOptions options{.enabled = (choice & 1) == 0,
                               .server_no_context_takeover = (choice & 2) != 0,
                               .client_no_context_takeover = (choice & 4) != 0,
                               .server_max_window_bits = static_cast<std::uint8_t>((choice & 8) != 0 ? 10 : 15),
                               .client_max_window_bits = static_cast<std::uint8_t>((choice & 16) != 0 ? 10 : 15)};
  (void)read_deflate_answer(input, options);
  if (const auto answer = choose_deflate(input, options); answer && *answer) {
    fuzz::require(options.enabled, "an extension is accepted that is switched off");
    // A client that made this very offer understands the answer; ours does if it would have offered as much.
    const auto read = read_deflate_answer((*answer)->extension, {});
    fuzz::require(!read || !*read || **read == (*answer)->deflate, "the two ends understand different things");
  }
  const Metadata headers{{"Host", "a"},
                         {"Upgrade", "websocket"},
                         {"Connection", "Upgrade"},
                         {"Sec-WebSocket-Version", "13"},
                         {"Sec-WebSocket-Key", (choice & 32) != 0 ? input : "dGhlIHNhbXBsZSBub25jZQ=="},
                         {"Sec-WebSocket-Protocol", input},
                         {"Sec-WebSocket-Extensions", input}};
  if (const auto accepted =
          accept_request(http::Method::kGet, 1, headers, {.subprotocols = {"chat", "v2"}, .deflate = options})) {
    fuzz::require(accepted->subprotocol.empty() || accepted->subprotocol == "chat" || accepted->subprotocol == "v2",
                  "a subprotocol is chosen that we do not speak");
  }
}
