#include "core.hpp"

#include <algorithm>
#include <utility>

#include <micro/coro/when_all.hpp>
#include <micro/id/id.hpp>
#include <micro/loop/loop.hpp>
#include <micro/registry/records.hpp>
#include <micro/uri/uri.hpp>

#include "answer.hpp"

namespace micro::dns {
namespace {

using registry::Service;

// Services that were asked for once and are not watched are remembered until there are so many.
constexpr std::size_t kMaxUnused = 1024;

Duration random_below(Duration limit) {
  return Duration(
      static_cast<Duration::rep>(fast_random() % static_cast<std::uint64_t>(std::max<Duration::rep>(limit.count(), 1))));
}

}  // namespace

std::string name_of(const std::string& service, const Registry::Options& options) {
  if (service.ends_with('.')) return service;
  std::string name = service;
  if (options.port == 0 && !options.prefix.empty()) name = options.prefix + "." + name;
  if (!options.domain.empty()) name += "." + options.domain;
  return name;
}

Core::Core(Loop& loop, const Registry::Options& options)
    : loop_(loop),
      options_(options),
      resolver_(loop, {.servers = options.servers, .timeout = options.timeout, .tries = options.tries}) {}

std::shared_ptr<Core::Entry> Core::entry_of(const std::string& service) {
  if (entries_.size() >= kMaxUnused) {
    std::erase_if(entries_, [&](const auto& each) {
      const Entry& entry = *each.second;
      return entry.watched == 0 && !entry.asking && loop_.now() >= entry.fresh_until;
    });
  }
  auto& entry = entries_[service];
  if (entry == nullptr) {
    entry = std::make_shared<Entry>(service);
    entry->core = this;
  }
  return entry;
}

Task<Result<std::vector<Service>>> Core::get(Context& context, std::string service) {
  const std::shared_ptr<Entry> entry = entry_of(service);
  if (!entry->known || loop_.now() >= entry->fresh_until) {
    ask(entry);
    const Result<void> waited = co_await entry->answered.wait(context);
    if (!waited) co_return fail(waited.error());
  }
  if (entry->failure && entry->records.empty()) co_return fail(*entry->failure);
  co_return entry->records;
}

std::vector<Service> Core::list() const {
  std::vector<Service> records;
  for (const auto& [service, entry] : entries_) records.insert(records.end(), entry->records.begin(), entry->records.end());
  return records;
}

Task<Result<std::uint64_t>> Core::watch(Context& context, std::string service, std::shared_ptr<registry::WatchQueue> queue) {
  if (!service.empty()) {
    const std::shared_ptr<Entry> entry = entry_of(service);
    ++entry->watched;
    auto present = co_await get(context, service);
    if (!present) {
      release(*entry);
      co_return fail(std::move(present.error()));
    }
    if (!entry->asking && !entry->timer.pending()) {
      ask_later(*entry, std::max(entry->fresh_until - loop_.now(), Duration::zero()));
    }
  }
  const std::uint64_t id = ++last_watch_;
  watches_.emplace(id, Watch{.service = std::move(service), .queue = std::move(queue)});
  co_return id;
}

void Core::unwatch(std::uint64_t id) {
  const auto watch = watches_.extract(id);
  if (watch && !watch.mapped().service.empty()) release(*entries_.at(watch.mapped().service));
}

void Core::release(Entry& entry) {
  if (--entry.watched == 0) entry.timer.cancel();
}

void Core::ask(const std::shared_ptr<Entry>& entry) {
  if (std::exchange(entry->asking, true)) return;
  entry->answered.reset();
  spawn(ask_and_keep(entry, gate_.enter()));
}

Task<void> Core::ask_and_keep(std::shared_ptr<Entry> entry, Gate::Holder) {
  auto found = co_await find(entry->service);
  entry->asking = false;
  if (!life_.cancelled()) {
    keep(*entry, std::move(found));
  } else if (!found) {
    entry->failure = std::move(found.error());
  }
  entry->answered.set();
}

Task<Result<Core::Found>> Core::find(std::string service) {
  const std::string name = name_of(service, options_);
  Found found{.records = {}, .ttl = options_.max_refresh};
  if (options_.port != 0) {
    const registry::Properties no_metadata;
    auto done = co_await find_hosts(service, name, options_.port, no_metadata, found);
    if (!done) co_return fail(std::move(done.error()));
  } else {
    auto message = co_await resolver_.ask(life_, name, Resolver::Type::kSrv);
    if (!message) co_return fail(std::move(message.error()));
    if (!message->empty()) {
      auto targets = read_targets(*message);
      if (!targets) co_return fail(std::move(targets.error()));
      found.ttl = std::min(found.ttl, time_to_live(*message).value_or(options_.min_refresh));
      for (const Target& target : *targets) {
        registry::Properties metadata{
            {"host", target.host}, {"priority", std::to_string(target.priority)}, {"weight", std::to_string(target.weight)}};
        auto done = co_await find_hosts(service, target.host, target.port, std::move(metadata), found);
        if (!done) co_return fail(std::move(done.error()));
      }
    }
  }
  if (found.records.empty()) found.ttl = options_.min_refresh;
  found.ttl = std::clamp(found.ttl, options_.min_refresh, std::max(options_.min_refresh, options_.max_refresh));
  co_return found;
}

Task<Result<void>> Core::find_hosts(const std::string& service, std::string host, std::uint16_t port,
                                    registry::Properties metadata, Found& found) {
  for (const Resolver::Type type : {Resolver::Type::kA, Resolver::Type::kAaaa}) {
    auto message = co_await resolver_.ask(life_, host, type);
    if (!message) co_return fail(std::move(message.error()));
    if (message->empty()) continue;
    auto addresses = read_addresses(*message, type == Resolver::Type::kAaaa);
    if (!addresses) co_return fail(std::move(addresses.error()));
    if (addresses->empty()) continue;
    found.ttl = std::min(found.ttl, time_to_live(*message).value_or(options_.min_refresh));
    for (const std::string& each : *addresses) {
      const std::string address = Address{.host = each, .port = port, .unix_path = {}}.to_string();
      registry::Node node{.id = service + "-" + address, .address = address, .metadata = metadata};
      if (metadata.empty()) registry::set_property(node.metadata, "host", host);
      const auto same = [&](const Service& record) { return record.nodes.front().id == node.id; };
      if (std::ranges::any_of(found.records, same)) continue;
      found.records.push_back({.name = service, .version = "latest", .nodes = {std::move(node)}});
    }
    break;
  }
  co_return Result<void>{};
}

void Core::keep(Entry& entry, Result<Found> found) {
  if (!found) {
    const bool new_outage = !entry.failure;
    entry.failure = std::move(found.error());
    const Duration least = std::max(options_.min_backoff, Duration(1));
    entry.backoff = std::clamp(entry.backoff * 2, least, std::max(least, options_.max_backoff));
    const Duration pause = entry.backoff - random_below(entry.backoff / 2);
    // The last list is as good as it gets until then.
    if (!entry.records.empty()) entry.fresh_until = loop_.now() + pause;
    if (entry.watched > 0) ask_later(entry, pause);
    if (!new_outage || !entry.known) return;
    const std::string why = entry.failure->message() + "; the last list stays";
    for (auto& [id, watch] : watches_) {
      if (watch.service == entry.service) watch.queue->fail(unavailable(why));
    }
    return;
  }
  entry.failure.reset();
  entry.backoff = Duration{};
  for (registry::Event& event : registry::differences(entry.records, found->records)) {
    for (auto& [id, watch] : watches_) {
      if (watch.service.empty() || watch.service == entry.service) watch.queue->push(event);
    }
  }
  entry.known = true;
  entry.records = std::move(found->records);
  entry.fresh_until = loop_.now() + found->ttl;
  if (entry.watched > 0) ask_later(entry, found->ttl);
}

// A little later than asked, so that what runs out together is not asked for together.
void Core::ask_later(Entry& entry, Duration pause) {
  auto due = [](void* argument) {
    auto* const self = static_cast<Entry*>(argument);
    self->core->ask(self->core->entries_.at(self->service));
  };
  entry.timer.set(loop_, loop_.now() + pause + random_below(pause / 10), due, &entry);
}

Task<void> Core::close() {
  life_.cancel(cancelled("the dns registry was closed"));
  for (auto& [service, entry] : entries_) entry->timer.cancel();
  for (auto& [id, watch] : watches_) watch.queue->fail(unavailable("the dns registry was closed"));
  watches_.clear();
  co_await resolver_.close();
  co_await gate_.close();
}

}  // namespace micro::dns
