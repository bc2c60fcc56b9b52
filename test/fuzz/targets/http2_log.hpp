#pragma once

// What a session does to its owner, checked as it happens and written down as text that does not depend on how bytes were split.
#include <map>
#include <string>
#include <utility>

#include <micro/http2/session.hpp>

#include "fuzz.hpp"

namespace micro::fuzz {

class Http2Log : public http2::Events {
 public:
  explicit Http2Log(bool server) : server_(server) {}

  void on_headers(http2::Stream& stream, const http2::HeaderBlock& block, bool end_stream) override {
    Progress& progress = progress_[stream.id()];
    require(progress.phase == Phase::kNone, "headers twice");
    progress = {.phase = end_stream ? Phase::kEnded : Phase::kBody, .stream = &stream};
    require(server_ ? !block.method.empty() : block.status.size() == 3, "headers without what every message has");
    require(stream.remote_closed() == end_stream, "remote_closed() is not what the event says");
    line(stream, end_stream ? "headers-end" : "headers");
    text.append(" ").append(block.method).append(block.status).append(" ").append(block.path).append(" ").append(block.authority);
    fields(block);
    if (act != nullptr) act(*this, stream, end_stream);
  }

  void on_data(http2::Stream& stream, std::string_view data, bool end_stream) override {
    Progress& progress = progress_[stream.id()];
    require(progress.phase == Phase::kBody, "data before headers or after the end");
    progress.body += data;
    received += data.size();
    if (!end_stream) return;
    progress.phase = Phase::kEnded;
    end_body(stream, progress);
    line(stream, "end");
    if (act != nullptr) act(*this, stream, true);
  }

  void on_trailers(http2::Stream& stream, const http2::HeaderBlock& block) override {
    Progress& progress = progress_[stream.id()];
    require(progress.phase == Phase::kBody, "trailers before headers or after the end");
    require(block.method.empty() && block.status.empty() && block.path.empty(), "pseudo-header fields in trailers");
    progress.phase = Phase::kEnded;
    end_body(stream, progress);
    line(stream, "trailers");
    fields(block);
    if (act != nullptr) act(*this, stream, true);
  }

  void on_reset(http2::Stream& stream, http2::ErrorCode code, bool by_peer) override {
    Progress& progress = progress_[stream.id()];
    require(progress.phase != Phase::kReset && progress.phase != Phase::kClosed, "a stream is reset after its end");
    require(progress.phase != Phase::kNone || !server_, "a request is reset that was never told");
    end_body(stream, progress);
    progress.phase = Phase::kReset;
    line(stream, by_peer ? "reset by peer" : "reset");
    text.append(" ").append(std::to_string(static_cast<std::uint32_t>(code)));
  }

  void on_drained(http2::Stream& stream) override {
    require(stream.queued() == 0, "drained with bytes left");
    line(stream, "drained");
  }

  void on_close(http2::Stream& stream) override {
    Progress& progress = progress_[stream.id()];
    require(progress.phase != Phase::kClosed, "a stream closes twice");
    end_body(stream, progress);
    progress = {.phase = Phase::kClosed, .stream = nullptr};
    line(stream, "close");
  }

  void on_goaway(std::uint32_t last, http2::ErrorCode code, std::string_view debug) override {
    text.append("\ngoaway ").append(std::to_string(last)).append(" ").append(std::to_string(static_cast<std::uint32_t>(code)));
    text.append(" ").append(debug);
  }

  void on_ping_ack(std::uint64_t payload) override { text.append("\npong ").append(std::to_string(payload)); }

  // A client's own stream, which has no event until the peer says something.
  void opened(http2::Stream& stream) { progress_[stream.id()].stream = &stream; }

  // The live streams in the order of their ids: number `index` of them, or nullptr.
  http2::Stream* live(std::size_t index) {
    for (auto& [id, progress] : progress_) {
      if (progress.stream != nullptr && index-- == 0) return progress.stream;
    }
    return nullptr;
  }
  std::size_t live_count() const {
    std::size_t count = 0;
    for (const auto& [id, progress] : progress_) count += progress.stream != nullptr ? 1 : 0;
    return count;
  }

  std::string text;
  std::size_t received = 0;
  // Called when headers have come and, if that was not the end, when the end has.
  void (*act)(Http2Log& log, http2::Stream& stream, bool end) = nullptr;
  http2::Session* session = nullptr;

 private:
  enum class Phase { kNone, kBody, kEnded, kReset, kClosed };
  struct Progress {
    Phase phase = Phase::kNone;
    http2::Stream* stream = nullptr;
    std::string body;
  };

  void line(http2::Stream& stream, std::string_view what) {
    text.append("\n").append(std::to_string(stream.id())).append(" ").append(what);
  }
  void fields(const http2::HeaderBlock& block) {
    for (const http2::Field& field : block.fields) text.append(" ").append(field.name).append("=").append(field.value);
  }
  void end_body(http2::Stream& stream, Progress& progress) {
    if (progress.body.empty()) return;
    line(stream, "body ");
    text += std::exchange(progress.body, {});
  }

  bool server_;
  std::map<std::uint32_t, Progress> progress_;
};

// The frames in `bytes`, one a line, without those whose place depends on when bytes arrive.
std::string describe_output(std::string_view bytes);

}  // namespace micro::fuzz
