#pragma once

// For the tests: what a parser makes of some bytes, as text that can be compared.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <micro/http/error.hpp>
#include <micro/http1/parser.hpp>

namespace micro::http1 {

inline void append_fields(std::string& out, const Metadata& fields) {
  for (const auto [name, value] : fields) out.append(" ").append(name).append("=").append(value);
}

inline void append_common(std::string& out, const MessageHead& head) {
  append_fields(out, head.headers);
  out += head.keep_alive ? " +keep" : " +close";
  if (head.chunked) out += " +chunked";
  if (head.content_length) out += " +length:" + std::to_string(*head.content_length);
  if (head.upgrade) out += " +upgrade";
}

inline void append_head(std::string& out, const RequestHead& head) {
  out.append("HEAD ").append(head.method_name).append(" ").append(head.target).append(" 1.");
  out += std::to_string(head.minor_version);
  append_common(out, head);
  if (head.expect_continue) out += " +expect";
  if (head.upgrade_h2c) out += " +h2c";
  if (head.upgrade_websocket) out += " +websocket";
}

inline void append_head(std::string& out, const ResponseHead& head) {
  out.append("HEAD ").append(std::to_string(head.status)).append(" '").append(head.reason).append("' 1.");
  out += std::to_string(head.minor_version);
  append_common(out, head);
}

// One line an event, pieces of a body joined: "HEAD GET / 1.1 Host=a +keep", "BODY abc", "END", "ERROR 400 HTTP_HOST".
// The bytes come in reads of `step`, each copied to the heap so that a view kept too long is found by the sanitizers.
template <class Parser>
std::string transcript(Parser& parser, std::string_view bytes, std::size_t step, bool close = false) {
  std::string out;
  bool in_body = false;
  const auto record = [&](const Result<Event>& event) {
    if (!event) {
      out.append(in_body ? "\n" : "").append("ERROR ").append(std::to_string(http::status_from(event.error())));
      out.append(" ").append(event.error().reason()).append("\n");
      return false;
    }
    if (in_body && *event != Event::kBody && *event != Event::kNeedMore) {
      out += "\n";
      in_body = false;
    }
    if (*event == Event::kHead) {
      append_head(out, parser.head());
      out += "\n";
    } else if (*event == Event::kBody) {
      out.append(in_body ? "" : "BODY ").append(parser.body());
      in_body = true;
    } else if (*event == Event::kEnd) {
      out += "END";
      append_fields(out, parser.trailers());
      out += "\n";
    }
    return true;
  };
  while (!bytes.empty()) {
    const std::string read(bytes.substr(0, step));
    bytes.remove_prefix(read.size());
    std::string_view input = read;
    while (true) {
      const auto event = parser.next(input);
      if (!record(event)) return out;
      if (*event == Event::kNeedMore) break;
    }
  }
  if (close) record(parser.finish());
  return out;
}

}  // namespace micro::http1
