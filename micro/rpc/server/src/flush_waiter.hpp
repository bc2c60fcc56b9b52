#pragma once

namespace micro::rpc {

// Who paused because too much output of its connection waits for the socket.
class FlushWaiter {
 public:
  // The socket has taken all of it.
  virtual void flushed() = 0;

 protected:
  ~FlushWaiter() = default;
};

}  // namespace micro::rpc
