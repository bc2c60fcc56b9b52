#include "registration.hpp"

#include <algorithm>

#include <micro/coro/deadline.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/id/id.hpp>
#include <micro/registry/records.hpp>

namespace micro {
namespace {

// Shorter by up to one part in `parts`, at random: processes that were started together do not stay together.
Duration jittered(Duration pause, unsigned long long parts) {
  const auto most = static_cast<unsigned long long>(pause.count()) / parts;
  return pause - Duration(static_cast<Duration::rep>(fast_random() % (most + 1)));
}

}  // namespace

Registration::Registration(registry::Registry& registry, registry::Service record, Options options,
                           const std::vector<std::shared_ptr<Hook>>& hooks, log::Logger& logger)
    : registry_(registry), record_(std::move(record)), options_(options), hooks_(hooks), logger_(logger) {}

Task<Result<void>> Registration::check() {
  for (const auto& hook : hooks_) {
    Context context(life_);
    context.set_timeout(options_.timeout);
    const ContextDeadline deadline(context);
    Result<void> passed = co_await hook->register_check(context);
    if (!passed) co_return passed;
  }
  co_return Result<void>{};
}

Task<Result<void>> Registration::register_once() {
  Context context(life_);
  context.set_timeout(options_.timeout);
  registry::RegisterOptions options;
  options.ttl = options_.ttl;
  registered_ = true;
  co_return co_await registry_.register_service(context, record_, options);
}

Task<Result<void>> Registration::withdraw() {
  if (!registered_) co_return Result<void>{};
  Context context(life_);
  context.set_timeout(options_.timeout);
  Result<void> done = co_await registry_.deregister_service(context, record_);
  if (done) registered_ = false;
  co_return done;
}

Task<Result<void>> Registration::start() {
  const Result<void> fit = co_await check();
  Result<void> done;
  bool partly = false;
  if (fit) {
    done = co_await register_once();
    if (give_up(done)) co_return Result<void>{};
    partly = !done && done.error().reason() == registry::kPartlyRegistered;
    if (!done && !partly) {
      // Only an answer that did not come in time may stand for a record.
      registered_ = done.error().code() == Code::kDeadlineExceeded;
      co_return done;
    }
  }
  if (partly) {
    failing_ = true;
    logger_.warn("registered in some registries only; trying the others again",
                 {{"registry", registry_.describe()}, {"error", done.error().message()}});
  } else {
    tell(fit, done);
  }
  spawn(renew(gate_.enter()));
  co_return Result<void>{};
}

// Nobody can be registered in a registry that is only read.
bool Registration::give_up(const Result<void>& done) {
  if (done || done.error().reason() != registry::kReadOnly) return false;
  registered_ = false;
  logger_.warn("not registered: the registry is read-only",
               {{"registry", registry_.describe()}, {"error", done.error().message()}});
  return true;
}

Task<void> Registration::renew(Gate::Holder) {
  while (co_await sleep(life_, pause())) {
    const Result<void> fit = co_await check();
    if (life_.cancelled()) break;
    Result<void> done;
    if (fit) {
      done = co_await register_once();
    } else {
      done = co_await withdraw();
    }
    if (life_.cancelled() || give_up(done)) break;
    tell(fit, done);
  }
}

Duration Registration::pause() const {
  if (!unfit_ && !failing_) return jittered(options_.interval, 10);
  return jittered(std::min(options_.retry, options_.interval), 2);
}

void Registration::tell(const Result<void>& fit, const Result<void>& done) {
  const std::string registry = registry_.describe();
  if (!fit && !unfit_) {
    logger_.warn("the register check fails: not in the registry until it passes",
                 {{"registry", registry}, {"error", fit.error().message()}});
  }
  if (!done && !failing_) {
    logger_.warn(fit ? "cannot renew the registration; trying again" : "cannot leave the registry; trying again",
                 {{"registry", registry}, {"error", done.error().message()}});
  }
  if (fit && done && (unfit_ || failing_)) logger_.info("registered again", {{"registry", registry}});
  unfit_ = !fit;
  failing_ = !done;
}

Task<bool> Registration::stop() {
  life_.cancel(cancelled("the service is stopping"));
  co_await gate_.close();
  if (!registered_) co_return false;
  registered_ = false;
  Context context;
  context.set_timeout(options_.timeout);
  Result<void> done = co_await registry_.deregister_service(context, record_);
  // A client that has just noticed that its registry is back may still refuse the first try.
  for (int i = 0; i < 2 && !done; ++i) {
    if (!co_await sleep(context, options_.leave_retry * (1 + i))) break;
    done = co_await registry_.deregister_service(context, record_);
  }
  if (!done) {
    logger_.warn("cannot leave the registry; the record runs out after its time to live",
                 {{"registry", registry_.describe()}, {"error", done.error().message()}});
  }
  co_return true;
}

}  // namespace micro
