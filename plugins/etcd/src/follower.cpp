#include "follower.hpp"

#include <algorithm>
#include <utility>

#include <micro/coro/sleep.hpp>
#include <micro/id/id.hpp>
#include <micro/loop/timer.hpp>

#include "etcd.pb.h"

namespace micro::etcd {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(50);
constexpr Duration kLongestPause = std::chrono::seconds(1);

// So that the watchers of a server that comes back do not all ask at once.
Duration jittered(Duration pause) {
  return pause - Duration(static_cast<Duration::rep>(fast_random() % static_cast<std::uint64_t>(pause.count() / 2 + 1)));
}

}  // namespace

Task<Result<void>> Follower::list(Context& context) {
  const wire::RangeRequest request = range_of(decoder_.layout().prefix(service_));
  wire::RangeResponse reply;
  Result<void> done = co_await session_.call(context, kRange, request, reply);
  if (!done) co_return done;
  revision_ = reply.header().revision();
  stale_ = false;
  if (!std::exchange(listed_, true)) {
    for (const wire::KeyValue& pair : reply.kvs()) {
      if (auto record = decoder_.read(pair, service_))
        known_.try_emplace(pair.key(), Known{std::move(*record), pair.mod_revision(), pair.lease()});
    }
    co_return done;
  }
  // What is new first, so that a service whose nodes were all replaced is never seen empty.
  std::map<std::string, Known> gone = known_;
  for (const wire::KeyValue& pair : reply.kvs()) {
    gone.erase(pair.key());
    put(pair);
  }
  for (const auto& [key, known] : gone) erase(key);
  co_return done;
}

Task<void> Follower::run(std::shared_ptr<Follower> self, Gate::Holder) {
  Duration pause = kFirstPause;
  bool first = true;
  while (!self->life_.cancelled()) {
    Result<void> ended;
    if (!std::exchange(first, false)) ended = co_await self->catch_up();
    if (ended) ended = co_await self->stream();
    if (self->life_.cancelled()) break;
    ++self->session_.counters.watches_broken;
    if (!ended && ended.error().code() == Code::kUnauthenticated) self->session_.forget_token();
    if (std::exchange(self->heard_, false)) pause = kFirstPause;
    (void)co_await sleep(self->life_, jittered(pause));
    pause = std::min(pause * 2, kLongestPause);
  }
}

Task<Result<void>> Follower::catch_up() {
  if (!stale_) {
    const Result<History> found = co_await history();
    if (!found) co_return fail(found.error());
    if (*found == History::kAnother) {
      session_.note_lost_data();
      queue_->fail(unavailable(session_.describe() + " has lost its data"));
      stop();
      co_return fail(cancelled("the watcher was told that changes were missed"));
    }
    stale_ = *found == History::kCompacted;
  }
  if (!stale_) co_return Result<void>{};
  ++session_.counters.relists;
  co_return co_await list(life_);
}

// A server that lost its data counts revisions from the start, so going on where we were would miss what happened since, or wait
// for ever. One key as it was at our revision shows it: leases have numbers that do not come again.
Task<Result<Follower::History>> Follower::history() {
  if (known_.empty()) co_return History::kCompacted;  // nothing to lose, and as little to read
  const auto& [key, known] = *known_.begin();
  const Known was = known;
  wire::RangeRequest request;
  request.set_key(key);
  request.set_revision(revision_);
  wire::RangeResponse reply;
  const Result<void> done = co_await session_.call(life_, kRange, request, reply);
  if (!done && done.error().code() == Code::kOutOfRange) {
    co_return done.error().message().contains("compacted") ? History::kCompacted : History::kAnother;
  }
  if (!done) co_return fail(done.error());
  if (reply.kvs_size() != 1) co_return History::kAnother;
  const wire::KeyValue& pair = reply.kvs(0);
  const bool same = pair.mod_revision() == was.revision && pair.lease() == was.lease;
  co_return same&& decoder_.read(pair, service_) == was.record ? History::kThere : History::kAnother;
}

Task<Result<void>> Follower::stream() {
  Context context(life_);
  Timer patience;
  const auto give_up = [](void* c) { static_cast<Context*>(c)->cancel(unavailable("the server does not begin the watch")); };
  patience.set(session_.loop(), session_.loop().now() + session_.timeout(), give_up, &context);
  Result<Session::Opened> opened = co_await session_.open(context, kWatch);
  if (!opened) co_return fail(std::move(opened.error()));
  const Session::Lifeline lifeline(session_, opened->endpoint, context);

  const wire::RangeRequest range = range_of(decoder_.layout().prefix(service_));
  wire::WatchRequest request;
  wire::WatchCreateRequest& create = *request.mutable_create_request();
  create.set_key(range.key());
  create.set_range_end(range.range_end());
  create.set_start_revision(revision_ + 1);
  create.set_fragment(true);
  Result<void> written = co_await opened->stream->write(codec::ref(request));
  if (!written) co_return written;

  wire::WatchResponse response;
  while (true) {
    const Result<bool> read = co_await opened->stream->read(codec::ref(response));
    if (!read || !*read) {
      session_.turn_away(opened->endpoint);
      co_return fail(read ? unavailable("the server ended the watch") : read.error());
    }
    patience.cancel();
    Result<void> received = receive(response);
    if (!received) co_return received;
  }
}

Result<void> Follower::receive(const wire::WatchResponse& response) {
  if (response.canceled()) {
    stale_ = response.compact_revision() > 0;
    const std::string& reason = response.cancel_reason();
    if (reason.contains("auth token")) return fail(unauthenticated(reason));
    return fail(unavailable("the server ended the watch: " + reason));
  }
  heard_ = true;
  for (const wire::Event& event : response.events()) apply(event);
  // The events of one revision may come in several fragments, of which the last may be missing. Those that were seen already
  // change nothing.
  if (response.events_size() != 0) {
    const std::int64_t last = response.events(response.events_size() - 1).kv().mod_revision();
    revision_ = response.fragment() ? last - 1 : last;
  }
  return {};
}

void Follower::apply(const wire::Event& event) {
  if (event.type() == wire::Event::DELETE)
    erase(event.kv().key());
  else
    put(event.kv());
}

void Follower::put(const wire::KeyValue& pair) {
  std::optional<registry::Service> record = decoder_.read(pair, service_);
  if (!record) return erase(pair.key());
  const auto [place, added] = known_.try_emplace(pair.key(), Known{*record, pair.mod_revision(), pair.lease()});
  if (added) return tell(registry::Change::kCreate, std::move(*record));
  const bool changed = place->second.record != *record;
  place->second = Known{*record, pair.mod_revision(), pair.lease()};
  if (changed) tell(registry::Change::kUpdate, std::move(*record));
}

void Follower::erase(const std::string& key) {
  auto known = known_.extract(key);
  if (known) tell(registry::Change::kDelete, std::move(known.mapped().record));
}

void Follower::tell(registry::Change change, registry::Service record) {
  queue_->push({.change = change, .service = std::move(record)});
}

void Follower::stop() { life_.cancel(cancelled("the watcher was stopped")); }

void Follower::close() {
  queue_->fail(unavailable("the etcd registry was closed"));
  stop();
}

}  // namespace micro::etcd
