#include "json_lexer.hpp"

#include <utility>

#include "json_number.hpp"
#include "json_text.hpp"

namespace micro::codec {

bool JsonLexer::fail(const char* at, std::string text) {
  if (failed_at_ == nullptr) {
    failed_at_ = at;
    failure_ = std::move(text);
  }
  return false;
}

bool JsonLexer::expected(std::string_view what) {
  peek();
  return fail(p_, "expected " + std::string(what) + ", found " + found());
}

std::string JsonLexer::found() const {
  if (p_ == end_) return "the end of the input";
  const std::string_view rest(p_, static_cast<std::size_t>(end_ - p_));
  switch (*p_) {
    case '{':
      return "an object";
    case '[':
      return "an array";
    case '"': {
      JsonLexer copy = *this;
      std::string_view text;
      std::string scratch;
      return copy.string(text, scratch) ? "string " + shown(text) : "a broken string";
    }
    default:
      break;
  }
  for (const std::string_view word : {"true", "false", "null"}) {
    if (rest.starts_with(word)) return std::string(word);
  }
  if (const std::size_t size = number_prefix(rest)) return "number " + shown_number(rest.substr(0, size));
  const std::size_t sequence = static_cast<unsigned char>(*p_) >= 0x80 ? utf8_sequence(p_, end_) : 1;
  return shown(rest.substr(0, sequence != 0 ? sequence : 1));
}

std::string JsonLexer::position() const {
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char* p = begin_; p != failed_at_; ++p) {
    if (*p == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(*p) & 0xc0) != 0x80) {
      ++column;
    }
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

bool JsonLexer::enter() {
  if (depth_ == max_depth_) return fail(p_, "nested deeper than " + std::to_string(max_depth_) + " levels");
  ++depth_;
  return true;
}

bool JsonLexer::more(char close, bool& more) {
  more = take(',');
  if (more || take(close)) return true;
  return expected(close == '}' ? "\",\" or \"}\"" : "\",\" or \"]\"");
}

bool JsonLexer::string(std::string_view& out, std::string& scratch) {
  const char* const quote = p_++;
  const char* start = p_;
  bool copied = false;
  for (;;) {
    p_ += plain_prefix(p_, end_);
    if (p_ == end_) return fail(quote, "the string that starts here has no end");
    const char c = *p_;
    if (c == '"') break;
    if (c == '\\') {
      if (!std::exchange(copied, true)) scratch.clear();
      scratch.append(start, p_);
      if (!escaped(scratch)) return false;
      start = p_;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      const std::size_t size = utf8_sequence(p_, end_);
      if (size == 0) return fail(p_, "invalid UTF-8: byte " + shown({p_, 1}));
      p_ += size;
    } else {
      return fail(p_, "control character " + shown({p_, 1}) + " in a string; write it as an escape");
    }
  }
  if (copied) {
    scratch.append(start, p_);
    out = scratch;
  } else {
    out = {start, static_cast<std::size_t>(p_ - start)};
  }
  ++p_;
  return true;
}

bool JsonLexer::escaped(std::string& out) {
  const char* const backslash = p_++;
  switch (p_ != end_ ? *p_ : '\0') {
    case '"':
      out.push_back('"');
      break;
    case '\\':
      out.push_back('\\');
      break;
    case '/':
      out.push_back('/');
      break;
    case 'b':
      out.push_back('\b');
      break;
    case 'f':
      out.push_back('\f');
      break;
    case 'n':
      out.push_back('\n');
      break;
    case 'r':
      out.push_back('\r');
      break;
    case 't':
      out.push_back('\t');
      break;
    case 'u': {
      char32_t c = 0;
      if (!hex4(c)) return fail(backslash, "an escape \\u needs four hexadecimal digits");
      if (c >= 0xd800 && c <= 0xdfff) {
        char32_t low = 0;
        const bool pair = c < 0xdc00 && end_ - p_ >= 3 && p_[1] == '\\' && p_[2] == 'u';
        if (pair) p_ += 2;
        if (!pair || !hex4(low) || low < 0xdc00 || low > 0xdfff) return fail(backslash, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
      }
      append_utf8(out, c);
      break;
    }
    default:
      return fail(backslash, "unknown escape in a string");
  }
  ++p_;
  return true;
}

// From the 'u' of an escape to its last digit.
bool JsonLexer::hex4(char32_t& out) {
  if (end_ - p_ < 5) return false;
  for (int i = 0; i < 4; ++i) {
    const char c = *++p_;
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      out = out * 16 + static_cast<char32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      out = out * 16 + static_cast<char32_t>(lower - 'a' + 10);
    } else {
      return false;
    }
  }
  return true;
}

bool JsonLexer::number(std::string_view& out) {
  const std::string_view rest(p_, static_cast<std::size_t>(end_ - p_));
  const std::size_t size = number_prefix(rest);
  const auto continues = [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '+' || c == '-' || (c | 0x20) == 'e'; };
  if (size == 0 || (size < rest.size() && continues(rest[size]))) return fail(p_, "not a JSON number");
  out = rest.substr(0, size);
  p_ += size;
  return true;
}

bool JsonLexer::word(std::string_view expected_word) {
  const std::string_view rest(p_, static_cast<std::size_t>(end_ - p_));
  if (!rest.starts_with(expected_word)) return expected("a value");
  p_ += expected_word.size();
  return true;
}

bool JsonLexer::skip() {
  std::string_view text;
  std::string scratch;
  switch (peek()) {
    case '"':
      return string(text, scratch);
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    case '{':
    case '[':
      break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':  // clang-format off
      return number(text);  // clang-format on
    default:
      return expected("a value");
  }
  const char open = *p_;
  const char close = open == '{' ? '}' : ']';
  if (!enter()) return false;
  ++p_;
  for (bool again = !take(close); again;) {
    if (open == '{') {
      if (peek() != '"') return expected("a field name in quotes");
      if (!string(text, scratch)) return false;
      if (!take(':')) return expected("\":\"");
    }
    if (!skip() || !more(close, again)) return false;
  }
  leave();
  return true;
}

bool JsonLexer::end() {
  peek();
  return p_ == end_ || fail(p_, "unexpected text after the end of the JSON value: " + found());
}

}  // namespace micro::codec
