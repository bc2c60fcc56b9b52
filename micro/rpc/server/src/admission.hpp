#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <micro/server/options.hpp>

namespace micro::rpc {

// Counts the connections of a server over all its loops and says whether one more may come. Asked when a connection is accepted
// and told when it has ended, never on the way of a request: only the count by address takes a lock. Thread safety: any thread.
class Admission {
 public:
  enum class Answer : std::uint8_t { kWelcome, kTooMany, kTooManyOfPeer };

  // Reads how many descriptors the process may open.
  void configure(const ServerOptions& options);

  // kWelcome is followed by leave() with the same peer: "10.0.0.7:50122", "[::1]:8080", "unix:".
  Answer enter(const std::string& peer);
  void leave(const std::string& peer);

  std::size_t limit() const noexcept { return limit_; }
  // False: `peer` may be empty, which spares formatting it.
  bool counts_peers() const noexcept { return peer_limit_ > 0; }

 private:
  static std::string host_of(std::string_view peer);

  std::size_t limit_ = 0;
  std::size_t peer_limit_ = 0;
  std::atomic<std::size_t> open_ = 0;
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> by_host_;
};

}  // namespace micro::rpc
