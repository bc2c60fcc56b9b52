#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include <micro/context/context.hpp>
#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>
#include <micro/loop/timer.hpp>
#include <micro/task/task.hpp>
#include <micro/uri/uri.hpp>

namespace micro::client {

class MucpSocket;
class Slot;

// The connections of one loop to one node that speaks go-micro's own RPC. A unary call has one to itself and gives it back; the
// next call takes the one used last. go-micro's servers end a connection on which nothing is said in its first seconds, so none
// is opened before it is needed.
//
// Lives as long as a Snapshot lists the node.
class MucpNode {
 public:
  // `secure`: its connections speak TLS.
  MucpNode(Slot& slot, std::string address, bool secure);
  MucpNode(const MucpNode&) = delete;
  MucpNode& operator=(const MucpNode&) = delete;
  ~MucpNode();

  const std::string& address() const noexcept { return address_; }
  bool secure() const noexcept { return secure_; }
  void acquire() noexcept { ++uses_; }
  // The last one destroys the node.
  void release();

  // A connection that is idle and, as far as one can see, alive; else nullptr.
  std::unique_ptr<MucpSocket> take();
  // A new one. UNAVAILABLE says why there is none.
  Task<Result<std::unique_ptr<MucpSocket>>> connect(Context& context);
  void give_back(std::unique_ptr<MucpSocket> socket);

  // Whether it could not be reached a moment ago: other nodes are to be preferred. Now and then a call tries it again.
  bool failing(TimePoint now) const noexcept { return failing_ && now < retry_at_; }

 private:
  struct Idle {
    std::unique_ptr<MucpSocket> socket;
    TimePoint until;
  };
  void drop_old();
  void note(bool reached);

  Slot& slot_;
  const std::string address_;
  const bool secure_;
  const Result<Address> parsed_;
  std::size_t uses_ = 0;
  std::deque<Idle> idle_;  // the one used last is the last
  Timer timer_;
  bool failing_ = false;
  Duration pause_{};
  TimePoint retry_at_{};
};

}  // namespace micro::client
