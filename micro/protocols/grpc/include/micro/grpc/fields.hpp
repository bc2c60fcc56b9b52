#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>
#include <micro/metadata/metadata.hpp>

namespace micro::grpc {

// One header or trailer field as it stands on the wire. Names are lower case.
struct Field {
  std::string_view name;
  std::string_view value;
};

// Fields on their way to the wire, in order. Owns copies of their text in one block that clear() keeps, so a pooled list stops
// allocating. Views got from it are valid until the next add() or clear().
// Thread safety: as for std::vector.
class FieldList {
 public:
  // Adds a field; upper-case letters of the name become lower case.
  void add(std::string_view name, std::string_view value);
  // Adds a field whose value is the base64 of `bytes`, for names that end in "-bin".
  void add_binary(std::string_view name, std::string_view bytes);
  // Drops the last fields so that `size` remain; `size` must not exceed size().
  void truncate(std::size_t size) noexcept;
  void clear() noexcept { truncate(0); }

  std::size_t size() const noexcept { return slots_.size(); }
  bool empty() const noexcept { return slots_.empty(); }
  Field operator[](std::size_t index) const noexcept {
    const Slot& slot = slots_[index];
    const char* name = text_.data() + slot.offset;
    return {{name, slot.name_size}, {name + slot.name_size, slot.value_size}};
  }
  // The first value under exactly this name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  // What the fields count against SETTINGS_MAX_HEADER_LIST_SIZE: names, values and 32 bytes each (RFC 9113, 6.5.2).
  std::size_t header_list_size() const noexcept { return text_.size() + 32 * slots_.size(); }

  class Iterator {
   public:
    Iterator(const FieldList* list, std::size_t index) : list_(list), index_(index) {}
    Field operator*() const noexcept { return (*list_)[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const FieldList* list_;
    std::size_t index_;
  };
  Iterator begin() const noexcept { return {this, 0}; }
  Iterator end() const noexcept { return {this, slots_.size()}; }

 private:
  std::size_t add_name(std::string_view name);
  struct Slot {
    std::size_t offset;  // of the name; the value follows it
    std::uint32_t name_size;
    std::uint32_t value_size;
  };
  std::string text_;
  std::vector<Slot> slots_;
};

// True for names that belong to the protocol and are neither taken from users nor handed to them:
//   pseudo-headers (":..."), "grpc-...", content-type, content-length, user-agent, te, host, and the connection-specific names of
//   RFC 9113, section 8.2.2: connection, keep-alive, proxy-connection, transfer-encoding, upgrade, http2-settings.
// Compares without regard to case.
bool is_reserved(std::string_view name) noexcept;

// A Header-Name of PROTOCOL-HTTP2: one or more of [0-9a-z_.-]. Upper case is not valid here: lower it first.
bool is_valid_key(std::string_view name) noexcept;

// An ASCII-Value: 0x20..0x7E only. Other bytes may travel under a "-bin" key.
bool is_valid_value(std::string_view value) noexcept;

// True for "x-bin": the value is bytes and stands as base64 on the wire.
inline bool is_binary(std::string_view name) noexcept {
  return name.size() >= 4 && equals_ignore_case(name.substr(name.size() - 4), "-bin");
}

// Appends a user's metadata as wire fields: names lowered, "-bin" values encoded, spaces around other values cut (RFC 9113,
// 8.2.1, does not allow them), reserved names left out (metadata that was received is often sent on as it is).
// Fails with INTERNAL, naming the key and the offending byte; `out` is then as before.
Result<void> append_metadata(const Metadata& metadata, FieldList& out);

// Takes one received field into `out`: reserved names are skipped, "-bin" values are decoded (several joined by commas become
// several entries), other values are taken as they are. Fails with INTERNAL when a "-bin" value is not base64; entries taken
// before the bad one stay.
Result<void> take_field(std::string_view name, std::string_view value, Metadata& out);

}  // namespace micro::grpc
