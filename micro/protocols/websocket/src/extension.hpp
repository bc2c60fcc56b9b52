#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace micro::websocket {

struct Extension {
  std::string name;
  std::vector<std::pair<std::string, std::optional<std::string>>> parameters;
};

// Reads a Sec-WebSocket-Extensions value (RFC 6455, section 9.1): 1#( token *( ";" token [ "=" ( token | quoted-string ) ] ) ),
// where a quoted value must be a token once unquoted. Empty list elements are skipped. nullopt when it is malformed.
std::optional<std::vector<Extension>> parse_extensions(std::string_view text);

}  // namespace micro::websocket
