#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/coro/gate.hpp>
#include <micro/error/error.hpp>
#include <micro/loop/timer.hpp>
#include <micro/task/task.hpp>

struct ares_channeldata;

namespace micro::dns {

// Asks DNS servers through c-ares, whose sockets and times are this loop's. Thread safety: one loop.
class Resolver {
 public:
  struct Options {
    std::vector<std::string> servers;
    Duration timeout;
    int tries;
  };
  enum class Type { kA = 1, kAaaa = 28, kSrv = 33 };

  Resolver(Loop& loop, Options options) : loop_(loop), options_(std::move(options)) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // Whether c-ares takes these servers; INVALID_ARGUMENT.
  static Result<void> check_servers(const std::vector<std::string>& servers);

  // The answer as it came; empty when the name does not exist or has no such record. UNAVAILABLE when no server says either.
  // When the context ends first, it returns at once; the question ends on its own.
  Task<Result<std::string>> ask(Context& context, std::string name, Type type);
  // Ends what is under way with CANCELLED, and the sockets.
  Task<void> close();

 private:
  struct Socket;
  struct Question;

  Result<void> open();
  Task<void> serve(std::shared_ptr<Socket> socket, Gate::Holder holder);
  void on_socket(int fd, bool readable, bool writable);
  void on_time();
  void set_timer();
  std::string servers() const;

  Loop& loop_;
  const Options options_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, std::shared_ptr<Socket>> sockets_;
  Timer timer_;
  Gate gate_;
  bool closed_ = false;
};

}  // namespace micro::dns
