#pragma once

#include <micro/codec/message.hpp>
#include <micro/error/error.hpp>
#include <micro/task/task.hpp>

namespace micro::rpc {

// The two directions of a streaming call, as either side sees them, without types. One read and one write may be under way at
// the same time, not two of a kind.
//
// Flow control: write() waits while the peer does not take what was written before; messages nobody reads hold the peer back.
// Cancellation: ends with the context of the call. Thread safety: the loop of the call.
class MessageStream {
 public:
  virtual ~MessageStream() = default;
  // Reads the next message into `message`: true when there is one, false when the peer has finished without error (a client
  // has then received status OK); an Error when the call failed, was cancelled, or the message is broken or too large.
  virtual Task<Result<bool>> read(codec::MessageRef message) = 0;
  // Sends one message; the reference need only be valid until the task has been awaited.
  virtual Task<Result<void>> write(codec::MessageRef message) = 0;
  // On a client: no more messages follow. On a server it does nothing: the stream ends when the handler returns.
  virtual Task<Result<void>> close_send() = 0;
};

}  // namespace micro::rpc
