#include "mucp_stream.hpp"

#include <utility>

#include "mucp_node.hpp"
#include "mucp_socket.hpp"

namespace micro::client {

MucpStream::MucpStream(const CallInfo& call, const MucpRoute& route, rpc::MethodKind kind, Gate::Holder holder)
    : StreamInfo(call),
      node_(*route.node),
      messages_(info, route, true),
      kind_(kind),
      holder_(std::move(holder)),
      bounded_(info) {
  node_.acquire();
}

MucpStream::~MucpStream() {
  end(fail(cancelled("the stream was given up")));
  node_.release();
}

Task<Result<void>> MucpStream::start(const CallInfo& opening, codec::MessageRef request) {
  Context& context = info.context;
  context.begin_calling(node_.address(), nullptr);
  if (context.cancelled()) co_return fail(std::move(*context.error()).with_context(info.name()));
  BoundedContext bounded(opening);
  Buffer bytes;
  // What opens a stream has nothing to say but its headers.
  Result<void> written = messages_.write({}, bytes);
  if (written && kind_ == rpc::MethodKind::kServerStream) written = messages_.write(request, bytes);
  if (!written) co_return written;
  Result<std::unique_ptr<MucpSocket>> connected = co_await node_.connect(bounded.get());
  if (bounded.get().cancelled()) co_return fail(opening.cut_off(bounded.get(), {}, "no connection to " + node_.address()));
  if (!connected) {
    progress_ = retry::Progress::kNotSent;
    co_return fail(std::move(connected.error()));
  }
  socket_ = std::move(*connected);
  context.begin_calling(node_.address(), socket_->identity());
  closer_.link(
      bounded_.get().cancellation(), [](void* self, const Error&) { static_cast<MucpSocket*>(self)->close(); }, socket_.get());
  CancelCallback closer;
  closer.link(
      bounded.get().cancellation(), [](void* self, const Error&) { static_cast<MucpSocket*>(self)->close(); }, socket_.get());
  const Result<void> sent = co_await socket_->write(std::move(bytes));
  if (bounded.get().cancelled()) co_return fail(opening.cut_off(bounded.get(), {}, "the request was not taken"));
  if (sent) co_return sent;
  progress_ = retry::Progress::kNotSent;  // the node has not seen all of it
  co_return fail(messages_.at_node(sent.error().code(), sent.error().message()));
}

Error MucpStream::failure(const Error& error) {
  const std::string where = " at " + node_.address();
  if (bounded_.get().cancelled()) return info.cut_off(bounded_.get(), where, "not finished");
  return messages_.at_node(error.code(), error.message());
}

// Says EOS, as go-micro's client does when it closes a stream, unless the other side has ended it.
void MucpStream::end(Result<void> result) {
  if (result_) return;
  result_ = std::move(result);
  closer_.unlink();
  if (socket_) {
    Buffer farewell;
    if (!send_closed_ && !bounded_.get().cancelled()) (void)messages_.write_end(farewell);
    socket_->close_with(farewell.view());
  }
  holder_.leave();
}

Task<Result<bool>> MucpStream::read(codec::MessageRef message) {
  if (result_ && !*result_) co_return fail(result_->error());
  if (result_) co_return false;
  const Result<void> got = co_await socket_->read();
  // A write may have found the end meanwhile.
  if (result_ && !*result_) co_return fail(result_->error());
  if (!got || bounded_.get().cancelled()) {
    end(fail(failure(got ? cancelled("") : got.error())));
    co_return fail(result_->error());
  }
  bool answered = false;
  const Result<bool> more = messages_.read(socket_->head(), socket_->body(), message, answered);
  if (more && *more) co_return true;
  if (!more) {
    end(fail(more.error()));
    co_return fail(more.error());
  }
  end({});
  co_return false;
}

Task<Result<void>> MucpStream::send(Buffer bytes) {
  const Result<void> sent = co_await socket_->write(std::move(bytes));
  if (sent && !bounded_.get().cancelled()) co_return sent;
  if (result_ && !*result_) co_return fail(result_->error());
  // Why it ended may have come before the end: that is for the reader.
  co_return fail(failure(sent ? cancelled("") : sent.error()));
}

Task<Result<void>> MucpStream::write(codec::MessageRef message) {
  if (result_ && !*result_) co_return fail(result_->error());
  if (result_) co_return fail(cancelled(info.name() + ": the service has ended the call and reads no more"));
  if (send_closed_ || kind_ == rpc::MethodKind::kServerStream) {
    co_return fail(failed_precondition(info.name() + ": nothing can be written any more on this stream"));
  }
  Buffer bytes;
  if (Result<void> written = messages_.write(message, bytes); !written) co_return written;
  co_return co_await send(std::move(bytes));
}

Task<Result<void>> MucpStream::close_send() {
  // A server stream sends no end: go-micro's server would not say then when it has ended.
  if (send_closed_ || result_ || kind_ == rpc::MethodKind::kServerStream) co_return Result<void>{};
  Buffer bytes;
  if (Result<void> written = messages_.write_end(bytes); !written) co_return written;
  send_closed_ = true;
  co_return co_await send(std::move(bytes));
}

Task<Result<void>> MucpStream::finish(codec::MessageRef reply) {
  Result<void> closed = co_await close_send();
  if (!closed) co_return closed;
  const Result<bool> first = co_await read(reply);
  if (!first) co_return fail(first.error());
  if (!*first) co_return fail(internal(info.name() + ": the end of the stream without a reply"));
  end({});
  co_return Result<void>{};
}

}  // namespace micro::client
