// What the load generators have in common: when to send, when it is over, and what is said at the end.
#pragma once

#include <sys/epoll.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "histogram.hpp"

namespace bench {

std::uint64_t now_ns();

// How much load, as the command line has it.
struct Plan {
  unsigned connections = 1;
  unsigned streams = 1;        // outstanding on each
  std::uint64_t requests = 0;  // in all; 0: no limit
  double seconds = 0;          // of sending; 0: no limit
  double rate = 0;             // requests per second in all; 0: as fast as they are answered
  std::string address;
};

// The whole run: how much is still to be sent, and what came back.
struct Run {
  std::uint64_t to_send;   // requests not yet sent
  unsigned streams;        // outstanding per connection
  bool scheduled = false;  // requests are sent when their time has come, not as soon as others are answered
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;
  std::uint64_t frames = 0;  // of replies, however far they are
  std::string first_failure;
  Histogram latency;
};

// Fills in what was not given. False: it makes no sense.
bool complete(Plan& plan);
Run make_run(const Plan& plan);

// Waits for events until `until_ns`, to the nanosecond: at 40,000 requests a second a millisecond is forty of them.
int wait_for_events(int epoll, std::vector<epoll_event>& events, std::uint64_t until_ns);

// One line of JSON; the exit status.
int report(const Plan& plan, const Run& run, double seconds, const char* program);

// Sends and receives until all is answered or the server has given up. A Connection has
//   on_event(events, now_ns)   handles what epoll reported, then sends as much as may be sent; `now_ns` is the time of the
//   wake-up schedule(when_ns)          a request whose time is `when_ns`: its latency counts from then, whenever it can be sent
//   send(now_ns)               sends what may be sent; on_event() does so, too
//   abandon(why)               gives up what is still outstanding
//   idle()                     nothing is outstanding
// Returns the seconds until the last reply.
template <class Connection>
double drive(const Plan& plan, Run& run, int epoll, std::vector<std::unique_ptr<Connection>>& connections) {
  constexpr std::uint64_t kDrainNs = 5'000'000'000;  // a server that has not answered by then has lost the request
  const std::uint64_t started = now_ns();
  const std::uint64_t stop_at = plan.seconds > 0 ? started + static_cast<std::uint64_t>(plan.seconds * 1e9) : UINT64_MAX;
  std::uint64_t last_reply = started;
  std::uint64_t seen = 0;
  std::uint64_t scheduled = 0;
  const auto time_of = [&](std::uint64_t request) { return started + static_cast<std::uint64_t>(request * 1e9 / plan.rate); };
  std::vector<epoll_event> events(256);
  while (true) {
    const std::uint64_t tick = now_ns() + 100'000'000;
    const std::uint64_t until = run.scheduled && run.to_send > 0 ? std::min(tick, time_of(scheduled)) : tick;
    const int ready = wait_for_events(epoll, events, until);
    const std::uint64_t now = now_ns();
    if (now >= stop_at) run.to_send = 0;
    for (; run.scheduled && run.to_send > 0 && time_of(scheduled) <= now; --run.to_send, ++scheduled) {
      Connection& connection = *connections[scheduled % connections.size()];
      connection.schedule(time_of(scheduled));
      connection.send(now);
    }
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      static_cast<Connection*>(event.data.ptr)->on_event(event.events, now);
    }
    if (run.frames + run.failed != seen) {
      seen = run.frames + run.failed;
      last_reply = now_ns();
    }
    const auto idle = [](const auto& connection) { return connection->idle(); };
    if (run.to_send == 0 && std::ranges::all_of(connections, idle)) break;
    if (now > last_reply && now - last_reply > kDrainNs) {
      for (auto& connection : connections) connection->abandon("no reply within 5 s");
      break;
    }
  }
  return static_cast<double>(last_reply - started) / 1e9;
}

}  // namespace bench
