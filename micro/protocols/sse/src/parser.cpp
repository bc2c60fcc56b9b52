#include <micro/sse/parser.hpp>

#include <algorithm>
#include <charconv>

namespace micro::sse {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
// The one field whose value may be as long as an event.
constexpr std::string_view kDataPrefix = "data: ";

bool is_digits(std::string_view text) noexcept {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The longest time worth telling: what does not fit in a Duration is nothing that anybody waits for.
constexpr std::int64_t kMaxRetry = std::int64_t{1000} * 60 * 60 * 24 * 365;

}  // namespace

Result<bool> Parser::too_large(std::string_view what, std::size_t limit) {
  failed_ = true;
  return fail(resource_exhausted("cannot read the event stream: " + std::string(what) + " is larger than the limit of " +
                                 std::to_string(limit) + " bytes"));
}

void Parser::reset() noexcept {
  partial_.clear();
  data_.clear();
  type_.clear();
  id_ = last_event_id_;
  mark_seen_ = 0;
  started_ = after_cr_ = line_buffered_ = told_ = failed_ = false;
}

// The mark may be cut; what looks like its beginning and is not belongs to the first line.
void Parser::skip_byte_order_mark(std::string_view& input) noexcept {
  while (!started_ && !input.empty()) {
    if (input.front() != kByteOrderMark[mark_seen_]) {
      partial_.append(kByteOrderMark.substr(0, mark_seen_));
      started_ = true;
      return;
    }
    input.remove_prefix(1);
    started_ = ++mark_seen_ == kByteOrderMark.size();
  }
}

Parser::Take Parser::take_line(std::string_view& input) {
  if (line_buffered_) {
    partial_.clear();
    line_buffered_ = false;
  }
  if (after_cr_ && !input.empty()) {
    if (input.front() == '\n') input.remove_prefix(1);
    after_cr_ = false;
  }
  const std::size_t end = input.find_first_of("\r\n");
  const std::string_view piece = input.substr(0, end);
  const std::size_t limit = std::min(limits_.max_event, SIZE_MAX - kDataPrefix.size()) + kDataPrefix.size();
  if (piece.size() > limit || partial_.size() > limit - piece.size()) return Take::kTooLong;
  if (end == std::string_view::npos) {
    partial_.append(piece);
    input = {};
    return Take::kPartial;
  }
  if (partial_.empty()) {
    line_ = piece;
  } else {
    partial_.append(piece);
    line_ = partial_.view();
    line_buffered_ = true;
  }
  after_cr_ = input[end] == '\r';
  input.remove_prefix(end + 1);
  return Take::kLine;
}

Result<bool> Parser::next(std::string_view& input) {
  if (failed_) return fail(resource_exhausted("cannot read the event stream: it was given up before, for its size"));
  if (told_) {
    data_.clear();
    type_.clear();
    told_ = false;
  }
  skip_byte_order_mark(input);
  while (!input.empty()) {
    switch (take_line(input)) {
      case Take::kPartial:
        return false;
      case Take::kTooLong:
        return too_large("a line", limits_.max_event);
      case Take::kLine:
        break;
    }
    if (line_.empty()) {
      if (dispatch()) return true;
    } else if (!field(line_)) {
      return data_.size() > limits_.max_event ? too_large("the data of an event", limits_.max_event)
                                              : too_large("an event type or id", limits_.max_name);
    }
  }
  return false;
}

// False when a limit is exceeded.
bool Parser::field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == 0) return true;
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    data_.append(value).push_back('\n');
    return data_.size() - 1 <= limits_.max_event;
  }
  if (name == "event") {
    if (value.size() > limits_.max_name) return false;
    type_ = value;
  } else if (name == "id") {
    if (value.contains('\0')) return true;
    if (value.size() > limits_.max_name) return false;
    id_ = value;
  } else if (name == "retry" && is_digits(value)) {
    std::int64_t milliseconds = kMaxRetry;
    std::from_chars(value.data(), value.data() + value.size(), milliseconds);
    retry_ = std::chrono::milliseconds(std::min(milliseconds, kMaxRetry));
  }
  return true;
}

// The id counts even when the event has no data and is not told.
bool Parser::dispatch() {
  last_event_id_ = id_;
  if (data_.empty()) {
    type_.clear();
    return false;
  }
  data_.pop_back();
  event_ = {.type = type_.empty() ? std::string_view("message") : std::string_view(type_),
            .data = data_,
            .last_event_id = last_event_id_};
  told_ = true;
  return true;
}

}  // namespace micro::sse
