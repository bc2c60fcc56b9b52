// Random frames, right and wrong, to a session of ours and to nghttp2's, one by one: what one of them accepts the other has to
// accept, with the same effect, up to the first frame that one of them complains about, and about that both have to complain.
//
// Where RFC 9113 leaves a choice the two may differ: a stream error may be made an error of the connection (section 5.4.1), and
// what comes for a stream that is closed may be ignored or not (section 5.1). Frames of the second kind end a sequence
// uncompared.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <sstream>

#include <nghttp2/nghttp2.h>

#include "frame_generator.hpp"
#include "testing.hpp"

namespace micro::http2::testing {
namespace {

// What a session has been told and has made of it, as far as two sessions must agree.
struct Seen {
  std::map<std::uint32_t, std::string> heads;  // fields of all header sections
  std::map<std::uint32_t, std::string> bodies;
  std::map<std::uint32_t, int> ends;
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  for (const auto& [id, head] : seen.heads) out << id << ": " << head << "; ";
  for (const auto& [id, body] : seen.bodies) out << id << ": " << body.size() << " bytes; ";
  for (const auto& [id, end] : seen.ends) out << id << ": ended; ";
  return out;
}

class Theirs {
 public:
  explicit Theirs(Role role) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
    // Instead of dropping the field: RFC 9113 section 8.1.1 calls the message malformed.
    nghttp2_session_callbacks_set_on_invalid_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t, const std::uint8_t*, std::size_t,
           std::uint8_t, void*) -> int { return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size, void* self) {
          static_cast<Theirs*>(self)->seen.bodies[static_cast<std::uint32_t>(id)].append(reinterpret_cast<const char*>(bytes),
                                                                                         size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
      auto& me = *static_cast<Theirs*>(self);
      const auto id = static_cast<std::uint32_t>(frame->hd.stream_id);
      if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
      if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) ++me.seen.ends[id];
      // Interim responses are not passed on by ours.
      if (frame->hd.type == NGHTTP2_HEADERS && !me.section_.starts_with(":status=1")) me.seen.heads[id] += me.section_;
      if (frame->hd.type == NGHTTP2_HEADERS) me.section_.clear();
      return 0;
    });
    if (role == Role::kServer) {
      nghttp2_session_server_new(&session_, callbacks, this);
    } else {
      nghttp2_session_client_new(&session_, callbacks, this);
    }
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry no_push{NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &no_push, role == Role::kClient ? 1 : 0);
  }
  ~Theirs() { nghttp2_session_del(session_); }
  Theirs(const Theirs&) = delete;
  Theirs& operator=(const Theirs&) = delete;

  void request(const Fields& fields, bool end) {
    std::vector<nghttp2_nv> values;
    for (const Field& field : fields) {
      values.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data())), field.name.size(),
                        field.value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    // A body that never comes.
    nghttp2_data_provider body{.source = {.ptr = nullptr},
                               .read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t, std::uint32_t*,
                                                   nghttp2_data_source*, void*) -> ssize_t { return NGHTTP2_ERR_DEFERRED; }};
    nghttp2_submit_request(session_, nullptr, values.data(), values.size(), end ? nullptr : &body, nullptr);
  }
  void feed(std::string_view bytes) {
    nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::string take() {
    std::string bytes;
    const std::uint8_t* data = nullptr;
    for (auto size = nghttp2_session_mem_send(session_, &data); size > 0; size = nghttp2_session_mem_send(session_, &data)) {
      bytes.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    return bytes;
  }

  Seen seen;

 private:
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
    std::string& section = static_cast<Theirs*>(self)->section_;
    section.append(reinterpret_cast<const char*>(name), name_size).append("=");
    section.append(reinterpret_cast<const char*>(value), value_size).append(" ");
    return 0;
  }

  nghttp2_session* session_ = nullptr;
  std::string section_;
};

class Ours : public Events {
 public:
  explicit Ours(Role role) : session(role, {.enable_connect_protocol = false}, *this) {}

  void on_headers(Stream& stream, const HeaderBlock& block, bool end_stream) override {
    std::string& head = seen.heads[stream.id()];
    const std::pair<const char*, std::string_view> pseudo[] = {{":method=", block.method},     {":scheme=", block.scheme},
                                                               {":path=", block.path},         {":authority=", block.authority},
                                                               {":protocol=", block.protocol}, {":status=", block.status}};
    for (const auto& [name, value] : pseudo) {
      if (value.data() != nullptr) head.append(name).append(value).append(" ");
    }
    fields(head, block, end_stream, stream);
  }
  void on_trailers(Stream& stream, const HeaderBlock& block) override { fields(seen.heads[stream.id()], block, true, stream); }
  void on_data(Stream& stream, std::string_view bytes, bool end_stream) override {
    if (!bytes.empty()) seen.bodies[stream.id()].append(bytes);
    if (end_stream) ++seen.ends[stream.id()];
    session.consumed(stream, bytes.size());
  }
  void on_reset(Stream&, ErrorCode, bool) override {}
  void on_close(Stream&) override {}

