#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include <micro/error/error.hpp>

namespace micro::log {

enum class Level : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };

// "trace", "debug", "info", "warn", "error", "off".
std::string_view to_string(Level level) noexcept;
// INVALID_ARGUMENT lists the names.
Result<Level> parse_level(std::string_view text);

// One value beside a message. Views must live for the duration of the call only.
struct Field {
  enum class Kind : std::uint8_t { kString, kInt, kDouble, kBool };

  Field(std::string_view k, std::string_view v) : key(k), kind(Kind::kString), text(v) {}
  Field(std::string_view k, const char* v) : key(k), kind(Kind::kString), text(v) {}
  Field(std::string_view k, const std::string& v) : key(k), kind(Kind::kString), text(v) {}
  Field(std::string_view k, bool v) : key(k), kind(Kind::kBool), integer(v) {}
  Field(std::string_view k, double v) : key(k), kind(Kind::kDouble), real(v) {}
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  Field(std::string_view k, I v) : key(k), kind(Kind::kInt), integer(static_cast<std::int64_t>(v)) {}

  std::string_view key;
  Kind kind;
  std::string_view text;
  std::int64_t integer = 0;
  double real = 0;
};

using Fields = std::initializer_list<Field>;

// Structured, levelled log: a message for people and fields for programs.
//
//   logger.info("node joined", {{"service", name}, {"address", address}});
//
// Strings that are empty are left out. A line below the level costs one load and a branch. Values are quoted where needed, so a
// line can be taken apart again and no value can fake another line; secrets are the caller's to leave out. Thread safety: all
// members from any thread.
class Logger {
 public:
  enum class Format : std::uint8_t { kText, kJson };

  struct Options {
    Level level = Level::kInfo;
    // Text for terminals ("12:30:01.123 info  node joined service=greeter"), JSON for collectors.
    Format format = Format::kText;
    // Colours in text: only when standard error is a terminal and NO_COLOR is not set.
    bool colour = true;
    // Put before the message: the name of the service. Empty: nothing.
    std::string name;
  };

  // Receives finished lines instead of standard error; for tests and programs that embed us. Called by any thread.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void write(Level level, std::string_view line) = 0;
  };

  // Writes to standard error.
  Logger();
  explicit Logger(Options options);
  Logger(Options options, std::shared_ptr<Sink> sink);
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;
  ~Logger();

  Level level() const noexcept;
  void set_level(Level level) noexcept;
  void set_format(Format format);
  bool enabled(Level level) const noexcept { return level >= this->level(); }

  void write(Level level, std::string_view message, Fields fields = {});
  void debug(std::string_view message, Fields fields = {}) {
    if (enabled(Level::kDebug)) write(Level::kDebug, message, fields);
  }
  void info(std::string_view message, Fields fields = {}) {
    if (enabled(Level::kInfo)) write(Level::kInfo, message, fields);
  }
  void warn(std::string_view message, Fields fields = {}) {
    if (enabled(Level::kWarn)) write(Level::kWarn, message, fields);
  }
  void error(std::string_view message, Fields fields = {}) {
    if (enabled(Level::kError)) write(Level::kError, message, fields);
  }
  // Everything written so far reaches its destination before this returns.
  void flush();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro::log
