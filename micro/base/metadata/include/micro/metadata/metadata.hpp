#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace micro {

// Headers that travel with a call: ordered, several values a key, keys compared without regard to case (ASCII).
//
// Keys keep the spelling they were added with; protocols that want lower case (HTTP/2, gRPC) convert on the wire. Values are
// bytes: a key that ends in "-bin" carries arbitrary bytes, which gRPC encodes as base64 on the wire and decodes again.
// It validates nothing: what may not travel on a protocol is refused by that protocol.
//
// All keys and values of one object share one block of memory that clear() keeps, so that a pooled object stops allocating.
// Views returned by find(), values() and the iterators are valid until the next non-const call.
// Thread safety: as for std::vector.
class Metadata {
 public:
  struct Entry {
    std::string_view key;
    std::string_view value;
  };

  Metadata() = default;
  Metadata(std::initializer_list<std::pair<std::string_view, std::string_view>> entries);

  // Adds a value after those already under `key`.
  void add(std::string_view key, std::string_view value);
  // Removes all values under `key` and adds this one at the end.
  void set(std::string_view key, std::string_view value);
  // Removes all values under `key`; returns how many there were.
  std::size_t remove(std::string_view key);
  void clear() noexcept;

  // The first value under `key`, or nullopt.
  std::optional<std::string_view> find(std::string_view key) const noexcept;
  // The first value under `key`, or `fallback`.
  std::string_view get(std::string_view key, std::string_view fallback = {}) const noexcept;
  bool contains(std::string_view key) const noexcept;
  // Every value under `key`, in order.
  std::vector<std::string_view> values(std::string_view key) const;

  // Adds every entry of `other` behind those here.
  void append(const Metadata& other);

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  Entry operator[](std::size_t index) const noexcept;

  // Iterates over Entry values in the order they were added.
  class Iterator {
   public:
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    Iterator() = default;
    Iterator(const Metadata* owner, std::size_t index) : owner_(owner), index_(index) {}
    Entry operator*() const noexcept { return (*owner_)[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    Iterator operator++(int) noexcept {
      Iterator old = *this;
      ++index_;
      return old;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const Metadata* owner_ = nullptr;
    std::size_t index_ = 0;
  };
  Iterator begin() const noexcept { return {this, 0}; }
  Iterator end() const noexcept { return {this, entries_.size()}; }

  friend void swap(Metadata& a, Metadata& b) noexcept {
    a.storage_.swap(b.storage_);
    a.entries_.swap(b.entries_);
  }

  // Equal when the same entries stand in the same order (keys without regard to case).
  friend bool operator==(const Metadata& a, const Metadata& b) noexcept;

 private:
  struct Slot {
    std::uint32_t key_offset;
    std::uint32_t key_size;
    std::uint32_t value_offset;
    std::uint32_t value_size;
  };
  bool matches(const Slot& slot, std::string_view key) const noexcept;
  // Drops the entries but leaves their bytes in storage_; compact() closes the gaps once they are more than half of it.
  std::size_t erase(std::string_view key) noexcept;
  void compact();

  std::string storage_;
  std::vector<Slot> entries_;
};

// ASCII comparison without regard to case, the rule for header names (RFC 9110, section 5.1).
bool equals_ignore_case(std::string_view a, std::string_view b) noexcept;

}  // namespace micro
