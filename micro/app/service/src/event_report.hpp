#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <micro/duration/chrono.hpp>
#include <micro/log/log.hpp>
#include <micro/server/options.hpp>

namespace micro {

// Says in the log that an event of go-micro came and nobody takes it: once a second at most, with the number of the others.
class EventReport final : public rpc::EventObserver {
 public:
  explicit EventReport(log::Logger& logger) : logger_(logger) {}
  void on_unclaimed_event(const std::string& peer, std::string_view topic) override {
    const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
    if (told_in_.exchange(second) == second) {
      ++untold_;
      return;
    }
    logger_.warn("an event came for a topic without subscribers here",
                 {{"topic", topic}, {"peer", peer}, {"others", untold_.exchange(0)}});
  }

 private:
  log::Logger& logger_;
  std::atomic<std::int64_t> told_in_{-1};  // second of the clock
  std::atomic<std::uint64_t> untold_{0};
};

}  // namespace micro
