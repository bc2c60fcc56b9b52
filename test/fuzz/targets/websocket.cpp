// WebSocket: any bytes to either role, with and without compression, give the same events however they were split, within the
// limits; what one end sends the other receives. The first byte chooses role, compression and limits.
#include <algorithm>
#include <micro/websocket/session.hpp>

#include "fuzz.hpp"

namespace {

using namespace micro::websocket;
using micro::fuzz::Copy;
using micro::fuzz::require;
using micro::fuzz::require_equal;

std::uint32_t fixed_mask() { return 0x37fa213d; }

struct Setting {
  Role role;
  Options options;
  std::optional<Deflate> deflate;
};

Setting setting_of(unsigned choice) {
  Setting setting{
      .role = (choice & 1) == 0 ? Role::kServer : Role::kClient, .options = {.mask_source = fixed_mask}, .deflate = {}};
  if ((choice & 2) != 0) {
    setting.deflate = Deflate{.server_no_context_takeover = (choice & 4) != 0,
                              .client_no_context_takeover = (choice & 8) != 0,
                              .server_max_window_bits = static_cast<std::uint8_t>((choice & 16) != 0 ? 9 : 15),
                              .client_max_window_bits = static_cast<std::uint8_t>((choice & 32) != 0 ? 9 : 15)};
  }
  setting.options.max_message = (choice & 64) != 0 ? 64 : 1 << 16;
  setting.options.max_frame = max_frame_for(setting.options.max_message);
  setting.options.max_empty_frames = 3;
  return setting;
}

std::string take(Session& session) {
  std::string bytes(session.output().flatten());
  session.output().consume(bytes.size());
  return bytes;
}

std::string run(std::string_view input, const Setting& setting, std::size_t step) {
  Session session(setting.role, setting.options, setting.deflate);
  std::string out;
  for (std::size_t at = 0; at < input.size(); at += step) {
    const Copy piece(input.substr(at, step));
    std::string_view rest = piece.view();
    while (true) {
      const auto event = session.next(rest);
      if (!event) {
        require(!session.next(rest), "a failed session goes on");
        return out.append("error ").append(event.error().reason()).append(take(session));
      }
      if (*event == Event::kNeedMore) break;
      const std::size_t limit = *event == Event::kMessage ? setting.options.max_message : 125;
      require(session.payload().size() <= limit, "a payload beyond its limit");
      out.append(std::to_string(static_cast<int>(*event))).append(" ").append(session.payload());
      if (*event == Event::kMessage) out.append(session.kind() == MessageKind::kText ? " text\n" : " binary\n");
      if (*event == Event::kClose) return out.append(std::to_string(session.close_code())).append(take(session));
    }
    if (session.closed()) break;
  }
  return out.append(take(session));
}

// With a window below 32 KiB a sender may still refer further back than the window reaches, which it must not. zlib notices that
// only when the bytes referred to have left its output buffer (inflate() compares with the agreed window when built with
// INFLATE_STRICT only), and how long they stay there depends on the split. So one run may refuse what the other reads; up to
// there both agree.
void require_same_events(std::string_view a, std::string_view b, const Setting& setting, std::string_view what) {
  constexpr std::string_view kInvalidData = "error WEBSOCKET_INVALID_DATA";
  const std::uint8_t window = !setting.deflate                ? 15
                              : setting.role == Role::kServer ? setting.deflate->client_max_window_bits
                                                              : setting.deflate->server_max_window_bits;
  const std::size_t a_failed = a.find(kInvalidData);
  const std::size_t b_failed = b.find(kInvalidData);
  if (window == 15 || a_failed == b_failed) return require_equal(a, b, what);
  const std::size_t common = std::min(a_failed, b_failed);
  require_equal(a.substr(0, common), b.substr(0, common), what);
}

void check_pair(std::string_view input, const Setting& setting) {
  Session from(setting.role, setting.options, setting.deflate);
  Session to(setting.role == Role::kServer ? Role::kClient : Role::kServer, setting.options, setting.deflate);
  const std::string_view whole = input.substr(0, 64);
  const std::size_t cut = whole.size() / 3;
  require(from.send(MessageKind::kBinary, whole).has_value(), "a message is refused");
  require(from.send_piece(MessageKind::kBinary, whole.substr(0, cut), false).has_value(), "a piece is refused");
  from.ping(input);
  require(from.send_piece(MessageKind::kBinary, whole.substr(cut), true).has_value(), "the last piece is refused");
  const Copy sent(take(from));
  std::string_view rest = sent.view();
  for (const Event wanted : {Event::kMessage, Event::kPing, Event::kMessage}) {
    const auto event = to.next(rest);
    require(event && *event == wanted, "what was sent does not arrive");
    require_equal(to.payload(), wanted == Event::kPing ? input.substr(0, 125) : whole, "a message changes on its way");
  }
  require(to.next(rest).value_or(Event::kClose) == Event::kNeedMore, "a message too many");
}

}  // namespace

MICRO_FUZZ_TARGET(websocket) {
  if (input.empty()) return;
  const Setting setting = setting_of(static_cast<unsigned char>(input.front()));
  input.remove_prefix(1);
  const std::string whole = run(input, setting, input.size() + 1);
  require_same_events(whole, run(input, setting, 1), setting, "events depend on how the bytes were split (single bytes)");
  require_same_events(whole, run(input, setting, 2 + micro::fuzz::hash(input) % 61), setting,
                      "events depend on how the bytes were split");
  check_pair(input, setting);
}
