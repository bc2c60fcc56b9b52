#include <micro/log/log.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>

#include <unistd.h>

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace micro::log {
namespace {

constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error", "off"};

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::kTrace:
      return spdlog::level::trace;
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

Level from_spdlog(spdlog::level::level_enum level) noexcept {
  switch (level) {
    case spdlog::level::trace:
      return Level::kTrace;
    case spdlog::level::debug:
      return Level::kDebug;
    case spdlog::level::info:
      return Level::kInfo;
    case spdlog::level::warn:
      return Level::kWarn;
    default:
      return Level::kError;
  }
}

// Length of the UTF-8 sequence that begins `text`, whose first byte is not ASCII; 0 when it is none (Unicode 15, table 3-7).
std::size_t utf8_size(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [byte](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0xc2 || lead > 0xf4 || !continues(1)) return 0;
  if (lead < 0xe0) return 2;
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) || !continues(2)) return 0;
  if (lead < 0xf0) return 3;
  return (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f) || !continues(3) ? 0 : 4;
}

void append_control(std::string& out, unsigned char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

// JSON string contents (RFC 8259, section 7). In text lines the same escapes keep a value on its line, and out of the terminal's
// control: U+0080 to U+009F are as good as ESC there. What is no UTF-8 would cost a collector the line; it becomes U+FFFD.
void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      const std::size_t size = utf8_size(text.substr(i));
      if (size == 0) {
        out += "\xef\xbf\xbd";
      } else if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
        append_control(out, static_cast<unsigned char>(text[i + 1]));
      } else {
        out += text.substr(i, size);
      }
      i += std::max<std::size_t>(size, 1);
      continue;
    }
    ++i;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20 || c == 0x7f) {
          append_control(out, byte);
        } else {
          out += c;
        }
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return false;
  }
  return true;
}

void append_number(std::string& out, const Field& field) {
  char digits[32];
  const auto end = field.kind == Field::Kind::kDouble
                       ? std::to_chars(digits, digits + sizeof digits, field.real, std::chars_format::fixed, 3).ptr
                       : std::to_chars(digits, digits + sizeof digits, field.integer).ptr;
  out.append(digits, end);
}

void append_value(std::string& out, const Field& field, bool json) {
  switch (field.kind) {
    case Field::Kind::kString:
      if (!json && is_plain(field.text)) {
        out += field.text;
      } else {
        append_quoted(out, field.text);
      }
      break;
    case Field::Kind::kBool:
      out += field.integer != 0 ? "true" : "false";
      break;
    case Field::Kind::kInt:
    case Field::Kind::kDouble:
      append_number(out, field);
      break;
  }
}

// Our own names of the levels, as wide as the widest: spdlog cuts "warning" to "warni".
class LevelFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string_view name = to_string(from_spdlog(message.level));
    const std::string_view padding = std::string_view("     ").substr(std::min<std::size_t>(name.size(), 5));
    message.color_range_start = out.size();
    out.append(name.data(), name.data() + name.size());
    message.color_range_end = out.size();
    out.append(padding.data(), padding.data() + padding.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelFlag>(); }
};

class ForwardingSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit ForwardingSink(std::shared_ptr<Logger::Sink> sink) : sink_(std::move(sink)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    sink_->write(from_spdlog(message.level), {message.payload.data(), message.payload.size()});
  }
  void flush_() override {}
  std::shared_ptr<Logger::Sink> sink_;
};

spdlog::sink_ptr standard_error(const Logger::Options& options) {
  const bool colour = options.colour && std::getenv("NO_COLOR") == nullptr && ::isatty(STDERR_FILENO) == 1;
  auto sink =
      std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour ? spdlog::color_mode::always : spdlog::color_mode::never);
  return sink;
}

}  // namespace

std::string_view to_string(Level level) noexcept { return kNames[static_cast<std::size_t>(level)]; }

Result<Level> parse_level(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == text) return static_cast<Level>(i);
  }
  return fail(invalid_argument("log level \"" + std::string(text) + "\" is none of trace, debug, info, warn, error, off"));
}

struct Logger::Impl {
  Impl(Options o, spdlog::sink_ptr sink)
      : name(std::move(o.name)), level(o.level), format(o.format), logger("micro", std::move(sink)) {
    logger.set_level(spdlog::level::trace);  // the level is ours
    logger.flush_on(spdlog::level::warn);
  }
  std::string name;
  std::atomic<Level> level;
  std::atomic<Format> format;
  spdlog::logger logger;
};

Logger::Logger() : Logger(Options{}) {}

Logger::Logger(Options options) {
  spdlog::sink_ptr sink = standard_error(options);
  const Format format = options.format;
  impl_ = std::make_unique<Impl>(std::move(options), std::move(sink));
  set_format(format);
}

Logger::Logger(Options options, std::shared_ptr<Sink> sink)
    : impl_(std::make_unique<Impl>(std::move(options), std::make_shared<ForwardingSink>(std::move(sink)))) {}

Logger::~Logger() { flush(); }

Level Logger::level() const noexcept { return impl_->level.load(std::memory_order_relaxed); }
void Logger::set_level(Level level) noexcept { impl_->level.store(level, std::memory_order_relaxed); }

void Logger::set_format(Format format) {
  impl_->format.store(format, std::memory_order_relaxed);
  // A JSON line has its time and level inside.
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<LevelFlag>('L').set_pattern(format == Format::kText ? "%H:%M:%S.%e %L %v" : "%v");
  impl_->logger.set_formatter(std::move(formatter));
}

void Logger::write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level) || level == Level::kOff) return;
  std::string line;
  line.reserve(160);
  if (impl_->format.load(std::memory_order_relaxed) == Format::kJson) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    line += "{\"time\":";
    line += std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    line += ",\"level\":\"";
    line += to_string(level);
    line += '"';
    if (!impl_->name.empty()) {
      line += ",\"name\":";
      append_quoted(line, impl_->name);
    }
    line += ",\"message\":";
    append_quoted(line, message);
    for (const Field& field : fields) {
      if (field.kind == Field::Kind::kString && field.text.empty()) continue;
      line += ',';
      append_quoted(line, field.key);
      line += ':';
      append_value(line, field, true);
    }
    line += '}';
  } else {
    if (!impl_->name.empty()) {
      line += '[';
      append_escaped(line, impl_->name);
      line += "] ";
    }
    append_escaped(line, message);
    for (const Field& field : fields) {
      if (field.kind == Field::Kind::kString && field.text.empty()) continue;
      line += ' ';
      line += field.key;
      line += '=';
      append_value(line, field, false);
    }
  }
  impl_->logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void Logger::flush() { impl_->logger.flush(); }

}  // namespace micro::log
