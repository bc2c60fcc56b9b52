#pragma once

// Shared by the tests of this component: frames as bytes, bytes as readable lines, events as readable lines.
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <micro/http2/session.hpp>

#include "frame.hpp"

namespace micro::http2::testing {

using Fields = std::vector<Field>;

inline std::string frame(FrameType type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {}) {
  char header[kFrameHeaderSize];
  store_frame_header(header, {static_cast<std::uint32_t>(payload.size()), type, flags, stream});
  return std::string(header, sizeof(header)).append(payload);
}

inline std::string be16(std::uint32_t v) { return {char(v >> 8), char(v)}; }
inline std::string be32(std::uint32_t v) { return be16(v >> 16) + be16(v & 0xffff); }

inline std::string block(const Fields& fields) {
  Buffer out;
  encode_static(fields, out);
  return std::string(out.view());
}
inline std::string headers(std::uint32_t stream, const Fields& fields, bool end_stream) {
  return frame(FrameType::kHeaders, kFlagEndHeaders | (end_stream ? kFlagEndStream : 0), stream, block(fields));
}
inline std::string data(std::uint32_t stream, std::string_view payload, bool end_stream) {
  return frame(FrameType::kData, end_stream ? kFlagEndStream : 0, stream, payload);
}
inline std::string settings(std::initializer_list<std::pair<int, std::uint32_t>> values = {}) {
  std::string payload;
  for (const auto& [id, value] : values) payload += be16(static_cast<std::uint32_t>(id)) + be32(value);
  return frame(FrameType::kSettings, 0, 0, payload);
}
inline std::string settings_ack() { return frame(FrameType::kSettings, kFlagAck, 0); }
inline std::string rst(std::uint32_t stream, ErrorCode code) {
  return frame(FrameType::kRstStream, 0, stream, be32(static_cast<std::uint32_t>(code)));
}
inline std::string window_update(std::uint32_t stream, std::uint32_t increment) {
  return frame(FrameType::kWindowUpdate, 0, stream, be32(increment));
}
inline std::string ping(std::string_view payload, bool ack = false) {
  return frame(FrameType::kPing, ack ? kFlagAck : 0, 0, payload);
}
inline std::string goaway(std::uint32_t last, ErrorCode code, std::string_view debug = {}) {
  return frame(FrameType::kGoaway, 0, 0, be32(last) + be32(static_cast<std::uint32_t>(code)) + std::string(debug));
}

inline const Fields kGet = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
inline const Fields kPost = {{":method", "POST"}, {":scheme", "http"}, {":path", "/p"}, {":authority", "a"}};
inline const Fields kOk = {{":status", "200"}, {"content-type", "text/plain"}};
inline const Fields kTrailer = {{"grpc-status", "0"}};

// One line a frame: "HEADERS 1 end", "DATA 1 5", "RST_STREAM 1 CANCEL", "GOAWAY 0 NO_ERROR", "SETTINGS 4=65535 ", "PING ack".
inline std::vector<std::string> describe(std::string_view bytes) {
  std::vector<std::string> lines;
  if (bytes.starts_with(kPreface)) {
    lines.emplace_back("PREFACE");
    bytes.remove_prefix(kPreface.size());
  }
  static constexpr const char* kNames[] = {"DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
                                           "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
  while (bytes.size() >= kFrameHeaderSize) {
    const FrameHeader header = load_frame_header(bytes.data());
    const std::string_view payload = bytes.substr(kFrameHeaderSize, header.length);
    bytes.remove_prefix(kFrameHeaderSize + payload.size());
    std::string line = kNames[static_cast<int>(header.type)];
    const auto id = " " + std::to_string(header.stream_id);
    const auto code = [&](std::size_t at) { return " " + std::string(to_string(ErrorCode(load_be32(payload.data() + at)))); };
    switch (header.type) {
      case FrameType::kData:
        line += id + " " + std::to_string(header.length) + (header.has(kFlagEndStream) ? " end" : "");
        break;
      case FrameType::kHeaders:
        line += id + (header.has(kFlagEndStream) ? " end" : "") + (header.has(kFlagEndHeaders) ? "" : " more");
        break;
      case FrameType::kContinuation:
        line += id + (header.has(kFlagEndHeaders) ? "" : " more");
        break;
      case FrameType::kRstStream:
        line += id + code(0);
        break;
      case FrameType::kGoaway:
        line += " " + std::to_string(load_be32(payload.data())) + code(4);
        break;
      case FrameType::kWindowUpdate:
        line += id + " " + std::to_string(load_be32(payload.data()));
        break;
      case FrameType::kPing:
        line += header.has(kFlagAck) ? " ack" : "";
        break;
      case FrameType::kSettings:
        line += header.has(kFlagAck) ? " ack" : "";
        for (std::size_t at = 0; at < payload.size(); at += kSettingSize) {
          line += " " + std::to_string(load_be16(payload.data() + at)) + "=" + std::to_string(load_be32(payload.data() + at + 2));
        }
        break;
      default:
        line += id;
    }
    lines.push_back(std::move(line));
  }
  if (!bytes.empty()) lines.emplace_back("incomplete");
  return lines;
}

inline std::string take(Session& session) {
  std::string bytes(session.output().flatten());
  session.output().consume(bytes.size());
  return bytes;
}

// Writes down every event; `bodies` joins the data of each stream. Pieces of data are no lines of their own, only their end is,
// so that the log does not depend on how the bytes were split.
class Recorder : public Events {
 public:
  void on_headers(Stream& stream, const HeaderBlock& block, bool end_stream) override {
    std::string line = "headers" + tag(stream) + " ";
    line.append(block.status.empty() ? std::string(block.method) + " " + std::string(block.path) : std::string(block.status));
    for (const Field& field : block.fields) line.append(" ").append(field.name).append("=").append(field.value);
    log(line + (end_stream ? " end" : ""));
    streams[stream.id()] = &stream;
    if (headers_hook) headers_hook(stream, end_stream);
  }
  void on_data(Stream& stream, std::string_view bytes, bool end_stream) override {
    bodies[stream.id()].append(bytes);
    if (end_stream) log("end" + tag(stream) + " " + std::to_string(bodies[stream.id()].size()));
    if (data_hook) data_hook(stream, bytes, end_stream);
  }
  void on_trailers(Stream& stream, const HeaderBlock& block) override {
    std::string line = "trailers" + tag(stream);
    for (const Field& field : block.fields) line.append(" ").append(field.name).append("=").append(field.value);
    log(line);
    if (trailers_hook) trailers_hook(stream);
  }
  void on_reset(Stream& stream, ErrorCode code, bool by_peer) override {
    log("reset" + tag(stream) + " " + std::string(to_string(code)) + (by_peer ? " by peer" : ""));
  }
  void on_drained(Stream& stream) override {
    log("drained" + tag(stream));
    if (drained_hook) drained_hook(stream);
  }
  void on_close(Stream& stream) override {
    log("close" + tag(stream));
    streams.erase(stream.id());
  }
  void on_goaway(std::uint32_t last, ErrorCode code, std::string_view debug) override {
    log("goaway " + std::to_string(last) + " " + std::string(to_string(code)) + " " + std::string(debug));
  }
  void on_ping_ack(std::uint64_t payload) override { log("pong " + std::to_string(payload)); }

  std::vector<std::string> lines;
  std::map<std::uint32_t, std::string> bodies;
  std::map<std::uint32_t, Stream*> streams;
  std::function<void(Stream&, bool)> headers_hook;
  std::function<void(Stream&, std::string_view, bool)> data_hook;
  std::function<void(Stream&)> trailers_hook;
  std::function<void(Stream&)> drained_hook;

 private:
  static std::string tag(const Stream& stream) { return " " + std::to_string(stream.id()); }
  void log(std::string line) { lines.push_back(std::move(line)); }
};

// A server session past its handshake, the peer being the test.
struct ServerPeer {
  explicit ServerPeer(const Options& options = {}) : session(Role::kServer, options, events) {}

  // With the client's preface and SETTINGS exchanged and forgotten.
  static std::string hello(std::initializer_list<std::pair<int, std::uint32_t>> values = {}) {
    return std::string(kPreface) + settings(values) + settings_ack();
  }
  void handshake(std::initializer_list<std::pair<int, std::uint32_t>> values = {}) {
    (void)feed(hello(values));
    (void)take(session);
  }
  Result<void> feed(std::string_view bytes) { return session.feed(bytes, now); }
  std::vector<std::string> frames() { return describe(take(session)); }

  Recorder events;
  TimePoint now{};
  Session session;
};

struct ClientPeer {
  explicit ClientPeer(const Options& options = {}) : session(Role::kClient, options, events) {}

  void handshake(std::initializer_list<std::pair<int, std::uint32_t>> values = {}) {
    (void)feed(settings(values) + settings_ack());
    (void)take(session);
  }
  Result<void> feed(std::string_view bytes) { return session.feed(bytes, now); }
  std::vector<std::string> frames() { return describe(take(session)); }

  Recorder events;
  TimePoint now{};
  Session session;
};

}  // namespace micro::http2::testing
