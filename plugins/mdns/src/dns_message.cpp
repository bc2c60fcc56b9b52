#include "dns_message.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

namespace micro::mdns {
namespace {

constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 255;       // with lengths and the root
constexpr std::size_t kMaxMessage = 65507;  // what fits into a UDP datagram over IPv4
constexpr std::size_t kMaxPointer = 0x3FFF;
constexpr unsigned kPointer = 0xC0;

class Writer {
 public:
  explicit Writer(bool compress) : compress_(compress) {}

  void number(std::uint32_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(value >> shift));
  }

  void name(const Name& name, bool compressible) {
    check(name);
    for (std::size_t i = 0; i < name.size(); ++i) {
      const Name rest(name.begin() + static_cast<std::ptrdiff_t>(i), name.end());
      if (compress_) {
        const auto known = places_.find(rest);
        if (compressible && known != places_.end()) return number((kPointer << 8) | known->second, 2);
        if (out_.size() <= kMaxPointer) places_.try_emplace(rest, static_cast<std::uint32_t>(out_.size()));
      }
      out_.push_back(static_cast<char>(name[i].size()));
      out_ += name[i];
    }
    out_.push_back('\0');
  }

  void record(const Record& record) {
    name(record.name, true);
    number(static_cast<std::uint16_t>(record.type), 2);
    number(record.cls, 2);
    number(record.ttl, 4);
    const std::size_t at = out_.size();
    number(0, 2);
    switch (record.type) {
      case Type::kPtr:
        name(record.target, true);
        break;
      case Type::kSrv:
        number(record.priority, 2);
        number(record.weight, 2);
        number(record.port, 2);
        name(record.target, false);  // RFC 2782: not compressed
        break;
      case Type::kTxt:
        for (const std::string& text : record.texts) {
          if (text.size() > 255) fail_with("a text has " + std::to_string(text.size()) + " bytes, 255 are the limit");
          out_.push_back(static_cast<char>(text.size()));
          out_ += text;
        }
        break;
      default:
        out_ += record.data;
    }
    const std::size_t size = out_.size() - at - 2;
    if (size > 0xFFFF) too_large_ = true;
    out_[at] = static_cast<char>(size >> 8);
    out_[at + 1] = static_cast<char>(size);
  }

  Result<std::string> finish() {
    if (!error_.empty()) return fail(invalid_argument("DNS message: " + error_));
    if (too_large_ || out_.size() > kMaxMessage) {
      return fail(resource_exhausted("DNS message: " + std::to_string(out_.size()) + " bytes do not fit into a datagram (" +
                                     std::to_string(kMaxMessage) + ")"));
    }
    return std::move(out_);
  }

 private:
  void check(const Name& name) {
    std::size_t size = 1;
    for (const std::string& label : name) {
      if (label.empty() || label.size() > kMaxLabel) {
        fail_with("a part of the name " + to_text(name) + " has " + std::to_string(label.size()) + " bytes, 1 to 63 may be");
      }
      size += label.size() + 1;
    }
    if (size > kMaxName) fail_with("the name " + to_text(name) + " is too long: 255 bytes are the limit");
  }
  void fail_with(std::string error) {
    if (error_.empty()) error_ = std::move(error);
  }

  const bool compress_;
  std::string out_;
  std::string error_;
  bool too_large_ = false;
  std::map<Name, std::uint32_t> places_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return error_.empty(); }
  Error error() const { return invalid_argument("DNS message: " + error_); }
  void fail_at(std::size_t position, const std::string& what) {
    if (ok()) error_ = what + " at position " + std::to_string(position);
  }

  std::uint32_t number(int size) {
    std::uint32_t value = 0;
    for (const char c : take(static_cast<std::size_t>(size))) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
  }

  Name name() {
    Name labels;
    std::size_t size = 1;
    std::size_t at = position_;
    std::size_t earliest = position_;  // pointers lead backwards only, so that there is an end
    bool jumped = false;
    while (ok()) {
      if (at >= bytes_.size()) return cut_off();
      const auto length = static_cast<unsigned char>(bytes_[at]);
      if ((length & kPointer) == kPointer) {
        if (at + 1 >= bytes_.size()) return cut_off();
        const std::size_t target = ((length & ~kPointer) << 8) | static_cast<unsigned char>(bytes_[at + 1]);
        if (!jumped) position_ = at + 2;
        jumped = true;
        if (target >= earliest) {
          fail_at(at, "a pointer does not lead backwards");
          return {};
        }
        at = earliest = target;
        continue;
      }
      if (length > kMaxLabel) {
        fail_at(at, "a part of a name is of an unknown kind");
        return {};
      }
      if (at + 1 + length > bytes_.size()) return cut_off();
      if (length == 0) {
        if (!jumped) position_ = at + 1;
        return labels;
      }
      size += length + 1U;
      if (size > kMaxName) {
        fail_at(at, "a name is longer than 255 bytes");
        return {};
      }
      labels.emplace_back(bytes_.substr(at + 1, length));
      at += 1U + length;
    }
    return {};
  }

