#pragma once

// For tests: frames as a peer could send them, right and wrong, from a seed.
#include <map>
#include <random>
#include <string>
#include <vector>

#include "testing.hpp"

namespace micro::http2::testing {

using namespace std::string_view_literals;

struct Step {
  std::string name;
  std::string bytes;
  bool choice = false;  // RFC 9113 lets each do as it likes
  bool last = false;    // and from here on
};

// Frames as a peer could send them. Knows which streams are in which state, to be wrong on purpose and not always.
class Generator {
 public:
  Generator(Role receiver, std::uint32_t seed)
      : server_(receiver == Role::kServer), random_(seed), clumsiness_(1 + seed % 3 * 10) {
    if (server_) return;
    for (const std::uint32_t id : {1U, 3U, 5U, 7U}) states_[id] = State::kFresh;
    next_ = 9;
  }

  Step next() {
    switch (pick(server_ ? 22 : 20)) {
      case 0:
      case 1:
      case 2:
        return server_ ? request() : response();
      case 3:
      case 4:
      case 5:
        return body();
      case 6:
        return trailers();
      case 7:
        return reset();
      case 8:
      case 9:
        return update();
      case 10:
        return wrong(20) ? Step{"PING of 7", frame(FrameType::kPing, 0, 0, "1234567")}
                         : Step{"PING", frame(FrameType::kPing, one_in(3) ? kFlagAck : 0, wrong(30) ? 1 : 0, "12345678")};
      case 11:
      case 12:
        return settings_frame();
      case 13:
        return priority();
      case 14:
        return {"unknown type", frame(FrameType(0x40 + pick(100)), static_cast<std::uint8_t>(pick(256)), pick(9), "abc")};
      case 15:
        return split();
      case 16:
      case 17:
        return wrong(3) ? broken() : Step{"PING", ping("abcdefgh")};
      case 18:
        return hpack();
      case 19:
        // What a client opens behind its own GOAWAY a server may serve or ignore, and a client may leave once its streams have
        // ended.
        return one_in(4) ? Step{"GOAWAY", goaway(server_ ? 0 : 0x7fffffff, ErrorCode(pick(14)), "debug"), false, true}
                         : Step{"WINDOW_UPDATE of the connection", window_update(0, 1 + pick(1000))};
      default:
        return request();
    }
  }

 private:
  enum class State { kFresh, kOpen, kEnded, kReset };  // kFresh: of a client, no response yet

  std::uint32_t pick(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }
  bool one_in(std::uint32_t count) { return pick(count) == 0; }
  // For mistakes: some sequences have many of them and some get far.
  bool wrong(std::uint32_t count) { return pick(count * clumsiness_) == 0; }

  std::uint32_t used() {
    if (states_.empty()) return next_;
    return std::next(states_.begin(), static_cast<std::ptrdiff_t>(pick(static_cast<std::uint32_t>(states_.size()))))->first;
  }
  // Mostly one on which the peer may still send; 0 when there is none.
  std::uint32_t usable() {
    if (wrong(4)) return used();
    std::vector<std::uint32_t> open;
    for (const auto& [id, state] : states_) {
      if (state == State::kOpen || state == State::kFresh) open.push_back(id);
    }
    return open.empty() ? 0 : open[pick(static_cast<std::uint32_t>(open.size()))];
  }
  State state(std::uint32_t id) const {
    const auto found = states_.find(id);
    return found == states_.end() ? State::kReset : found->second;
  }
  // On the client a stream that has ended both ways is closed; here that is the case for those whose request was complete.
  bool gone(std::uint32_t id) const {
    return states_.contains(id) && (state(id) == State::kReset || (!server_ && state(id) == State::kEnded));
  }
  void end(std::uint32_t id) { states_[id] = State::kEnded; }

