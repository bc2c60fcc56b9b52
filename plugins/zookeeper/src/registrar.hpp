#pragma once

#include <map>
#include <memory>
#include <string>

#include <micro/coro/gate.hpp>
#include <micro/coro/mutex.hpp>
#include <micro/loop/timer.hpp>
#include <micro/registry/registry.hpp>

#include "paths.hpp"
#include "session.hpp"

namespace micro::zookeeper {

// What this registry has written: keeps it through sessions, and removes what is not renewed. Lives on the registry's loop.
class Registrar final : public Session::Observer {
 public:
  Registrar(Session& session, const Paths& paths) : session_(session), paths_(paths) { session_.add(*this); }
  ~Registrar() override { session_.remove(*this); }

  // Registers or renews every node of `service`; stops at the first that fails.
  Task<Result<void>> put(Context& context, registry::Service service, Duration ttl);
  Task<Result<void>> remove(Context& context, registry::Service service);
  Task<void> stop();

  void on_session(bool resumed) override;
  void on_change(std::string_view) override {}

 private:
  // A node; never forgotten, so that there is one of each. A process has few.
  struct Held {
    explicit Held(Registrar& o) : owner(o) {}
    Registrar& owner;
    Mutex mutex;  // one change of a node at a time
    std::string folder;
    std::string path;
    std::string value;
    bool registered = false;
    bool ephemeral = false;
    TimePoint until{};  // when it runs out
    Timer timer;
  };

  std::shared_ptr<Held> held(const std::string& service, const registry::Node& node);
  Task<Result<void>> write(Context& context, const Held& held);
  Task<Result<void>> make_folders(Context& context, const std::string& path);
  Task<void> restore(std::shared_ptr<Held> held, Gate::Holder holder);
  Task<void> expire(std::shared_ptr<Held> held, Gate::Holder holder);
  // Whether it is gone, or was never ours.
  Task<bool> erase_ours(Context& context, const Held& held);

  Session& session_;
  const Paths& paths_;
  std::map<std::string, std::shared_ptr<Held>> held_;  // by path
  Context life_;
  Gate gate_;
};

}  // namespace micro::zookeeper
