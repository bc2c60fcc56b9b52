// The message reader: the same messages however the data was split. The first byte chooses limit and encoding.
#include <micro/grpc/framing.hpp>

#include <vector>

#include "fuzz.hpp"

namespace {

using micro::fuzz::Copy;
using micro::fuzz::require;
using micro::fuzz::require_equal;
namespace grpc = micro::grpc;

// One line a message, then how it ended. `step` 0: one piece. Sometimes the consumer pauses with unread data.
std::string transcript(std::string_view data, grpc::MessageReader::Options options, std::size_t step, bool pausing) {
  grpc::MessageReader reader(options);
  std::string out;
  std::size_t fed = 0;
  const auto drain = [&](std::size_t most) {
    for (std::size_t i = 0; i < most; ++i) {
      const auto message = reader.next();
      if (!message) {
        out.append("error ").append(message.error().message()).append("\n");
        return false;
      }
      if (!*message) return true;
      out.append((*message)->compressed ? "compressed " : "message ").append((*message)->payload).append("\n");
    }
    return true;
  };
  while (fed < data.size()) {
    const Copy piece(data.substr(fed, step == 0 ? data.size() : step));
    fed += piece.view().size();
    reader.feed(piece.view());
    if (!drain(pausing ? 1 : SIZE_MAX)) return out;
    // Everything but a paused reader has taken all of its view in.
    if (pausing) reader.keep();
    require(reader.pending() <= fed, "more bytes pending than were fed");
  }
  if (!drain(SIZE_MAX)) return out;
  const auto end = reader.finish();
  return out.append(end ? "end\n" : "cut off\n");
}

}  // namespace

MICRO_FUZZ_TARGET(grpc_framing) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const grpc::MessageReader::Options options{
      .max_message_size = choice % 4 == 0 ? 16U : 4096U,
      .encoding = choice % 8 < 4 ? grpc::Compression::kIdentity : grpc::Compression::kGzip};
  const std::string whole = transcript(input, options, 0, false);
  const std::size_t step = 1 + micro::fuzz::hash(input) % 61;
  require_equal(whole, transcript(input, options, 1, false), "messages depend on how the data was split (single bytes)");
  require_equal(whole, transcript(input, options, step, false), "messages depend on how the data was split");
  require_equal(whole, transcript(input, options, step, true), "messages depend on when they are taken");

  micro::Buffer out;
  grpc::append_frame(out, input, choice % 2 != 0);
  grpc::MessageReader reader({.max_message_size = input.size(), .encoding = grpc::Compression::kGzip});
  reader.feed(out.view());
  const auto message = reader.next();
  require(message && *message && (*message)->compressed == (choice % 2 != 0), "a frame that was written cannot be read");
  require_equal((*message)->payload, input, "a message changes on its way");
}
