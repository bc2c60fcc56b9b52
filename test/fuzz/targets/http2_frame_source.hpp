#pragma once

// Frames built from an input, so that what a fuzzer changes is the meaning of frames and not their lengths: mostly valid ones of
// a client or server, now and then with a wrong flag, stream or size.
#include <string>

#include "fuzz.hpp"
#include "testing.hpp"

namespace micro::fuzz {

class FrameSource {
 public:
  explicit FrameSource(bool from_client) : from_client_(from_client) {}

  // The next frame (or header block with its CONTINUATIONs) of the kind `op` stands for; kKinds of them.
  static constexpr std::size_t kKinds = 13;
  std::string frame(Input& in, std::size_t op);
  // A server's frames are about the streams the client has opened.
  void opened(std::uint32_t id) { next_ = id + 2; }

 private:
  std::uint32_t stream(Input& in);
  std::string block(Input& in);

  bool from_client_;
  std::uint32_t next_ = 1;
};

}  // namespace micro::fuzz
