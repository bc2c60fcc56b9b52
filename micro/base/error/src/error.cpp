#include <micro/error/error.hpp>

#include <memory>

namespace micro {

struct Error::Rep {
  Code code;
  std::string reason;
  std::string message;
  Metadata metadata;
  std::vector<std::string> details;
  std::unique_ptr<Error> cause;

  Rep(Code c, std::string r, std::string m)
      : code(c == Code::kOk ? Code::kUnknown : c), reason(std::move(r)), message(std::move(m)) {}
  Rep(const Rep& other)
      : code(other.code),
        reason(other.reason),
        message(other.message),
        metadata(other.metadata),
        details(other.details),
        cause(other.cause ? std::make_unique<Error>(*other.cause) : nullptr) {}
  Rep& operator=(const Rep&) = delete;
};

Error::Error(Code code, std::string message) : Error(code, std::string(), std::move(message)) {}
Error::Error(Code code, std::string reason, std::string message) : rep_(new Rep(code, std::move(reason), std::move(message))) {}

Error::Error(const Error& other) : rep_(other.rep_ != nullptr ? new Rep(*other.rep_) : nullptr) {}
Error::Error(Error&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}

Error& Error::operator=(const Error& other) {
  if (this != &other) *this = Error(other);
  return *this;
}

Error& Error::operator=(Error&& other) noexcept {
  // Emptied first, so that an object moved to itself keeps its state.
  Rep* const taken = std::exchange(other.rep_, nullptr);
  delete std::exchange(rep_, taken);
  return *this;
}

Error::~Error() { delete rep_; }

Code Error::code() const noexcept { return rep_->code; }
const std::string& Error::reason() const noexcept { return rep_->reason; }
const std::string& Error::message() const noexcept { return rep_->message; }
const Error::Metadata& Error::metadata() const noexcept { return rep_->metadata; }
const Error* Error::cause() const noexcept { return rep_->cause.get(); }
const std::vector<std::string>& Error::details() const noexcept { return rep_->details; }

const std::string* Error::find(std::string_view key) const noexcept {
  for (const auto& [name, value] : rep_->metadata) {
    if (name == key) return &value;
  }
  return nullptr;
}

Error& Error::with(std::string key, std::string value) & {
  rep_->metadata.emplace_back(std::move(key), std::move(value));
  return *this;
}

Error&& Error::with(std::string key, std::string value) && { return std::move(with(std::move(key), std::move(value))); }

Error&& Error::with_reason(std::string reason) && {
  rep_->reason = std::move(reason);
  return std::move(*this);
}

Error&& Error::with_cause(Error cause) && {
  rep_->cause = std::make_unique<Error>(std::move(cause));
  return std::move(*this);
}

Error&& Error::with_context(std::string_view prefix) && {
  std::string message(prefix);
  message.append(": ").append(rep_->message);
  rep_->message = std::move(message);
  return std::move(*this);
}

Error& Error::add_detail(std::string serialized_any) {
  rep_->details.push_back(std::move(serialized_any));
  return *this;
}

std::string Error::to_string() const {
  std::string text(micro::to_string(rep_->code));
  if (!rep_->reason.empty()) text.append(" [").append(rep_->reason).append("]");
  if (!rep_->message.empty()) text.append(": ").append(rep_->message);
  if (!rep_->metadata.empty()) {
    std::string_view separator = " {";
    for (const auto& [key, value] : rep_->metadata) {
      text.append(separator).append(key).append("=").append(value);
      separator = ", ";
    }
    text.append("}");
  }
  if (rep_->cause) text.append(": caused by: ").append(rep_->cause->to_string());
  return text;
}

bool operator==(const Error& a, const Error& b) noexcept {
  if (a.rep_ == nullptr || b.rep_ == nullptr) return a.rep_ == b.rep_;
  const Error::Rep& x = *a.rep_;
  const Error::Rep& y = *b.rep_;
  if (x.code != y.code || x.reason != y.reason || x.message != y.message) return false;
  if (x.metadata != y.metadata || x.details != y.details) return false;
  if (!x.cause || !y.cause) return x.cause == y.cause;
  return *x.cause == *y.cause;
}

Error cancelled(std::string message) { return {Code::kCancelled, std::move(message)}; }
Error unknown(std::string message) { return {Code::kUnknown, std::move(message)}; }
Error invalid_argument(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }
Error deadline_exceeded(std::string message) { return {Code::kDeadlineExceeded, std::move(message)}; }
Error not_found(std::string message) { return {Code::kNotFound, std::move(message)}; }
Error already_exists(std::string message) { return {Code::kAlreadyExists, std::move(message)}; }
Error permission_denied(std::string message) { return {Code::kPermissionDenied, std::move(message)}; }
Error resource_exhausted(std::string message) { return {Code::kResourceExhausted, std::move(message)}; }
Error failed_precondition(std::string message) { return {Code::kFailedPrecondition, std::move(message)}; }
Error aborted(std::string message) { return {Code::kAborted, std::move(message)}; }
Error out_of_range(std::string message) { return {Code::kOutOfRange, std::move(message)}; }
Error unimplemented(std::string message) { return {Code::kUnimplemented, std::move(message)}; }
Error internal(std::string message) { return {Code::kInternal, std::move(message)}; }
Error unavailable(std::string message) { return {Code::kUnavailable, std::move(message)}; }
Error data_loss(std::string message) { return {Code::kDataLoss, std::move(message)}; }
Error unauthenticated(std::string message) { return {Code::kUnauthenticated, std::move(message)}; }

}  // namespace micro
