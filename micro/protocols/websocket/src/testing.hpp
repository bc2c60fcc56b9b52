#pragma once

// For the tests: frames by hand, and what a session makes of some bytes, as text that can be compared.

#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <micro/websocket/session.hpp>

namespace micro::websocket::testing {

inline constexpr std::string_view kKey = "\x37\xfa\x21\x3d";

inline std::uint32_t fixed_key() { return 0x37fa213d; }

inline std::string masked(std::string_view payload, std::string_view key = kKey) {
  std::string out(payload);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ key[i % 4]);
  return out;
}

enum class Length { kShortest, kTwoBytes, kEightBytes };

// A frame with the first byte `start` (FIN, RSV, opcode).
inline std::string frame(unsigned start, std::string_view payload, bool mask, Length length = Length::kShortest) {
  std::string out(1, static_cast<char>(start));
  const unsigned bit = mask ? 0x80 : 0;
  const std::uint64_t size = payload.size();
  if (length == Length::kShortest && size > 0xffff) length = Length::kEightBytes;
  if (length == Length::kShortest && size > 125) length = Length::kTwoBytes;
  const auto number = [&](int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift));
  };
  if (length == Length::kShortest) out.push_back(static_cast<char>(bit | size));
  if (length == Length::kTwoBytes) out.push_back(static_cast<char>(bit | 126)), number(2);
  if (length == Length::kEightBytes) out.push_back(static_cast<char>(bit | 127)), number(8);
  return mask ? out.append(kKey).append(masked(payload)) : out.append(payload);
}

// What a client sends, and a server.
inline std::string client(unsigned start, std::string_view payload = {}) { return frame(start, payload, true); }
inline std::string server(unsigned start, std::string_view payload = {}) { return frame(start, payload, false); }

inline std::string close_payload(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code)}.append(reason);
}

inline std::string take(Session& session) {
  std::string out(session.output().flatten());
  session.output().clear();
  return out;
}

inline std::string shown(std::string_view payload) {
  if (payload.size() > 40) return std::to_string(payload.size()) + " bytes";
  std::string out;
  for (const char c : payload) {
    if (c >= ' ' && c < '\x7f') {
      out.push_back(c);
    } else {
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += {'\\', kDigits[static_cast<unsigned char>(c) >> 4], kDigits[c & 15]};
    }
  }
  return out;
}

// One word an event: "text(hello) binary(\00) ping() pong(x) close(1000,bye)", and at the end "error(1002)" with the code that
// was sent. The bytes come in reads of `step`, each copied to the heap so that a view kept too long is found by the sanitizers.
inline std::string transcript(Session& session, std::string_view bytes, std::size_t step) {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view what) {
    if (!out.empty()) out += " ";
    out.append(name).append("(").append(what).append(")");
  };
  while (!bytes.empty()) {
    const std::string read(bytes.substr(0, step));
    bytes.remove_prefix(read.size());
    std::string_view input = read;
    while (true) {
      const auto event = session.next(input);
      if (!event) {
        add("error", std::to_string(session.sent_close_code()));
        EXPECT_TRUE(session.closed());
        return out;
      }
      if (*event == Event::kNeedMore) break;
      switch (*event) {
        case Event::kMessage:
          add(session.kind() == MessageKind::kText ? "text" : "binary", shown(session.payload()));
          break;
        case Event::kPing:
          add("ping", shown(session.payload()));
          break;
        case Event::kPong:
          add("pong", shown(session.payload()));
          break;
        case Event::kClose:
          add("close", std::to_string(session.close_code()) + "," + shown(session.payload()));
          break;
        case Event::kNeedMore:
          break;
      }
    }
    EXPECT_TRUE(input.empty());
  }
  return out;
}

// The transcript of a new session, checked not to depend on how the bytes are cut; `*sent` gets what the session answered.
inline std::string receive(Role role, std::string_view bytes, const Options& options = {},
                           std::optional<Deflate> deflate = std::nullopt, std::string* sent = nullptr) {
  Options fixed = options;
  fixed.mask_source = fixed_key;
  Session whole(role, fixed, deflate);
  const std::string expected = transcript(whole, bytes, bytes.size() + 1);
  const std::string answers = take(whole);
  for (const std::size_t step : {1, 2, 3, 5, 64, 1000}) {
    if (bytes.size() / step > 100000) continue;
    Session session(role, fixed, deflate);
    EXPECT_EQ(transcript(session, bytes, step), expected) << "in steps of " << step;
    EXPECT_EQ(take(session), answers) << "in steps of " << step;
  }
  if (sent != nullptr) *sent = answers;
  return expected;
}

}  // namespace micro::websocket::testing