  Question question() {
    Question question{.name = name()};
    question.type = static_cast<Type>(number(2));
    question.cls = static_cast<std::uint16_t>(number(2));
    return question;
  }

  Record record() {
    Record record{.name = name()};
    record.type = static_cast<Type>(number(2));
    record.cls = static_cast<std::uint16_t>(number(2));
    record.ttl = number(4);
    const std::size_t size = number(2);
    const std::size_t begin = position_;
    if (ok() && begin + size > bytes_.size()) cut_off();
    if (!ok()) return record;
    const std::size_t end = begin + size;
    switch (record.type) {
      case Type::kPtr:
        record.target = name();
        break;
      case Type::kSrv:
        record.priority = static_cast<std::uint16_t>(number(2));
        record.weight = static_cast<std::uint16_t>(number(2));
        record.port = static_cast<std::uint16_t>(number(2));
        record.target = name();
        break;
      case Type::kTxt:
        while (ok() && position_ < end) record.texts.emplace_back(take(number(1)));
        break;
      case Type::kA:
      case Type::kAaaa:
        if (size != (record.type == Type::kA ? 4U : 16U)) fail_at(begin, "an address of " + std::to_string(size) + " bytes");
        [[fallthrough]];
      default:
        record.data = take(size);
    }
    if (ok() && position_ != end) fail_at(begin, "the data of a record has not the size it says");
    return record;
  }

 private:
  std::string_view take(std::size_t size) {
    if (!ok() || size > bytes_.size() - position_) {
      cut_off();
      return {};
    }
    const std::string_view piece = bytes_.substr(position_, size);
    position_ += size;
    return piece;
  }
  Name cut_off() {
    fail_at(bytes_.size(), "it ends too early,");
    return {};
  }

  const std::string_view bytes_;
  std::size_t position_ = 0;
  std::string error_;
};

}  // namespace

std::string to_text(const Name& name) {
  std::string text;
  for (const std::string& label : name) {
    for (const char c : label) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte > ' ' && byte < 0x7F && c != '.' && c != '\\') {
        text.push_back(c);
      } else {
        char escaped[5];
        std::snprintf(escaped, sizeof escaped, "\\%03u", byte);
        text += escaped;
      }
    }
    text.push_back('.');
  }
  return text.empty() ? "." : text;
}

bool is_below(const Name& name, const Name& suffix) {
  return name.size() > suffix.size() && std::equal(suffix.rbegin(), suffix.rend(), name.rbegin());
}

Name operator+(Name front, const Name& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

Result<std::string> encode(const Message& message, bool compress) {
  Writer writer(compress);
  writer.number(message.id, 2);
  writer.number(message.flags, 2);
  writer.number(static_cast<std::uint32_t>(message.questions.size()), 2);
  for (const auto* section : {&message.answers, &message.authorities, &message.additionals}) {
    writer.number(static_cast<std::uint32_t>(section->size()), 2);
  }
  for (const Question& question : message.questions) {
    writer.name(question.name, true);
    writer.number(static_cast<std::uint16_t>(question.type), 2);
    writer.number(question.cls, 2);
  }
  for (const auto* section : {&message.answers, &message.authorities, &message.additionals}) {
    for (const Record& record : *section) writer.record(record);
  }
  return writer.finish();
}

Result<Message> decode(std::string_view bytes) {
  Reader reader(bytes);
  Message message;
  message.id = static_cast<std::uint16_t>(reader.number(2));
  message.flags = static_cast<std::uint16_t>(reader.number(2));
  std::uint32_t counts[4];
  for (std::uint32_t& count : counts) count = reader.number(2);
  for (std::uint32_t i = 0; i < counts[0] && reader.ok(); ++i) message.questions.push_back(reader.question());
  std::vector<Record>* const sections[] = {&message.answers, &message.authorities, &message.additionals};
  for (int section = 0; section < 3; ++section) {
    for (std::uint32_t i = 0; i < counts[section + 1] && reader.ok(); ++i) sections[section]->push_back(reader.record());
  }
  if (!reader.ok()) return fail(reader.error());
  return message;
}

}  // namespace micro::mdns
