// nghttp2's own session as the other end: what it accepts and says must fit ours, both ways round.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <random>

#include <nghttp2/nghttp2.h>

#include "testing.hpp"

namespace micro::http2::testing {
namespace {

// An nghttp2 session that sends given bodies and collects what arrives.
class Oracle {
 public:
  Oracle(bool server, std::uint32_t window) : server_(server) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
          Message& message = static_cast<Oracle*>(self)->messages[frame->hd.stream_id];
          message.head.append(reinterpret_cast<const char*>(name), name_size).append("=");
          message.head.append(reinterpret_cast<const char*>(value), value_size).append(";");
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size, void* self) {
          static_cast<Oracle*>(self)->messages[id].body.append(reinterpret_cast<const char*>(bytes), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
      auto& oracle = *static_cast<Oracle*>(self);
      if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
      if (oracle.server_ && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) oracle.answer(frame->hd.stream_id);
      return 0;
    });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t code, void* self) {
          static_cast<Oracle*>(self)->messages[id].closed_with = static_cast<int>(code);
          return 0;
        });
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame*, int code, void* self) {
          static_cast<Oracle*>(self)->complaints.emplace_back(nghttp2_strerror(code));
          return 0;
        });
    if (server) {
      nghttp2_session_server_new(&session_, callbacks, this);
    } else {
      nghttp2_session_client_new(&session_, callbacks, this);
    }
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
  }
  ~Oracle() { nghttp2_session_del(session_); }
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  void request(const Fields& fields, std::string body) {
    const auto values = to_nv(fields);
    sources_.push_back({std::move(body)});
    nghttp2_data_provider provider{.source = {.ptr = &sources_.back()}, .read_callback = read};
    nghttp2_submit_request(session_, nullptr, values.data(), values.size(), &provider, nullptr);
  }

  std::string output() {
    std::string bytes;
    const std::uint8_t* data = nullptr;
    for (auto size = nghttp2_session_mem_send(session_, &data); size > 0; size = nghttp2_session_mem_send(session_, &data)) {
      bytes.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    return bytes;
  }
  void feed(std::string_view bytes) {
    const auto used = nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (used != static_cast<std::int64_t>(bytes.size())) complaints.emplace_back("mem_recv");
  }

  struct Message {
    std::string head;
    std::string body;
    int closed_with = -1;
  };
  std::map<std::int32_t, Message> messages;
  std::vector<std::string> complaints;

 private:
  struct Source {
    std::string body;
    std::size_t at = 0;
  };

  static std::vector<nghttp2_nv> to_nv(const Fields& fields) {
    std::vector<nghttp2_nv> values;
    for (const Field& field : fields) {
      values.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data())), field.name.size(),
                        field.value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return values;
  }

  static ssize_t read(nghttp2_session* session, std::int32_t id, std::uint8_t* out, std::size_t room, std::uint32_t* flags,
                      nghttp2_data_source* source, void* self) {
    auto& from = *static_cast<Source*>(source->ptr);
    const std::size_t count = std::min(room, from.body.size() - from.at);
    std::copy_n(from.body.data() + from.at, count, out);
    from.at += count;
    if (from.at == from.body.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (static_cast<Oracle*>(self)->server_) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto values = to_nv(kTrailer);
        nghttp2_submit_trailer(session, id, values.data(), values.size());
      }
    }
    return static_cast<ssize_t>(count);
  }

  void answer(std::int32_t id) {
    sources_.push_back({"re:" + messages[id].body});
    nghttp2_data_provider provider{.source = {.ptr = &sources_.back()}, .read_callback = read};
    const auto values = to_nv(kOk);
    nghttp2_submit_response(session_, id, values.data(), values.size(), &provider);
  }

  bool server_;
  nghttp2_session* session_ = nullptr;
  std::list<Source> sources_;
};

void run(Session& ours, Oracle& oracle, std::mt19937& random) {
  for (bool moved = true; moved;) {
    moved = false;
    const std::string to_oracle = take(ours);
    for (std::size_t at = 0; at < to_oracle.size();) {
      const std::size_t count = 1 + random() % 5000;
      oracle.feed(std::string_view(to_oracle).substr(at, count));
      at += count;
      moved = true;
    }
    const std::string to_us = oracle.output();
    for (std::size_t at = 0; at < to_us.size();) {
      const std::size_t count = 1 + random() % 5000;
      const auto result = ours.feed(std::string_view(to_us).substr(at, count), TimePoint{});
      ASSERT_TRUE(result) << result.error().to_string();
      at += count;
      moved = true;
    }
  }
}

