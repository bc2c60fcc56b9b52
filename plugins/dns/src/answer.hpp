#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

// What DNS answers say, taken apart with c-ares.
namespace micro::dns {

struct Target {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  friend bool operator==(const Target&, const Target&) = default;
};

// The shortest time to live among the records that are the answer, aliases included; nullopt when there is none or the message is
// broken.
std::optional<Duration> time_to_live(const std::string& message);

// The services of an answer with SRV records, of the lowest priority only; "." as host means that there is none. DATA_LOSS for a
// broken message.
Result<std::vector<Target>> read_targets(const std::string& message);
// The addresses of an answer with A (`six`: AAAA) records. DATA_LOSS for a broken message.
Result<std::vector<std::string>> read_addresses(const std::string& message, bool six);

}  // namespace micro::dns