  Seen seen;
  Session session;

 private:
  void fields(std::string& head, const HeaderBlock& block, bool end, const Stream& stream) {
    for (const Field& field : block.fields) head.append(field.name).append("=").append(field.value).append(" ");
    if (end) ++seen.ends[stream.id()];
  }
};

// What a session says about a frame.
struct Verdict {
  bool connection = false;                    // GOAWAY
  std::string code;                           // of the first complaint
  std::map<std::string, std::string> resets;  // by stream
  int acknowledgements = 0;                   // of PING and SETTINGS
  bool complains() const { return connection || !resets.empty(); }
};

Verdict verdict_of(std::string_view output) {
  Verdict verdict;
  for (const std::string& line : describe(output)) {
    std::istringstream words(line);
    std::string kind;
    std::string id;
    std::string code;
    words >> kind >> id >> code;
    if (kind == "GOAWAY") {
      verdict.connection = true;
      verdict.code = code;
    } else if (kind == "RST_STREAM") {
      verdict.resets.emplace(id, code);
      if (!verdict.connection) verdict.code = code;
    } else if (line == "PING ack" || line == "SETTINGS ack") {
      ++verdict.acknowledgements;
    }
  }
  return verdict;
}

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  if (!verdict.complains()) return out << "accepted";
  out << (verdict.connection ? "connection error " : "stream error ") << verdict.code;
  for (const auto& [id, code] : verdict.resets) out << " [" << id << " " << code << "]";
  return out;
}

struct Tally {
  int steps = 0;
  int complaints = 0;
  int choices = 0;
};

void play(Role role, std::uint32_t seed, Tally& tally) {
  Ours ours(role);
  Theirs theirs(role);
  std::string start = settings() + settings_ack();
  if (role == Role::kServer) {
    start.insert(0, kPreface);
  } else {
    for (const bool end : {true, false, true, false}) {
      ours.session.open(end ? kGet : kPost, end);
      theirs.request(end ? kGet : kPost, end);
    }
  }
  ASSERT_TRUE(ours.session.feed(start, TimePoint{}));
  theirs.feed(start);
  (void)take(ours.session);
  (void)theirs.take();

  Generator generator(role, seed);
  std::string history;
  for (int i = 0; i < 40; ++i) {
    const Step step = generator.next();
    history += step.name + " | ";
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + history);
    (void)ours.session.feed(step.bytes, TimePoint{});
    theirs.feed(step.bytes);
    const Verdict we = verdict_of(take(ours.session));
    const Verdict they = verdict_of(theirs.take());
    ++tally.steps;
    if (step.choice && (we.complains() || they.complains())) {
      ++tally.choices;
      return;
    }
    ASSERT_EQ(we.complains(), they.complains()) << "ours: " << we << "\ntheirs: " << they;
    if (we.complains()) {
      ++tally.complaints;
      if (we.connection && they.connection) {
        EXPECT_EQ(we.code, they.code);
      } else if (!we.connection && !they.connection) {
        EXPECT_EQ(we.resets.begin()->first, they.resets.begin()->first);
      }
      return;
    }
    ASSERT_EQ(we.acknowledgements, they.acknowledgements);
    ASSERT_EQ(ours.seen, theirs.seen);
    if (step.last) return;
  }
}

class Differential : public ::testing::TestWithParam<Role> {};

TEST_P(Differential, RandomFramesAreJudgedAlike) {
  Tally tally;
  for (std::uint32_t seed = 1; seed <= 5000 && !HasFailure(); ++seed) play(GetParam(), seed, tally);
  // The sequences are long enough to get somewhere, and wrong often enough to matter.
  EXPECT_GT(tally.steps, 40000);
  EXPECT_GT(tally.complaints, 1500);
  EXPECT_LT(tally.choices, 1000);
  RecordProperty("steps", tally.steps);
  RecordProperty("complaints", tally.complaints);
  RecordProperty("choices", tally.choices);
}

INSTANTIATE_TEST_SUITE_P(Roles, Differential, ::testing::Values(Role::kServer, Role::kClient),
                         [](const auto& info) { return info.param == Role::kServer ? "Server" : "Client"; });

}  // namespace
}  // namespace micro::http2::testing
