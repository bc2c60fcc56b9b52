#include "unary_exchange.hpp"

#include "connection.hpp"
#include "slot.hpp"

namespace micro::client {

void UnaryExchange::take_data(std::string_view data) {
  reader_.feed(data);
  while (true) {
    const Result<std::optional<grpc::MessageReader::Message>> next = reader_.next();
    if (!next) return fail_with(at_node(next.error().code(), next.error().message()));
    if (!*next) break;
    if (has_reply_) return fail_with(at_node(Code::kInternal, "more than one reply to a unary call"));
    has_reply_ = true;
    if (Result<void> decoded = decode(**next, reply_); !decoded) return fail_with(std::move(decoded.error()));
  }
  connection_->session().consumed(*stream_, data.size());
}

Result<void> UnaryExchange::check_complete() {
  if (Result<void> whole = reader_.finish(); !whole) return fail(at_node(whole.error().code(), whole.error().message()));
  if (!has_reply_) return fail(at_node(Code::kInternal, "status OK without a reply"));
  return {};
}

// Never at once: the session is in the middle of something.
void UnaryExchange::on_end() {
  if (waiter_) info_.slot.loop().post(std::exchange(waiter_, {}));
}

}  // namespace micro::client
