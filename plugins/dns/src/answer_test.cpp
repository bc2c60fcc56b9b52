#include "answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro::dns {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::string two(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

// An answer to a question for "a."; `type` as a number.
std::string answer(unsigned type, const std::vector<std::pair<unsigned, std::string>>& ttls_and_data) {
  std::string message = "\0\1\x81\x80\0\1"s + two(static_cast<unsigned>(ttls_and_data.size())) + "\0\0\0\0"s;
  message += "\1a\0"s + two(type) + "\0\1"s;
  for (const auto& [ttl, data] : ttls_and_data) {
    message +=
        "\xC0\x0C"s + two(type) + "\0\1"s + two(ttl >> 16) + two(ttl & 0xFFFF) + two(static_cast<unsigned>(data.size())) + data;
  }
  return message;
}

std::string srv(unsigned priority, unsigned weight, unsigned port, const std::string& host) {
  return two(priority) + two(weight) + two(port) + host;
}

constexpr unsigned kA = 1;
constexpr unsigned kAaaa = 28;
constexpr unsigned kSrv = 33;

TEST(DnsAnswer, TheShortestTimeToLiveCounts) {
  EXPECT_EQ(time_to_live(answer(kA, {{300, "\1\2\3\4"}, {7, "\1\2\3\5"}, {90, "\1\2\3\6"}})), std::chrono::seconds(7));
  EXPECT_EQ(time_to_live(answer(kA, {{0xFFFFFFFF, "\1\2\3\4"}})), Duration::zero()) << "RFC 2181, section 8";
  EXPECT_EQ(time_to_live(answer(kA, {})), std::nullopt);
  const std::string whole = answer(kA, {{300, "\1\2\3\4"}});
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(time_to_live(whole.substr(0, size)), std::nullopt) << size;
}

TEST(DnsAnswer, TargetsOfTheFirstPriority) {
  const auto targets = read_targets(answer(kSrv, {{60, srv(10, 5, 8080, "\1b\0"s)},
                                                  {60, srv(20, 1, 8081, "\1c\0"s)},
                                                  {60, srv(10, 7, 8082, "\1d\1e\0"s)},
                                                  {60, srv(10, 0, 0, "\1f\0"s)}}));
  ASSERT_TRUE(targets) << targets.error().to_string();
  EXPECT_THAT(*targets, testing::UnorderedElementsAre(Target{.host = "b", .port = 8080, .priority = 10, .weight = 5},
                                                      Target{.host = "d.e", .port = 8082, .priority = 10, .weight = 7}));
}

TEST(DnsAnswer, ADotSaysThatThereIsNoService) {
  EXPECT_THAT(read_targets(answer(kSrv, {{60, srv(0, 0, 1, "\0"s)}})).value(), IsEmpty());
  EXPECT_THAT(read_targets(answer(kSrv, {})).value(), IsEmpty());
}

TEST(DnsAnswer, AddressesOfBothFamilies) {
  EXPECT_THAT(read_addresses(answer(kA, {{60, "\x0A\0\0\7"s}, {60, "\x0A\0\0\x08"s}}), false).value(),
              ElementsAre("10.0.0.7", "10.0.0.8"));
  EXPECT_THAT(read_addresses(answer(kAaaa, {{60, "\xFD" + std::string(14, '\0') + "\7"}}), true).value(), ElementsAre("fd00::7"));
  EXPECT_THAT(read_addresses(answer(kA, {}), false).value(), IsEmpty());
}

TEST(DnsAnswer, WhatIsBrokenIsDataLoss) {
  EXPECT_EQ(read_targets("nonsense").error().code(), Code::kDataLoss);
  EXPECT_EQ(read_addresses("nonsense", false).error().code(), Code::kDataLoss);
  EXPECT_EQ(read_addresses("nonsense", true).error().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace micro::dns