  Step request() {
    const std::uint32_t id = next_ += one_in(5) ? 2 * (1 + pick(3)) : 0;
    next_ += 2;
    static const std::vector<Fields> kHeads = {
        kGet,
        kPost,
        {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}, {"content-length", "5"}},
        {{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}},
        {{":method", "GET"},
         {":scheme", "https"},
         {":path", "/a?b"},
         {":authority", "a"},
         {"cookie", "a=b"},
         {"te", "trailers"},
         {"x", "y"}},
    };
    const std::uint32_t which = pick(static_cast<std::uint32_t>(kHeads.size()));
    const bool ends = which != 2 && one_in(2);
    states_[id] = ends ? State::kEnded : State::kOpen;
    if (which == 2) lengths_[id] = 5;
    return {"request " + std::to_string(id), padded_headers(id, block(kHeads[which]), ends)};
  }

  Step response() {
    const std::uint32_t id = usable();
    if (id == 0) return {"PING", ping("response")};
    const bool fresh = state(id) == State::kFresh;
    const bool choice = gone(id);
    if (!fresh && !wrong(3)) return {"PING", ping("answered")};
    if (fresh && one_in(4)) return {"interim response", headers(id, {{":status", "103"}, {"x", "y"}}, wrong(10)), choice};
    const bool ends = one_in(3);
    if (fresh) states_[id] = ends ? State::kEnded : State::kOpen;
    // A second final response is trailers with a pseudo-header field.
    return {"response on " + std::to_string(id), padded_headers(id, block(kOk), ends), choice};
  }

  std::string padded_headers(std::uint32_t id, const std::string& encoded, bool ends) {
    std::uint8_t flags = kFlagEndHeaders | (ends ? kFlagEndStream : 0);
    std::string payload;
    std::string tail;
    if (one_in(6)) {
      tail.assign(pick(20), '\0');
      payload.push_back(static_cast<char>(tail.size()));
      flags |= kFlagPadded;
    }
    if (one_in(6)) {
      payload += be32(0) + "\x07";
      flags |= kFlagPriority;
    }
    return frame(FrameType::kHeaders, flags, id, payload + encoded + tail);
  }

  Step body() {
    const std::uint32_t id = wrong(25) ? next_ + 2 * pick(2) : usable();
    if (id == 0) return {"PING", ping("no body.")};
    const State before = state(id);
    if (before == State::kFresh && !wrong(4)) return {"PING", ping("no head.")};
    std::string bytes(pick(12), 'x');
    const bool ends = one_in(4);
    std::uint8_t flags = ends ? kFlagEndStream : 0;
    // nghttp2 looks at content only, and lets an empty frame pass before the response.
    const bool choice = gone(id) || (state(id) == State::kFresh && bytes.empty());
    if (states_.contains(id)) {
      if (const auto length = lengths_.find(id); length != lengths_.end() && !wrong(8)) {
        // Mostly as announced.
        bytes.resize(std::min<std::size_t>(bytes.size(), length->second));
        length->second -= static_cast<std::uint32_t>(bytes.size());
        flags = length->second == 0 ? kFlagEndStream : 0;
      }
      if (flags != 0 && state(id) == State::kOpen) end(id);
    }
    std::string name = "DATA on " + std::to_string(id);
    if (one_in(6)) {
      // One mistake at a time: which of two is found first is nobody's rule.
      const std::uint32_t padding = wrong(6) && before == State::kOpen ? 200 : pick(5);
      std::string payload(1, static_cast<char>(padding));
      payload += bytes;
      if (padding < 100) payload.append(padding, '\0');
      return {name + " padded", frame(FrameType::kData, flags | kFlagPadded, id, payload), choice};
    }
    return {name, frame(FrameType::kData, flags, wrong(60) ? 0 : id, bytes), choice};
  }

  Step trailers() {
    const std::uint32_t id = usable();
    if (id == 0) return {"PING", ping("trailers")};
    if (state(id) == State::kFresh && !wrong(4)) return {"PING", ping("no head.")};
    const bool choice = gone(id) || lengths_.contains(id);
    const bool pseudo = wrong(8);
    const bool ends = !wrong(8);
    if (states_.contains(id) && ends && state(id) == State::kOpen) end(id);
    Fields fields = kTrailer;
    if (pseudo) fields.insert(fields.begin(), {":path", "/"});
    return {"trailers on " + std::to_string(id), headers(id, fields, ends), choice || (server_ && !states_.contains(id))};
  }

