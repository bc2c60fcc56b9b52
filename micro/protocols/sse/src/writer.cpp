#include <micro/sse/writer.hpp>

#include <cstddef>
#include <string>

namespace micro::sse {
namespace {

void append_field(Buffer& out, std::string_view name, std::string_view value) {
  char* at = out.prepare(name.size() + value.size() + 3);
  std::size_t size = 0;
  const auto put = [&](std::string_view text) {
    std::memcpy(at + size, text.data(), text.size());
    size += text.size();
  };
  put(name);
  put(": ");
  if (!value.empty()) put(value);
  put("\n");
  out.commit(size);
}

// A field for each line of `text`; one at least.
void append_lines(Buffer& out, std::string_view name, std::string_view text) {
  while (true) {
    const std::size_t end = text.find_first_of("\r\n");
    append_field(out, name, text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

Error bad(std::string_view what) { return invalid_argument("cannot write a server-sent event: " + std::string(what)); }

}  // namespace

Result<void> write_event(Buffer& out, const Event& event) {
  if (event.type.find_first_of("\r\n") != std::string_view::npos) return fail(bad("its type has a line break"));
  if (event.id && event.id->find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    return fail(bad("its id has a line break or NUL"));
  if (event.retry && *event.retry < Duration::zero()) return fail(bad("its retry time is negative"));
  if (!event.type.empty()) append_field(out, "event", event.type);
  if (event.id) append_field(out, "id", *event.id);
  if (event.retry)
    append_field(out, "retry", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(*event.retry).count()));
  append_lines(out, "data", event.data);
  out.push_back('\n');
  return {};
}

void write_comment(Buffer& out, std::string_view text) {
  append_lines(out, "", text);
  out.push_back('\n');
}

}  // namespace micro::sse
