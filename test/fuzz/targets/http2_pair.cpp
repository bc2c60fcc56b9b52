// Our client and our server on one connection, both driven by the input within what their headers allow: neither may ever find
// fault with the other, and every byte of a stream that ends well arrives.
#include <algorithm>
#include <array>
#include <set>

#include "http2_log.hpp"
#include "testing.hpp"

namespace {

using namespace micro::http2;
using micro::fuzz::Input;
using micro::fuzz::require;

struct End : Events {
  struct Direction {
    std::string sent;
    std::string received;
    bool head_sent = false;
    bool end_sent = false;
    bool end_received = false;
    bool broken = false;  // reset by either: the rest may be lost
  };

  End(Role role, const Options& options) : session(role, options, *this) {}

  void on_headers(Stream& stream, const HeaderBlock&, bool end) override {
    live.insert(&stream);
    incoming(stream).end_received |= end;
  }
  void on_data(Stream& stream, std::string_view data, bool end) override {
    incoming(stream).received += data;
    incoming(stream).end_received |= end;
    if (!lazy) session.consumed(stream, data.size());
  }
  void on_trailers(Stream& stream, const HeaderBlock&) override { incoming(stream).end_received = true; }
  void on_reset(Stream& stream, ErrorCode, bool by_peer) override {
    require(by_peer || over, "a session finds fault with its like");
    streams[stream.id()][0].broken = streams[stream.id()][1].broken = true;
  }
  void on_close(Stream& stream) override { live.erase(&stream); }

  // What this end receives on a stream; the other end sends it.
  Direction& incoming(Stream& stream) { return streams[stream.id()][0]; }
  Direction& outgoing(Stream& stream) { return streams[stream.id()][1]; }

  Stream* pick(std::size_t index) const {
    // By id: addresses differ from run to run.
    std::vector<Stream*> sorted(live.begin(), live.end());
    std::ranges::sort(sorted, {}, &Stream::id);
    return index < sorted.size() ? sorted[index] : nullptr;
  }

  std::map<std::uint32_t, std::array<Direction, 2>> streams;
  std::set<Stream*> live;
  bool lazy = false;  // gives received bytes back when the input says so only
  bool over = false;
  Session session;
};

// A part of what one end has written reaches the other.
void carry(End& from, End& to, std::size_t most) {
  micro::Chain& output = from.session.output();
  const std::size_t size = std::min(most, output.size());
  const micro::fuzz::Copy bytes(output.flatten().substr(0, size));
  output.consume(size);
  const auto done = to.session.feed(bytes.view(), {});
  require(done.has_value(), done ? "" : "a session refuses its like: " + done.error().message());
}

void send(End& end, Stream& stream, std::string data, bool last) {
  End::Direction& way = end.outgoing(stream);
  if (way.end_sent || !way.head_sent) return;
  way.sent += data;
  way.end_sent = last;
  if (data.size() % 2 == 0) return end.session.submit_data(stream, data, last);
  micro::Buffer buffer;
  buffer.append(data);
  end.session.submit_data(stream, std::move(buffer), last);
}

void step(Input& in, End& client, End& server) {
  const auto op = in.byte();
  End& end = (op & 0x80) != 0 ? server : client;
  Stream* const stream = end.pick(in.below(6));
  switch (op % 12) {
    case 0:
    case 1: {
      const bool last = in.flag();
      Stream* const opened = client.session.open(testing::kPost, last);
      if (opened == nullptr) return;
      client.live.insert(opened);
      client.outgoing(*opened).head_sent = true;
      client.outgoing(*opened).end_sent = last;
      return;
    }
    case 2:
    case 3:
      if (stream != nullptr) send(end, *stream, std::string(in.text()), in.byte() > 0xc0);
      return;
    case 4:
      if (stream != nullptr) send(end, *stream, std::string(in.u16(), 'b'), in.byte() > 0xc0);
      return;
    case 5: {
      const bool last = in.byte() > 0xc0;
      if (stream == nullptr || end.outgoing(*stream).head_sent) return;
      end.outgoing(*stream).head_sent = true;
      end.outgoing(*stream).end_sent = last;
      return end.session.submit_headers(*stream, testing::kOk, last);
    }
    case 6:
      if (stream == nullptr || !end.outgoing(*stream).head_sent || end.outgoing(*stream).end_sent) return;
      end.outgoing(*stream).end_sent = true;
      return end.session.submit_headers(*stream, testing::kTrailer, true);
    case 7:
      if (stream == nullptr || in.byte() < 0xc0) return;
      end.streams[stream->id()][0].broken = end.streams[stream->id()][1].broken = true;
      return end.session.reset(*stream, ErrorCode::kCancel);
    case 8:
      if (stream != nullptr && end.lazy) end.session.consumed(*stream, in.byte());
      return;
    case 9:
      return end.session.ping(op);
    case 10:
      return carry(client, server, in.u16());
    default:
      return carry(server, client, in.u16());
  }
}

}  // namespace

MICRO_FUZZ_TARGET(http2_pair) {
  Input in(input);
  const auto choice = in.byte();
  // Two that agree on a window of a few bytes do to each other what the flood limits are for.
  Options options{
      .max_resets = 1 << 30, .max_control_frames = 1 << 30, .max_empty_frames = 1 << 30, .max_queued_replies = 1 << 30};
  options.initial_window = (choice & 1) != 0 ? 1 + in.byte() : options.initial_window;
  if ((choice & 2) != 0) options.max_concurrent_streams = 2;
  if ((choice & 4) != 0) options.connection_window = 65535;
  if ((choice & 8) != 0) options.header_table_size = in.byte();
  End client(Role::kClient, options);
  if ((choice & 16) != 0) options.max_frame_size = 20000;
  End server(Role::kServer, options);
  client.lazy = (choice & 32) != 0;
  server.lazy = (choice & 64) != 0;
  while (!in.empty()) step(in, client, server);

  for (End* const end : {&client, &server}) {
    end->lazy = false;
    for (Stream* const stream : end->live) end->session.consumed(*stream, end->incoming(*stream).received.size());
  }
  while (!client.session.output().empty() || !server.session.output().empty()) {
    carry(client, server, SIZE_MAX);
    carry(server, client, SIZE_MAX);
  }
  for (const auto& [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
    for (const auto& [id, ways] : from->streams) {
      const End::Direction& sent = ways[1];
      const End::Direction& received = to->streams[id][0];
      require(sent.sent.starts_with(received.received), "a body changes on its way");
      if (sent.broken || received.broken || !sent.end_sent) continue;
      require(received.received.size() == sent.sent.size() && received.end_received, "a stream that ended does not arrive");
    }
  }
  client.over = server.over = true;
}
