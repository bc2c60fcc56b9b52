#include <micro/transcoding/template.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "percent.hpp"

namespace micro::transcoding {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What RFC 3986 allows in a segment, but '*', which is a wildcard here; and all bytes of UTF-8, which requests escape.
bool is_literal(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()+,;=:@%";
  return is_letter(c) || is_digit(c) || kMarks.find(c) != kMarks.npos || static_cast<unsigned char>(c) >= 0x80;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { out_.text = text; }

  Result<Template> parse() {
    if (!run()) {
      return fail(invalid_argument("path template \"" + std::string(text_) + "\": character " + std::to_string(fault_at_ + 1) +
                                   ": " + fault_));
    }
    return std::move(out_);
  }

 private:
  // What ends the text of a segment outside and inside of a variable.
  static constexpr std::string_view kEnds = "/{}";

  bool fault(std::size_t at, std::string why) {
    fault_at_ = at;
    fault_ = std::move(why);
    return false;
  }
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() const { return at_ >= text_.size(); }

  bool run() {
    if (next() != '/') return fault(0, "a path begins with '/'");
    if (text_.size() == 1) return true;
    while (!at_end()) {
      if (next() != '/') return fault(at_, "expected '/', found '" + std::string(1, next()) + "'");
      ++at_;
      if (next() == '{' ? !variable() : !segment(false)) return false;
      if (next() == ':') return verb(text_.size());
    }
    return true;
  }

  // One segment that is no variable; outside of a variable the last one may carry the verb.
  bool segment(bool inside) {
    const std::size_t start = at_;
    std::size_t end = std::min(text_.find_first_of(kEnds, start), text_.size());
    const std::size_t colon = text_.substr(start, end - start).rfind(':');
    const bool has_verb = !inside && end == text_.size() && colon != std::string_view::npos;
    if (has_verb) end = start + colon;
    const std::string_view part = text_.substr(start, end - start);
    if (rest_at_) return fault(start, "nothing may follow \"**\" but a verb");
    if (part.empty()) return fault(start, "a segment is missing");
    if (part == "*" || part == "**") {
      if (part.size() == 2) rest_at_ = start;
      out_.segments.push_back({part.size() == 2 ? Template::Kind::kRest : Template::Kind::kAny, {}});
    } else {
      auto literal = text(part, start);
      if (!literal) return false;
      out_.segments.push_back({Template::Kind::kLiteral, *std::move(literal)});
    }
    at_ = end;
    if (!inside && next() == '{') return fault(at_, "a variable fills whole segments");
    if (!inside && next() == '}') return fault(at_, "'}' without '{'");
    return true;
  }

  std::optional<std::string> text(std::string_view part, std::size_t start) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      const std::size_t at = start + i;
      if (part[i] == '*') {
        fault(at, "a wildcard fills a whole segment; write \"%2A\" for a literal '*'");
        return std::nullopt;
      }
      if (part[i] == '%' && !escape_at(part.substr(i))) {
        fault(at, "'%' is not followed by two hex digits");
        return std::nullopt;
      }
      if (!is_literal(part[i])) {
        const auto byte = static_cast<unsigned char>(part[i]);
        const std::string shown =
            byte > 0x20 && byte < 0x7f ? "'" + std::string(1, part[i]) + "'" : "character " + std::to_string(byte);
        fault(at, shown + " cannot stand in a path; percent-encode it");
        return std::nullopt;
      }
    }
    return decode(part, Slashes::kDecoded);
  }

  bool variable() {
    const std::size_t start = at_++;
    Template::Variable variable;
    variable.first = out_.segments.size();
    if (!field(variable.field)) return false;
    const auto same = [&](const Template::Variable& other) { return other.field == variable.field; };
    if (std::ranges::any_of(out_.variables, same)) return fault(start + 1, "the variable " + variable.field + " occurs twice");
    if (next() == '=') {
      ++at_;
      if (next() == '/') return fault(at_, "what a variable matches does not begin with '/'");
      if (!segments_of_variable()) return false;
    } else {
      if (rest_at_) return fault(start, "nothing may follow \"**\" but a verb");
      out_.segments.push_back({Template::Kind::kAny, {}});
    }
    if (next() != '}') return fault(at_, at_end() ? "'}' is missing" : "expected '}', found '" + std::string(1, next()) + "'");
    ++at_;
    if (!at_end() && next() != '/' && next() != ':')
      return fault(at_, "a variable fills whole segments; '/', ':' or the end may follow");
    variable.count = out_.segments.size() - variable.first;
    variable.many = variable.count > 1 || out_.segments.back().kind == Template::Kind::kRest;
    out_.variables.push_back(std::move(variable));
    return true;
  }

  bool segments_of_variable() {
    while (true) {
      if (next() == '{') return fault(at_, "a variable inside a variable");
      if (!segment(true)) return false;
      if (next() == '{') return fault(at_, "a variable inside a variable");
      if (next() != '/') return true;
      ++at_;
    }
  }

  bool field(std::string& out) {
    const std::size_t start = at_;
    while (true) {
      if (!is_letter(next())) return fault(at_, "expected the name of a field");
      while (is_letter(next()) || is_digit(next())) ++at_;
      if (next() != '.') break;
      ++at_;
    }
    if (next() != '=' && next() != '}' && !at_end()) {
      return fault(at_, "'" + std::string(1, next()) + "' cannot stand in the name of a field");
    }
    out = text_.substr(start, at_ - start);
    return true;
  }

  bool verb(std::size_t end) {
    const std::size_t start = ++at_;
    const std::string_view part = text_.substr(start, end - start);
    if (part.empty()) return fault(start, "a verb is missing after ':'");
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part[i] == '/' || part[i] == ':') return fault(start + i, "a verb is the last of a path, without '/' and ':'");
    }
    auto name = text(part, start);
    if (!name) return false;
    out_.verb = *std::move(name);
    at_ = end;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<std::size_t> rest_at_;
  std::size_t fault_at_ = 0;
  std::string fault_;
  Template out_;
};

}  // namespace

Result<Template> Template::parse(std::string_view text) { return Parser(text).parse(); }

}  // namespace micro::transcoding
