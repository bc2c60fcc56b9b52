#pragma once

#include <string>
#include <string_view>

namespace micro::codec {

// Reads JSON tokens (RFC 8259) from front to back. Functions return false on bad input; the first failure is kept, with where it
// happened, and nothing is read after it.
class JsonLexer {
 public:
  JsonLexer(std::string_view text, int max_depth)
      : begin_(text.data()), p_(begin_), end_(begin_ + text.size()), max_depth_(max_depth) {}

  // The next character that is not white space, without taking it; '\0' at the end.
  char peek() noexcept {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
    return p_ != end_ ? *p_ : '\0';
  }
  // Takes the next character if it is `c`.
  bool take(char c) noexcept {
    if (peek() != c || p_ == end_) return false;
    ++p_;
    return true;
  }

  // Where the next character to read is.
  const char* at() const noexcept { return p_; }
  // back(mark()) returns to where mark() was called.
  struct Mark {
    const char* at;
    int depth;
  };
  Mark mark() const noexcept { return {p_, depth_}; }
  void back(Mark mark) noexcept {
    p_ = mark.at;
    depth_ = mark.depth;
  }

  // A string, decoded; the cursor stands at its quote. The view is into the input, or into `scratch` when there are escapes.
  bool string(std::string_view& out, std::string& scratch);
  // A number's text; the cursor stands at its first character.
  bool number(std::string_view& out);
  // "true", "false" or "null".
  bool word(std::string_view expected);
  // Any value, only checked.
  bool skip();
  // Nothing but white space may follow.
  bool end();

  // Go one object or array down; fails when that is too deep. leave() comes back up.
  bool enter();
  void leave() noexcept { --depth_; }

  // What follows a member or element: true in `more` for a comma, false for `close`.
  bool more(char close, bool& more);

  // Records a failure and returns false.
  bool fail(const char* at, std::string text);
  // "expected a string, found number 7" at the next token.
  bool expected(std::string_view what);

  bool failed() const noexcept { return failed_at_ != nullptr; }
  const std::string& failure() const noexcept { return failure_; }
  // "line 1, column 10", of the failure.
  std::string position() const;

 private:
  bool escaped(std::string& out);
  bool hex4(char32_t& out);
  std::string found() const;

  const char* begin_;
  const char* p_;
  const char* end_;
  int max_depth_;
  int depth_ = 0;
  const char* failed_at_ = nullptr;
  std::string failure_;
};

}  // namespace micro::codec
