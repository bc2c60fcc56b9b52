#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <micro/loop/timer.hpp>
#include <micro/mdns/registry.hpp>
#include <micro/registry/back_end.hpp>

#include "network.hpp"
#include "node_record.hpp"

namespace micro::mdns {

// What a registry does on its own loop: answers for its nodes, asks for those of others, and follows them for watchers.
class Core final : private Network::Listener {
 public:
  using Key = std::pair<std::string, std::string>;  // service, node id

  Core(Loop& loop, const Registry::Options& options);

  Result<void> put(const registry::Service& service, Duration ttl);
  void remove(const registry::Service& service);
  // The nodes of `service`, of all services when it is empty, as merge() wants them.
  Task<Result<std::vector<registry::Service>>> look(Context& context, std::string service);
  // Looks, and tells the queue of every change to what was seen. The id is for unwatch().
  Task<Result<std::uint64_t>> watch(Context& context, std::string service, std::shared_ptr<registry::WatchQueue> queue);
  void unwatch(std::uint64_t id) { watches_.erase(id); }
  void expire();
  // Says that the own nodes leave, fails the watchers and ends the sockets.
  Task<void> close();

 private:
  // A node of this registry.
  struct Own {
    Published node;
    std::optional<TimePoint> expiry{};  // by the time source
    int announced = 0;                  // times
    TimePoint next_announcement{};
  };
  // A question under way.
  struct Lookup {
    std::string service;  // empty: all
    std::map<Key, registry::Service> found{};
    std::set<Name> asked{};
    TimePoint until{};
  };
  struct Followed {
    registry::Service record;
    bool heard = true;  // since the last poll
    int missed = 0;     // polls in a row
  };
  struct Watch {
    std::string service;
    std::shared_ptr<registry::WatchQueue> queue;
    std::map<Key, Followed> known{};
    bool wants(const std::string& name) const { return service.empty() || service == name; }
  };

  void on_question(const Message& message) override;
  void on_group(const Message& message) override;
  void on_answer(const Message& message) override;

  TimePoint now() const;
  bool expired(const Own& own) const { return own.expiry && *own.expiry <= now(); }
  Result<void> ask(const Name& name);
  void ask_for(Lookup& lookup, const Name& service);
  void hear(const Message& message, bool answer);
  void follow(const registry::Service& record);
  void unfollow(const Key& key);
  void leave(std::map<Key, Own>::iterator own);
  void announce(Own& own);
  void announce_due();
  void set_announcement_timer();
  void set_expiry_timer();
  void set_poll_timer();
  void poll();
  void count_missed();

  Loop& loop_;
  const Registry::Options options_;
  const Name domain_;
  const Name host_;
  Network network_;
  std::map<Key, Own> own_;
  // Nodes that left a moment ago: what was under way when they did so, answers above all, would bring them back.
  struct Gone {
    TimePoint until;
    bool own;
  };
  std::map<Key, Gone> gone_;
  std::set<Lookup*> lookups_;
  std::map<std::uint64_t, Watch> watches_;
  std::uint64_t last_watch_ = 0;
  Timer announcements_;
  Timer expiries_;
  Timer polls_;
  Timer poll_ends_;
};

}  // namespace micro::mdns