struct Windows {
  std::uint32_t ours;
  std::uint32_t theirs;
};
class Nghttp2 : public ::testing::TestWithParam<Windows> {};

TEST_P(Nghttp2, ClientAgainstOurServer) {
  std::mt19937 random(11);
  Recorder events;
  // Windows of a few bytes are what max_control_frames is there to stop.
  Session server(Role::kServer, {.initial_window = GetParam().ours, .max_control_frames = 1 << 24}, events);
  std::map<std::uint32_t, std::string> bodies;
  events.data_hook = [&](Stream& stream, std::string_view bytes, bool end) {
    server.consumed(stream, bytes.size());
    bodies[stream.id()].append(bytes);
    if (!end) return;
    server.submit_headers(stream, kOk, false);
    server.submit_data(stream, "re:" + bodies[stream.id()], false);
    server.submit_headers(stream, kTrailer, true);
  };
  Oracle oracle(false, GetParam().theirs);
  std::vector<std::string> sent;
  for (int i = 0; i < 30; ++i) {
    Fields fields = kPost;
    const std::string value(random() % 200, 'h');
    fields.push_back({"x-header", value});
    sent.emplace_back(random() % (GetParam().ours < 100 ? 200 : 60000), char('a' + i % 26));
    oracle.request(fields, sent.back());
    if (i % 4 == 0) run(server, oracle, random);
  }
  run(server, oracle, random);
  EXPECT_TRUE(oracle.complaints.empty()) << oracle.complaints.front();
  for (int i = 0; i < 30; ++i) {
    const auto& message = oracle.messages[2 * i + 1];
    EXPECT_EQ(message.head, ":status=200;content-type=text/plain;grpc-status=0;");
    EXPECT_EQ(message.body, "re:" + sent[static_cast<std::size_t>(i)]);
    EXPECT_EQ(message.closed_with, 0);
  }
  EXPECT_EQ(server.active_streams(), 0U);
}

TEST_P(Nghttp2, ServerAgainstOurClient) {
  std::mt19937 random(12);
  Recorder events;
  Session client(Role::kClient, {.initial_window = GetParam().ours, .max_control_frames = 1 << 24}, events);
  events.data_hook = [&](Stream& stream, std::string_view bytes, bool) { client.consumed(stream, bytes.size()); };
  Oracle oracle(true, GetParam().theirs);
  std::vector<std::string> sent;
  for (int i = 0; i < 30; ++i) {
    Fields extra = {{"x-header", "some value"}, {"authorization", "secret", true}};
    Fields all = kPost;
    all.insert(all.end(), extra.begin(), extra.end());
    Stream* const stream = i % 2 == 0 ? client.open(all, false) : client.open_encoded(block(kPost), extra, false);
    ASSERT_NE(stream, nullptr);
    sent.emplace_back(random() % (GetParam().theirs < 100 ? 200 : 60000), char('a' + i % 26));
    Buffer buffer;
    buffer.append(sent.back());
    client.submit_data(*stream, std::move(buffer), true);
    if (i % 4 == 0) run(client, oracle, random);
  }
  run(client, oracle, random);
  EXPECT_TRUE(oracle.complaints.empty()) << oracle.complaints.front();
  for (std::uint32_t i = 0; i < 30; ++i) {
    EXPECT_EQ(oracle.messages[static_cast<std::int32_t>(2 * i + 1)].head,
              ":method=POST;:scheme=http;:path=/p;:authority=a;x-header=some value;authorization=secret;");
    EXPECT_EQ(events.bodies[2 * i + 1], "re:" + sent[i]);
  }
  EXPECT_EQ(std::ranges::count_if(events.lines, [](const std::string& line) { return line.starts_with("trailers"); }), 30);
  EXPECT_EQ(client.active_streams(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Windows, Nghttp2,
                         ::testing::Values(Windows{1 << 20, 65535}, Windows{65535, 1 << 20}, Windows{50, 50}, Windows{1, 1000},
                                           Windows{1000, 1}),
                         [](const auto& info) {
                           return std::to_string(info.param.ours) + "_" + std::to_string(info.param.theirs);
                         });

}  // namespace
}  // namespace micro::http2::testing