  Step reset() {
    const std::uint32_t id = wrong(15) ? next_ : used();
    if (wrong(20)) return {"RST_STREAM of 5", frame(FrameType::kRstStream, 0, id, "12345")};
    if (wrong(30)) return {"RST_STREAM on 0", rst(0, ErrorCode::kCancel)};
    if (states_.contains(id)) states_[id] = State::kReset;
    return {"RST_STREAM " + std::to_string(id), rst(id, ErrorCode(pick(16)))};
  }

  Step update() {
    const std::uint32_t id = wrong(15) ? next_ : (one_in(4) ? 0 : used());
    static constexpr std::uint32_t kIncrements[] = {1, 5, 1000, 60000, 0x10000000};
    const std::uint32_t increment = wrong(25) ? 0 : wrong(25) ? 0x7fffffff : kIncrements[pick(5)];
    if (wrong(40)) return {"WINDOW_UPDATE of 5", frame(FrameType::kWindowUpdate, 0, id, "12345")};
    // Zero on a stream that is gone is an error of a stream that is not there.
    return {"WINDOW_UPDATE on " + std::to_string(id) + " of " + std::to_string(increment), window_update(id, increment),
            gone(id) && (increment == 0 || increment > 0x0fffffff)};
  }

  Step settings_frame() {
    if (wrong(30)) return {"SETTINGS of 5", frame(FrameType::kSettings, 0, 0, "12345")};
    if (wrong(30)) return {"SETTINGS on a stream", frame(FrameType::kSettings, 0, 1)};
    if (wrong(30)) return {"SETTINGS acknowledgement of 6", frame(FrameType::kSettings, kFlagAck, 0, "123456")};
    std::string payload;
    for (std::uint32_t i = pick(4); i != 0; --i) {
      static constexpr std::uint16_t kIds[] = {1, 3, 4, 5, 6, 0x99};
      const std::uint16_t id = kIds[pick(6)];
      payload += be16(id) + be32(id == 5 ? 16384 + pick(1000) : pick(100000));
    }
    static constexpr std::pair<std::uint16_t, std::uint32_t> kSpecial[] = {
        {2, 0}, {2, 1}, {2, 2}, {8, 0}, {8, 1}, {8, 2}, {5, 16383}, {5, 1 << 24}, {4, 0}, {4, 0x80000000U}};
    if (wrong(6)) {
      const auto& [id, value] = kSpecial[pick(10)];
      payload += be16(id) + be32(value);
    }
    return {"SETTINGS", frame(FrameType::kSettings, 0, 0, payload)};
  }

  Step priority() {
    const std::uint32_t id = one_in(3) ? next_ + 20 : used();
    if (wrong(10)) return {"PRIORITY of 4", frame(FrameType::kPriority, 0, id, "1234")};
    if (wrong(10)) return {"PRIORITY on 0", frame(FrameType::kPriority, 0, 0, be32(3) + "\x07")};
    // Section 5.3.2 has retired priorities: what depends on itself may be an error and may be ignored.
    return {"PRIORITY", frame(FrameType::kPriority, 0, id, be32(wrong(10) ? id : 0) + "\x07"), true};
  }

  Step split() {
    const bool fresh_stream = server_;
    const std::uint32_t id = fresh_stream ? next_ : usable();
    if (id == 0 || (!fresh_stream && state(id) != State::kFresh && !wrong(3))) return {"PING", ping("no split")};
    const bool choice = !fresh_stream && gone(id);
    if (fresh_stream) {
      next_ += 2;
      states_[id] = State::kEnded;
    } else if (state(id) == State::kFresh || state(id) == State::kOpen) {
      // Whatever it was, it is over.
      end(id);
    }
    const std::string encoded = block(fresh_stream ? kGet : kOk);
    std::string bytes = frame(FrameType::kHeaders, kFlagEndStream, id, encoded.substr(0, 1));
    if (wrong(6)) bytes += ping("12345678");
    if (one_in(6)) bytes += frame(FrameType::kContinuation, 0, id, "");
    bytes += frame(FrameType::kContinuation, kFlagEndHeaders, wrong(8) ? id + 2 : id, encoded.substr(1));
    return {"split header section on " + std::to_string(id), bytes, choice};
  }

