#include "http2_nghttp2_session.hpp"

#include "testing.hpp"

namespace micro::fuzz {
namespace {

std::vector<nghttp2_nv> name_values(std::span<const http2::Field> fields) {
  std::vector<nghttp2_nv> values;
  for (const http2::Field& field : fields) {
    values.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data())), field.name.size(),
                      field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return values;
}

}  // namespace

void Verdict::read_output(std::string_view bytes) {
  while (bytes.size() >= http2::kFrameHeaderSize) {
    const http2::FrameHeader header = http2::load_frame_header(bytes.data());
    const std::string_view payload = bytes.substr(http2::kFrameHeaderSize, header.length);
    bytes.remove_prefix(http2::kFrameHeaderSize + payload.size());
    if (header.type == http2::FrameType::kRstStream) stream_errors += " " + std::to_string(header.stream_id);
    if (header.type == http2::FrameType::kGoaway && load_be32(payload.data() + 4) != 0) {
      connection_error = true;
      why.append(" GOAWAY ").append(std::to_string(load_be32(payload.data() + 4))).append(" ").append(payload.substr(8));
    }
  }
}

Nghttp2Session::Nghttp2Session(http2::Role role, const http2::Options& options) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, [](nghttp2_session*, const nghttp2_frame*, void* self) {
    static_cast<Nghttp2Session*>(self)->head_ = {};
    return 0;
  });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
        static_cast<Nghttp2Session*>(self)->header(frame->hd.stream_id, {reinterpret_cast<const char*>(name), name_size},
                                                   {reinterpret_cast<const char*>(value), value_size});
        return 0;
      });
  // Else bad regular fields would be left out in silence.
  nghttp2_session_callbacks_set_on_invalid_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t, const std::uint8_t*, std::size_t,
                    std::uint8_t, void*) { return static_cast<int>(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE); });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* bytes, std::size_t size, void* self) {
        static_cast<Nghttp2Session*>(self)->verdict_.data({reinterpret_cast<const char*>(bytes), size});
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
    return static_cast<Nghttp2Session*>(self)->frame(*frame);
  });
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame*, int code, void* self) {
        static_cast<Nghttp2Session*>(self)->verdict_.why.append(nghttp2_strerror(code)).append("; ");
        return 0;
      });
  nghttp2_session_callbacks_set_error_callback2(
      callbacks, [](nghttp2_session*, int, const char* text, std::size_t size, void* self) {
        static_cast<Nghttp2Session*>(self)->verdict_.why.append(text, size).append("; ");
        return 0;
      });
  // Streams a GOAWAY leaves out get no frame of their own.
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                         [](nghttp2_session*, std::int32_t, std::uint32_t code, void* user) {
                                                           auto& self = *static_cast<Nghttp2Session*>(user);
                                                           if (self.leaving_ && code == NGHTTP2_REFUSED_STREAM)
                                                             self.verdict_.delivered += "reset\n";
                                                           return 0;
                                                         });
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  // Limits of its own that are not the subject.
  nghttp2_option_set_max_settings(option, 1000);
  nghttp2_option_set_max_outbound_ack(option, 100000);
  const bool server = role == http2::Role::kServer;
  (server ? nghttp2_session_server_new2 : nghttp2_session_client_new2)(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  std::vector<nghttp2_settings_entry> entries = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.initial_window}};
  if (server) entries.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams});
  if (server && options.enable_connect_protocol) entries.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  if (!server) entries.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(options.connection_window));
  (void)feed({});
}

Verdict Nghttp2Session::feed(std::string_view bytes) {
  verdict_ = {};
  leaving_ = false;
  const auto used = nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    verdict_.connection_error = true;
    verdict_.why = nghttp2_strerror(static_cast<int>(used));
  }
  std::string output;
  const std::uint8_t* data = nullptr;
  for (auto size = nghttp2_session_mem_send(session_, &data); size > 0; size = nghttp2_session_mem_send(session_, &data)) {
    output.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
  verdict_.read_output(output);
  return verdict_;
}

void Nghttp2Session::answer(std::uint32_t id) {
  const std::vector<nghttp2_nv> values = name_values(http2::testing::kOk);
  nghttp2_submit_response(session_, static_cast<std::int32_t>(id), values.data(), values.size(), nullptr);
  (void)feed({});
}

std::uint32_t Nghttp2Session::request(std::span<const http2::Field> fields, bool end) {
  const std::vector<nghttp2_nv> values = name_values(fields);
  nghttp2_data_provider body{};
  body.source.ptr = &ended_;
  body.read_callback = [](nghttp2_session*, std::int32_t id, std::uint8_t*, std::size_t, std::uint32_t* flags,
                          nghttp2_data_source* source, void*) -> ssize_t {
    if (!static_cast<std::set<std::int32_t>*>(source->ptr)->contains(id)) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return 0;
  };
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, values.data(), values.size(), end ? nullptr : &body, nullptr);
  (void)feed({});
  return id > 0 && nghttp2_session_find_stream(session_, id) != nullptr ? static_cast<std::uint32_t>(id) : 0;
}

void Nghttp2Session::end(std::uint32_t id) {
  ended_.insert(static_cast<std::int32_t>(id));
  nghttp2_session_resume_data(session_, static_cast<std::int32_t>(id));
  (void)feed({});
}

void Nghttp2Session::reset(std::uint32_t id) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(id), NGHTTP2_CANCEL);
  (void)feed({});
}

void Nghttp2Session::header(std::int32_t, std::string_view name, std::string_view value) {
  if (name.starts_with(':')) {
    head_.pseudo[std::string(name)] = value;
  } else {
    head_.fields.append(" ").append(name).append("=").append(value);
  }
}

int Nghttp2Session::frame(const nghttp2_frame& frame) {
  const bool end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame.hd.type == NGHTTP2_DATA && end) verdict_.delivered += "end\n";
  // It tells of frames on streams that are closed, or known by PRIORITY alone, too.
  nghttp2_stream* const stream = nghttp2_session_find_stream(session_, frame.hd.stream_id);
  const int state = stream == nullptr ? NGHTTP2_STREAM_STATE_CLOSED : nghttp2_stream_get_state(stream);
  const bool open = state != NGHTTP2_STREAM_STATE_CLOSED && state != NGHTTP2_STREAM_STATE_IDLE;
  if (frame.hd.type == NGHTTP2_RST_STREAM && open) verdict_.delivered += "reset\n";
  if (frame.hd.type == NGHTTP2_GOAWAY) leaving_ = true;
  if (frame.hd.type != NGHTTP2_HEADERS) return 0;
  if (const auto status = head_.pseudo.find(":status"); status != head_.pseudo.end()) {
    // Interim responses are passed over by ours.
    if (status->second.starts_with('1')) return 0;
    verdict_.delivered.append("response ").append(status->second);
  } else if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    const auto pseudo = [&](std::string_view name) {
      const auto found = head_.pseudo.find(name);
      return found == head_.pseudo.end() ? std::string() : found->second;
    };
    verdict_.delivered.append("request ").append(pseudo(":method")).append(" ").append(pseudo(":scheme"));
    verdict_.delivered.append(" ").append(pseudo(":path")).append(" ").append(pseudo(":protocol"));
    if (head_.pseudo.contains(":authority")) verdict_.authority = pseudo(":authority");
  } else {
    verdict_.delivered += "trailers";
  }
  verdict_.delivered.append(head_.fields).append(end ? " end\n" : "\n");
  return 0;
}

}  // namespace micro::fuzz
