#pragma once

#include <set>
#include <string_view>

#include "http2_nghttp2_server.hpp"

namespace micro::fuzz {

// Where our session and nghttp2's may part.
class Differences {
 public:
  void answered(std::uint32_t id) { answered_.insert(id); }
  // True when the two verdicts on `frames` differ in a way that RFC 9113 allows; nothing after it can be compared.
  bool allowed(std::string_view frames, const Verdict& ours, const Verdict& theirs);

 private:
  std::set<std::uint32_t> answered_;
};

}  // namespace micro::fuzz
