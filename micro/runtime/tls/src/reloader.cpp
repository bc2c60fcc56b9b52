#include <micro/tls/reloader.hpp>

#include <utility>

#include <micro/coro/sleep.hpp>
#include <micro/offload/offload.hpp>

namespace micro::tls {

void Reloader::add(std::shared_ptr<Credentials> credentials) { watched_.push_back(Watched{std::move(credentials), {}, false}); }

Task<void> Reloader::run(Context& life, Duration interval) {
  while (co_await sleep(life, interval)) co_await look();
}

Task<void> Reloader::look() {
  for (Watched& each : watched_) {
    const auto reload = [credentials = each.credentials] { return credentials->reload(); };
    const Result<bool> reloaded = co_await offload(reload);
    if (reloaded) {
      each.fault.clear();
      each.told = false;
      if (*reloaded) observer_.on_reloaded(*each.credentials);
    } else if (each.fault != reloaded.error().message()) {
      each.fault = reloaded.error().message();
      each.told = false;
    } else if (!std::exchange(each.told, true)) {
      observer_.on_reload_failed(*each.credentials, reloaded.error());
    }
  }
}

}  // namespace micro::tls
