#include "mucp_attempt.hpp"

#include <memory>
#include <utility>

#include "bounded_context.hpp"
#include "mucp_node.hpp"
#include "mucp_socket.hpp"

namespace micro::client {

Task<Result<void>> MucpAttempt::run(codec::MessageRef request, codec::MessageRef reply) {
  Context& context = info_.context;
  context.begin_calling(node_.address(), nullptr);
  if (context.cancelled()) co_return fail(std::move(*context.error()).with_context(info_.name()));
  if (info_.deadline && *info_.deadline <= info_.slot.loop().now()) {
    co_return fail(info_.too_late({}, "the time was over before it could be sent"));
  }
  BoundedContext bounded(info_);
  const std::string where = " at " + node_.address();
  while (true) {
    Buffer bytes;
    if (Result<void> written = messages_.write(request, bytes); !written) co_return written;
    std::unique_ptr<MucpSocket> socket = node_.take();
    const bool used_before = socket != nullptr;
    if (!used_before) {
      Result<std::unique_ptr<MucpSocket>> connected = co_await node_.connect(bounded.get());
      if (bounded.get().cancelled()) co_return fail(info_.cut_off(bounded.get(), {}, "no connection to " + node_.address()));
      if (!connected) {
        progress_ = retry::Progress::kNotSent;
        co_return fail(std::move(connected.error()));
      }
      socket = std::move(*connected);
    }
    context.begin_calling(node_.address(), socket->identity());
    CancelCallback closer;
    closer.link(
        bounded.get().cancellation(), [](void* self, const Error&) { static_cast<MucpSocket*>(self)->close(); }, socket.get());
    Result<void> done = co_await socket->write(std::move(bytes));
    const bool sent = done.has_value();
    if (sent) done = co_await socket->read();
    closer.unlink();
    if (bounded.get().cancelled()) co_return fail(info_.cut_off(bounded.get(), where, "no answer"));
    if (!done) {
      // Closed while nobody used it, and the news was still on its way: the node has not seen the request.
      const bool unseen = !sent || (used_before && socket->was_reset() && !socket->heard());
      if (unseen && used_before) continue;
      if (unseen) progress_ = retry::Progress::kNotSent;
      co_return fail(messages_.at_node(done.error().code(), done.error().message()));
    }
    const Result<bool> read = messages_.read(socket->head(), socket->body(), reply, answered_);
    if (!read) co_return fail(read.error());  // go-micro does not go on with a connection after an error, either
    if (!*read) co_return fail(messages_.at_node(Code::kInternal, "answered a unary call with the end of a stream"));
    if (socket->reusable()) node_.give_back(std::move(socket));
    answered_ = true;
    co_return Result<void>{};
  }
}

}  // namespace micro::client
