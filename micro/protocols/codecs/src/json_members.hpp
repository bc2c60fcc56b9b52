#pragma once

#include "json_reader.hpp"

namespace micro::codec {

template <class ReadMember>
bool JsonReader::members(ReadMember read_member) {
  if (lexer_.peek() != '{') return lexer_.expected("an object");
  if (!lexer_.enter()) return false;
  lexer_.take('{');
  for (bool again = !lexer_.take('}'); again;) {
    if (lexer_.peek() != '"') return lexer_.expected("a field name in quotes");
    const char* const at = lexer_.at();
    std::string_view name;
    if (!lexer_.string(name, scratch_)) return false;
    if (!lexer_.take(':')) return lexer_.expected("\":\"");
    if (!read_member(name, at) || !lexer_.more('}', again)) return false;
  }
  lexer_.leave();
  return true;
}

}  // namespace micro::codec
