#include "registration.hpp"

#include <algorithm>

#include <micro/coro/sleep.hpp>

namespace micro {
namespace {

// One question to the registry must not take longer, or the next renewal comes late.
constexpr Duration kTimeout = std::chrono::seconds(5);
// After a failed renewal; the record may be gone already.
constexpr Duration kRetry = std::chrono::seconds(1);

}  // namespace

Registration::Registration(registry::Registry& registry, registry::Service record, Options options, log::Logger& logger)
    : registry_(registry), record_(std::move(record)), options_(options), logger_(logger) {}

Task<Result<void>> Registration::register_once() {
  Context context(life_);
  context.set_timeout(kTimeout);
  registry::RegisterOptions options;
  options.ttl = options_.ttl;
  co_return co_await registry_.register_service(context, record_, options);
}

Task<Result<void>> Registration::start() {
  Result<void> done = co_await register_once();
  if (!done && done.error().reason() == registry::kReadOnly) {
    logger_.warn("not registered: the registry is read-only",
                 {{"registry", registry_.describe()}, {"error", done.error().message()}});
    co_return Result<void>{};
  }
  const bool partly = !done && done.error().reason() == registry::kPartlyRegistered;
  if (!done && !partly) co_return done;
  if (partly) {
    logger_.warn("registered in some registries only; trying the others again",
                 {{"registry", registry_.describe()}, {"error", done.error().message()}});
  }
  registered_ = true;
  spawn(renew(gate_.enter(), partly));
  co_return Result<void>{};
}

Task<void> Registration::renew(Gate::Holder, bool failing) {
  Duration pause = failing ? std::min(kRetry, options_.interval) : options_.interval;
  while (co_await sleep(life_, pause)) {
    const Result<void> done = co_await register_once();
    if (life_.cancelled()) break;
    if (done && failing) logger_.info("registered again", {{"registry", registry_.describe()}});
    if (!done && !failing) {
      logger_.warn("cannot renew the registration; trying again",
                   {{"registry", registry_.describe()}, {"error", done.error().message()}});
    }
    failing = !done;
    pause = failing ? std::min(kRetry, options_.interval) : options_.interval;
  }
}

Task<bool> Registration::stop() {
  life_.cancel(cancelled("the service is stopping"));
  co_await gate_.close();
  if (!registered_) co_return false;
  registered_ = false;
  Context context;
  context.set_timeout(kTimeout);
  const Result<void> done = co_await registry_.deregister_service(context, record_);
  if (!done) logger_.warn("cannot leave the registry", {{"registry", registry_.describe()}, {"error", done.error().message()}});
  co_return true;
}

}  // namespace micro