  Step broken() {
    const std::uint32_t id = next_;
    switch (pick(9)) {
      case 0:
        return {"stray CONTINUATION", frame(FrameType::kContinuation, kFlagEndHeaders, used(), block(kGet))};
      case 1:
        return {"PUSH_PROMISE", frame(FrameType::kPushPromise, kFlagEndHeaders, used(), be32(2) + block(kGet)), gone(used())};
      case 2:
        return {"frame too large", frame(FrameType(pick(10)), 0, used(), std::string(16385, '\0')).substr(0, kFrameHeaderSize)};
      case 3:
        return {"HEADERS on 0", headers(0, kGet, true)};
      case 4:
        return {"HEADERS on an even stream", headers(2, server_ ? kGet : kOk, true)};
      case 5:
        return {"GOAWAY of 7", frame(FrameType::kGoaway, 0, 0, "1234567")};
      case 6:
        return {"HEADERS with too much padding", frame(FrameType::kHeaders, 0x0d, id, "\xff" + block(kGet))};
      case 7:
        return {"HEADERS too short for its priority", frame(FrameType::kHeaders, 0x25, id, "123")};
      default:
        return malformed();
    }
  }

  Step malformed() {
    static const std::vector<Fields> kHeads = {
        {{":method", "GET"}, {":scheme", "http"}},
        {{":method", "GET"}, {":path", "/"}},
        {{":scheme", "http"}, {":path", "/"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", ""}},
        {{":method", "GET"}, {":method", "GET"}, {":scheme", "http"}, {":path", "/"}},
        {{":method", "GET"}, {":scheme", "http"}, {"x", "y"}, {":path", "/"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":x", "/"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":status", "200"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"connection", "close"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"transfer-encoding", "chunked"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"te", "gzip"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"content-length", "5"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"content-length", "x"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"X", "upper case"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"x", "a\nb"}},
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"x", "a "}},
        {{":method", "CONNECT"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
        {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
    };
    if (!server_) {
      const std::uint32_t id = used();
      static const std::vector<Fields> kAnswers = {{{"x", "y"}},
                                                   {{":status", "20"}},
                                                   {{":status", "200"}, {":status", "200"}},
                                                   {{":status", "101"}},
                                                   {{":status", "200"}, {"connection", "close"}}};
      const bool choice = gone(id);
      if (!choice) end(id);  // the first of them is good as trailers
      return {"malformed response on " + std::to_string(id), headers(id, kAnswers[pick(5)], true), choice};
    }
    const std::uint32_t which = pick(static_cast<std::uint32_t>(kHeads.size()));
    const std::uint32_t id = next_;
    next_ += 2;
    states_[id] = State::kReset;
    return {"malformed request " + std::to_string(which), headers(id, kHeads[which], true)};
  }

  Step hpack() {
    static const std::string kBlocks[] = {"\x80",
                                          "\xc6",
                                          "\xff\xff\xff\xff\xff\xff\xff",
                                          "\x3f\xe2\x1f" + block(kGet),
                                          block(kGet) + "\x20",
                                          block(kGet) + std::string("\x00\x05te"sv),
                                          block(kGet) + std::string("\x00\x81\xff\x00"sv),
                                          "\x20\x3f\xe1\x1f" + block(kGet)};
    const std::uint32_t which = wrong(4) ? pick(7) : 7;
    if (!server_ && which == 7) return {"PING", ping("hijklmno")};
    const std::uint32_t id = server_ ? next_ : used();
    if (server_) {
      next_ += 2;
      states_[id] = State::kEnded;
    }
    return {"HPACK " + std::to_string(which), frame(FrameType::kHeaders, kFlagEndHeaders | kFlagEndStream, id, kBlocks[which]),
            !server_ && gone(id)};
  }

  bool server_;
  std::mt19937 random_;
  std::uint32_t clumsiness_;
  std::map<std::uint32_t, State> states_;
  std::map<std::uint32_t, std::uint32_t> lengths_;  // content-length still to come
  std::uint32_t next_ = 1;
};

}  // namespace micro::http2::testing
