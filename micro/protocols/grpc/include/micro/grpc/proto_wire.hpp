#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Protobuf's wire format (protobuf.dev/programming-guides/encoding), for the few messages that protocols code by hand: generated
// code would clash in the descriptor pool of a program that links the same messages itself.
// Functions without state; a Reader belongs to one thread.
namespace micro::grpc::proto {

enum WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value);
// A field of type int32, int64, uint32, uint64, bool or enum; also when it is zero.
void put_number(std::string& out, unsigned number, std::uint64_t value);
void put_fixed64(std::string& out, unsigned number, std::uint64_t value);
// A field of type bytes, or a message; also when it is empty.
void put_bytes(std::string& out, unsigned number, std::string_view bytes);
// A field of type string: nothing when it is empty, as proto3 has it; bytes that are not UTF-8 become U+FFFD.
void put_string(std::string& out, unsigned number, std::string_view text);

// Protobuf strings are UTF-8, and receivers refuse a whole message over one bad byte: bad sequences become U+FFFD.
std::string to_utf8(std::string_view text);

// Reads the fields of a message one by one: `while (reader.next()) if (reader.is(1, kBytes)) ...; return reader.good()`.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  unsigned number = 0;
  WireType type = kVarint;
  std::uint64_t value = 0;  // of a kVarint or kFixed64
  std::string_view bytes;   // of a kBytes; into the message

  // False at the end, and when the bytes are no message: good() tells which. Groups are not read.
  bool next();
  bool good() const { return good_; }
  bool is(unsigned wanted_number, WireType wanted_type) const { return number == wanted_number && type == wanted_type; }

 private:
  bool varint(std::uint64_t& out);
  bool take(std::uint64_t size);

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace micro::grpc::proto
