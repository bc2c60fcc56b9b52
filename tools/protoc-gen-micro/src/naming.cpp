#include "naming.hpp"

#include <algorithm>
#include <iterator>

namespace micro::generator {
namespace {

constexpr std::string_view kKeywords[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char", "char16_t",
    "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl", "concept", "const", "const_cast", "consteval",
    "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else", "enum",
    "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable",
    "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private", "protected", "public",
    "register", "reinterpret_cast", "requires", "return", "short", "signed", "sizeof", "static", "static_assert", "static_cast",
    "struct", "switch", "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "union",
    "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
    // Macros.
    "EOF", "NULL", "assert", "errno", "linux", "offsetof", "stderr", "stdin", "stdout", "unix", "va_arg", "va_copy", "va_end",
    "va_start"};

}  // namespace

bool is_cpp_keyword(std::string_view name) { return std::ranges::find(kKeywords, name) != std::end(kKeywords); }

std::string cpp_name(std::string_view name, const std::set<std::string>& taken) {
  std::string result(name);
  while (is_cpp_keyword(result) || taken.contains(result)) result += '_';
  return result;
}

const std::set<std::string>& reserved_names() {
  static const std::set<std::string> names = {"Client",         "Handler",   "TypedClient",          "client_",
                                              "defaults_",      "endpoints", "idempotent_defaults_", "kName",
                                              "proto_service_", "service_"};
  return names;
}

std::vector<std::string> split_package(std::string_view package) {
  std::vector<std::string> parts;
  while (!package.empty()) {
    const std::size_t dot = package.find('.');
    parts.emplace_back(package.substr(0, dot));
    package.remove_prefix(dot == std::string_view::npos ? package.size() : dot + 1);
  }
  return parts;
}

std::string registry_name(std::string_view package, std::string_view service) {
  if (!package.empty()) return split_package(package).back();
  std::string name(service);
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name;
}

}  // namespace micro::generator
