#include "answer.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <memory>

namespace micro::dns {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kQuestionTail = 4;       // type, class
constexpr std::size_t kRecordHead = 10;        // type, class, ttl, size
constexpr std::uint32_t kMaxTtl = 0x7FFFFFFF;  // RFC 2181, section 8: a larger one is 0

const unsigned char* bytes(const std::string& message) { return reinterpret_cast<const unsigned char*>(message.data()); }
int size(const std::string& message) { return static_cast<int>(message.size()); }

Error broken(int status) {
  return data_loss(std::string("the answer of the DNS server cannot be read: ") + ares_strerror(status));
}

// Walks over a message.
class Cursor {
 public:
  explicit Cursor(const std::string& message) : message_(message) {}

  bool skip(std::size_t count) {
    if (count > message_.size() - position_) return false;
    position_ += count;
    return true;
  }
  bool skip_name() {
    char* text = nullptr;
    long length = 0;
    if (position_ >= message_.size() ||
        ares_expand_name(bytes(message_) + position_, bytes(message_), size(message_), &text, &length) != ARES_SUCCESS) {
      return false;
    }
    ares_free_string(text);
    return skip(static_cast<std::size_t>(length));
  }
  std::uint32_t number(std::size_t offset, int count) const {
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) value = (value << 8) | bytes(message_)[position_ + offset + static_cast<std::size_t>(i)];
    return value;
  }
  bool has(std::size_t count) const { return count <= message_.size() - position_; }

 private:
  const std::string& message_;
  std::size_t position_ = 0;
};

}  // namespace

std::optional<Duration> time_to_live(const std::string& message) {
  Cursor cursor(message);
  if (!cursor.has(kHeader)) return std::nullopt;
  const std::uint32_t questions = cursor.number(4, 2);
  const std::uint32_t answers = cursor.number(6, 2);
  (void)cursor.skip(kHeader);
  for (std::uint32_t i = 0; i < questions; ++i) {
    if (!cursor.skip_name() || !cursor.skip(kQuestionTail)) return std::nullopt;
  }
  std::optional<std::uint32_t> shortest;
  for (std::uint32_t i = 0; i < answers; ++i) {
    if (!cursor.skip_name() || !cursor.has(kRecordHead)) return std::nullopt;
    std::uint32_t ttl = cursor.number(4, 4);
    if (ttl > kMaxTtl) ttl = 0;
    shortest = std::min(shortest.value_or(ttl), ttl);
    const std::size_t data = cursor.number(8, 2);
    if (!cursor.skip(kRecordHead) || !cursor.skip(data)) return std::nullopt;
  }
  if (!shortest) return std::nullopt;
  return std::chrono::seconds(*shortest);
}

Result<std::vector<Target>> read_targets(const std::string& message) {
  ares_srv_reply* list = nullptr;
  const int status = ares_parse_srv_reply(bytes(message), size(message), &list);
  if (status == ARES_ENODATA) return std::vector<Target>{};
  if (status != ARES_SUCCESS) return fail(broken(status));
  const std::unique_ptr<ares_srv_reply, void (*)(void*)> owner(list, ares_free_data);
  std::uint16_t best = 0xFFFF;
  for (const ares_srv_reply* each = list; each != nullptr; each = each->next)
    best = std::min<std::uint16_t>(best, each->priority);
  std::vector<Target> targets;
  for (const ares_srv_reply* each = list; each != nullptr; each = each->next) {
    const std::string host = each->host != nullptr ? each->host : "";
    if (each->priority != best || host.empty() || host == "." || each->port == 0) continue;
    targets.push_back({.host = host, .port = each->port, .priority = each->priority, .weight = each->weight});
  }
  return targets;
}

Result<std::vector<std::string>> read_addresses(const std::string& message, bool six) {
  hostent* found = nullptr;
  const int status = six ? ares_parse_aaaa_reply(bytes(message), size(message), &found, nullptr, nullptr)
                         : ares_parse_a_reply(bytes(message), size(message), &found, nullptr, nullptr);
  if (status == ARES_ENODATA) return std::vector<std::string>{};
  if (status != ARES_SUCCESS) return fail(broken(status));
  const std::unique_ptr<hostent, void (*)(hostent*)> owner(found, ares_free_hostent);
  std::vector<std::string> addresses;
  for (char** each = found->h_addr_list; *each != nullptr; ++each) {
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(six ? AF_INET6 : AF_INET, *each, text, sizeof text) != nullptr) addresses.emplace_back(text);
  }
  return addresses;
}

}  // namespace micro::dns
