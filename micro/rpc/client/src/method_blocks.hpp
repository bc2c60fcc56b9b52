#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

#include "by_name.hpp"

namespace micro::client {

// The request headers of calls to one node, HPACK-encoded once for each method: a call sends them as they are. The block with the
// last grpc-timeout is kept as well, because calls without a deadline of their own all say the same.
class MethodBlocks {
 public:
  // `scheme`: "http" or "https".
  MethodBlocks(std::string_view authority, std::string_view scheme) : authority_(authority), scheme_(scheme) {}

  // The whole header section but for metadata; valid until the next call. INVALID_ARGUMENT for a name that cannot stand in a
  // path.
  Result<std::string_view> get(std::string_view service, std::string_view method, std::optional<Duration> timeout);

 private:
  struct Method {
    Buffer block;
    Duration timeout{};
    Buffer timed;  // `block` with grpc-timeout: `timeout`
  };
  // Names come from outside in a gateway: the memory they may take is bounded.
  static constexpr std::size_t kMostMethods = 512;

  bool is_last(std::string_view service, std::string_view method) const noexcept;
  Result<Method*> find(std::string_view service, std::string_view method);

  const std::string authority_;
  const std::string_view scheme_;
  std::string key_;
  ByName<Method> methods_;  // by path
  ByName<Method>::value_type* last_ = nullptr;
};

}  // namespace micro::client
