#include "pump.hpp"

#include <string>
#include <utility>

#include <micro/bytes/buffer.hpp>
#include <micro/coro/when_all.hpp>

namespace micro::dynamic {

Pump::Pump(Context& context, rpc::MessageStream& stream, const codec::DynamicMethod& method, const codec::JsonCodec& json,
           JsonSource& source, JsonSink& sink)
    : context_(context), stream_(stream), method_(method), json_(json), source_(source), sink_(sink) {}

Task<Result<void>> Pump::run() {
  if (method_.client_streaming) {
    co_await when_all(send(), receive());
  } else {
    co_await receive();
  }
  co_return std::move(*result_);
}

void Pump::end(Result<void> result) {
  if (result_) return;
  result_ = std::move(result);
  context_.cancel(cancelled("the call has ended"));
}

Task<void> Pump::send() {
  Result<void> sent = co_await send_all();
  // CANCELLED: the call was over before, and the receiving side knows how it ended.
  if (!sent && sent.error().code() != Code::kCancelled) end(std::move(sent));
}

Task<void> Pump::receive() {
  Result<void> received = co_await receive_all();
  end(std::move(received));
}

Task<Result<void>> Pump::send_all() {
  const codec::MessagePtr message(*method_.input);
  for (int count = 1;; ++count) {
    Result<std::optional<std::string>> next = co_await source_.next(context_);
    if (!next) {
      // Whatever its code, an error of the source ends the call; after the end of the call it means nothing.
      end(fail(std::move(next.error())));
      co_return Result<void>{};
    }
    if (!*next) co_return co_await stream_.close_send();
    Result<void> read = json_.unmarshal(**next, message.get());
    if (!read) co_return fail(std::move(read.error()).with_context("message " + std::to_string(count)));
    Result<void> written = co_await stream_.write(message.get());
    if (!written) co_return written;
  }
}

Task<Result<void>> Pump::receive_all() {
  const codec::MessagePtr message(*method_.output);
  Buffer text;
  int count = 0;
  while (true) {
    const Result<bool> more = co_await stream_.read(message.get());
    if (!more) co_return fail(more.error());
    if (!*more) break;
    if (++count > 1 && !method_.server_streaming) co_return fail(internal(method_.name + ": more than one reply, which has one"));
    text.clear();
    Result<void> encoded = json_.marshal(message.get(), text);
    if (!encoded) co_return encoded;
    Result<void> put = co_await sink_.put(context_, std::string(text.view()));
    if (!put) co_return put;
  }
  if (count == 0 && !method_.server_streaming) co_return fail(internal(method_.name + ": status OK without a reply"));
  co_return Result<void>{};
}

}  // namespace micro::dynamic
