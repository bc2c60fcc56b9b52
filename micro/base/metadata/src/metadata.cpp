#include <micro/metadata/metadata.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace micro {
namespace {

// One allocation of each kind covers the headers of a usual call.
constexpr std::size_t kFirstStorage = 256;
constexpr std::size_t kFirstEntries = 8;

bool equal_folded(const char* a, const char* b, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] == b[i]) continue;
    const auto x = static_cast<unsigned char>(a[i]);
    const auto y = static_cast<unsigned char>(b[i]);
    // Only letters differ from their other case in bit 5 alone: "@" and "`" do so as well, hence the range check.
    if ((x ^ y) != 0x20 || static_cast<unsigned>((x | 0x20) - 'a') > 25) return false;
  }
  return true;
}

template <class Word>
bool same_words(const char* a, const char* b, std::size_t size) noexcept {
  Word x;
  Word y;
  for (std::size_t i = 0; i + sizeof(Word) <= size; i += sizeof(Word)) {
    std::memcpy(&x, a + i, sizeof x);
    std::memcpy(&y, b + i, sizeof y);
    if (x != y) return false;
  }
  // The rest, with some bytes that were compared already.
  std::memcpy(&x, a + size - sizeof x, sizeof x);
  std::memcpy(&y, b + size - sizeof y, sizeof y);
  return x == y;
}

// Most keys and values are a few words long, for which a call of memcpy costs more than the copy.
void copy(char* to, std::string_view from) noexcept {
  const std::size_t size = from.size();
  if (size > 32 || size < 8) {
    if (size != 0) std::memcpy(to, from.data(), size);
    return;
  }
  for (std::size_t i = 0; i + 8 < size; i += 8) std::memcpy(to + i, from.data() + i, 8);
  std::memcpy(to + size - 8, from.data() + size - 8, 8);  // with some bytes that were copied already
}

// Keys are mostly spelled alike, so words are compared before letters are looked at.
bool equal_keys(const char* a, const char* b, std::size_t size) noexcept {
  if (size >= 8 ? same_words<std::uint64_t>(a, b, size) : size >= 4 && same_words<std::uint32_t>(a, b, size)) return true;
  return equal_folded(a, b, size);
}

}  // namespace

bool equals_ignore_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && equal_keys(a.data(), b.data(), a.size());
}

Metadata::Metadata(std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  for (const auto& [key, value] : entries) add(key, value);
}

void Metadata::add(std::string_view key, std::string_view value) {
  const std::size_t used = storage_.size();
  const std::size_t free = storage_.capacity() - used;
  if (entries_.size() == entries_.capacity()) entries_.reserve(std::max(kFirstEntries, 2 * entries_.size()));
  if (key.size() <= free && value.size() <= free - key.size()) {
    storage_.resize_and_overwrite(used + key.size() + value.size(), [&](char* bytes, std::size_t size) {
      copy(bytes + used, key);
      copy(bytes + used + key.size(), value);
      return size;
    });
  } else {
    constexpr std::size_t kLimit = std::numeric_limits<std::uint32_t>::max();
    if (key.size() > kLimit - used || value.size() > kLimit - used - key.size()) {
      throw std::length_error("micro::Metadata holds at most 4 GiB");
    }
    // Key and value may be views into the present storage, which therefore stays until they are copied.
    std::string bigger;
    bigger.reserve(std::max({kFirstStorage, 2 * used, used + key.size() + value.size()}));
    bigger.append(storage_).append(key).append(value);
    storage_.swap(bigger);
  }
  entries_.push_back({static_cast<std::uint32_t>(used), static_cast<std::uint32_t>(key.size()),
                      static_cast<std::uint32_t>(used + key.size()), static_cast<std::uint32_t>(value.size())});
}

void Metadata::set(std::string_view key, std::string_view value) {
  erase(key);
  add(key, value);
  compact();
}

std::size_t Metadata::remove(std::string_view key) {
  const std::size_t removed = erase(key);
  if (removed != 0) compact();
  return removed;
}

std::size_t Metadata::erase(std::string_view key) noexcept {
  return std::erase_if(entries_, [&](const Slot& slot) { return matches(slot, key); });
}

void Metadata::compact() {
  if (entries_.empty()) {
    storage_.clear();
    return;
  }
  if (storage_.size() <= kFirstStorage) return;
  std::size_t live = 0;
  for (const Slot& slot : entries_) live += slot.key_size + slot.value_size;
  if (live >= storage_.size() - live) return;
  // Entries stand in the order of their bytes, and a value right behind its key, so each moves towards the front.
  char* const bytes = storage_.data();
  std::uint32_t end = 0;
  for (Slot& slot : entries_) {
    std::memmove(bytes + end, bytes + slot.key_offset, slot.key_size + slot.value_size);
    slot.key_offset = end;
    slot.value_offset = end + slot.key_size;
    end = slot.value_offset + slot.value_size;
  }
  storage_.resize(end);
}

void Metadata::clear() noexcept {
  entries_.clear();
  storage_.clear();
}

bool Metadata::matches(const Slot& slot, std::string_view key) const noexcept {
  return slot.key_size == key.size() && equal_keys(storage_.data() + slot.key_offset, key.data(), key.size());
}

std::optional<std::string_view> Metadata::find(std::string_view key) const noexcept {
  for (const Slot& slot : entries_) {
    if (matches(slot, key)) return std::string_view(storage_.data() + slot.value_offset, slot.value_size);
  }
  return std::nullopt;
}

std::string_view Metadata::get(std::string_view key, std::string_view fallback) const noexcept {
  return find(key).value_or(fallback);
}

bool Metadata::contains(std::string_view key) const noexcept { return find(key).has_value(); }

std::vector<std::string_view> Metadata::values(std::string_view key) const {
  std::vector<std::string_view> found;
  for (const Slot& slot : entries_) {
    if (matches(slot, key)) found.emplace_back(storage_.data() + slot.value_offset, slot.value_size);
  }
  return found;
}

void Metadata::append(const Metadata& other) {
  const std::size_t count = other.size();  // taken before, for m.append(m)
  for (std::size_t i = 0; i < count; ++i) {
    const Entry entry = other[i];
    add(entry.key, entry.value);
  }
}

Metadata::Entry Metadata::operator[](std::size_t index) const noexcept {
  const Slot& slot = entries_[index];
  return {{storage_.data() + slot.key_offset, slot.key_size}, {storage_.data() + slot.value_offset, slot.value_size}};
}

bool operator==(const Metadata& a, const Metadata& b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Metadata::Entry x = a[i];
    const Metadata::Entry y = b[i];
    if (!equals_ignore_case(x.key, y.key) || x.value != y.value) return false;
  }
  return true;
}

}  // namespace micro
