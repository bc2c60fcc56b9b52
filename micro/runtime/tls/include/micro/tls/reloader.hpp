#pragma once

#include <memory>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/task/task.hpp>
#include <micro/tls/credentials.hpp>

namespace micro::tls {

// Told what became of changed files, on the loop of the reloader.
class ReloadObserver {
 public:
  virtual ~ReloadObserver() = default;
  virtual void on_reloaded(const Credentials& credentials) = 0;
  // The old ones stay in use. Told once for each fault, not at every look.
  virtual void on_reload_failed(const Credentials& credentials, const Error& error) = 0;
};

// Looks every now and then whether the files of credentials have changed, and has them read again if so. Certificate and key are
// rarely replaced in one instant: a fault counts only when it is still there at the next look.
// Files are read off the loop. Thread safety: one loop.
class Reloader {
 public:
  // `observer` must outlive it.
  explicit Reloader(ReloadObserver& observer) : observer_(observer) {}
  void add(std::shared_ptr<Credentials> credentials);

  // Looks every `interval` until `life` is cancelled.
  Task<void> run(Context& life, Duration interval);
  // Looks once.
  Task<void> look();

 private:
  struct Watched {
    std::shared_ptr<Credentials> credentials;
    std::string fault;  // of the last look
    bool told = false;
  };
  ReloadObserver& observer_;
  std::vector<Watched> watched_;
};

}  // namespace micro::tls
