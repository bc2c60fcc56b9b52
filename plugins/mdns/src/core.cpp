#include "core.hpp"

#include <unistd.h>

#include <algorithm>
#include <climits>

#include <micro/coro/sleep.hpp>
#include <micro/id/id.hpp>

namespace micro::mdns {
namespace {

using registry::Change;
using registry::Service;
using std::chrono::seconds;

// When a new or changed node is announced: at once, and for those who missed it (RFC 6762, section 8.3, and go-micro's times).
constexpr Duration kAnnouncementPauses[] = {seconds(1), seconds(2)};
constexpr int kAnnouncements = 3;
// How long answers that were under way may bring back a node that has left.
constexpr Duration kGone = seconds(1);
// Of a poll: who has not answered by then has missed it.
constexpr Duration kPollTime = seconds(1);
// Listing goes on while new services turn up, but not for ever.
constexpr int kMaxListingRounds = 4;

Name host_name() {
  char text[HOST_NAME_MAX + 1] = "";
  if (::gethostname(text, sizeof text - 1) != 0 || text[0] == '\0') return {"localhost"};
  return labels_of(text);
}

Message question_for(Name name) { return {.questions = {{.name = std::move(name)}}}; }

}  // namespace

Core::Core(Loop& loop, const Registry::Options& options)
    : loop_(loop),
      options_(options),
      domain_(labels_of(options.domain)),
      host_(host_name()),
      network_(loop, *this, {.group_four = options.group_four, .group_six = options.group_six, .port = options.port}) {}

TimePoint Core::now() const { return options_.time != nullptr ? options_.time->now() : Clock::now(); }

// Own nodes.

Result<void> Core::put(const Service& service, Duration ttl) {
  if (auto opened = network_.open(); !opened) return opened;
  std::vector<Published> nodes;
  for (const registry::Node& node : service.nodes) {
    Service record = service;
    record.nodes = {node};
    auto published = publish(record, domain_, host_);
    if (!published) return fail(std::move(published.error()));
    nodes.push_back(std::move(*published));
  }
  for (Published& node : nodes) {
    const Key key(service.name, node.record.nodes.front().id);
    const auto [own, added] = own_.try_emplace(key);
    const bool changed = added || own->second.node.record != node.record;
    own->second.expiry.reset();
    if (ttl > Duration::zero()) own->second.expiry = now() + ttl;
    if (!changed) continue;
    gone_.erase(key);
    own->second.node = std::move(node);
    own->second.announced = 0;
    announce(own->second);
    follow(own->second.node.record);
  }
  set_announcement_timer();
  set_expiry_timer();
  return {};
}

void Core::remove(const Service& service) {
  for (const registry::Node& node : service.nodes) {
    const auto own = own_.find(Key(service.name, node.id));
    if (own != own_.end()) leave(own);
  }
}

void Core::leave(std::map<Key, Own>::iterator own) {
  const Key key = own->first;
  Message goodbye{.flags = kResponse, .answers = instance_records(own->second.node, domain_, host_, 0)};
  own_.erase(own);
  gone_.insert_or_assign(key, Gone{.until = loop_.now() + kGone, .own = true});
  (void)network_.tell(goodbye);  // who does not hear it finds out by asking
  unfollow(key);
}

void Core::expire() {
  for (auto own = own_.begin(); own != own_.end();) {
    const auto here = own++;
    if (expired(here->second)) leave(here);
  }
  set_expiry_timer();
}

void Core::set_expiry_timer() {
  std::optional<TimePoint> next;
  for (const auto& [key, own] : own_) {
    if (own.expiry && (!next || *own.expiry < *next)) next = own.expiry;
  }
  if (!next) return expiries_.cancel();
  const TimePoint when = loop_.now() + (*next - now());
  expiries_.set(loop_, when, [](void* self) { static_cast<Core*>(self)->expire(); }, this);
}

void Core::announce(Own& own) {
  // A machine that is between two networks announces when it is asked next.
  (void)network_.tell({.flags = kResponse, .answers = instance_records(own.node, domain_, host_, kRecordTtl)});
  if (++own.announced < kAnnouncements) own.next_announcement = loop_.now() + kAnnouncementPauses[own.announced - 1];
}

void Core::announce_due() {
  for (auto& [key, own] : own_) {
    if (own.announced < kAnnouncements && own.next_announcement <= loop_.now()) announce(own);
  }
  set_announcement_timer();
}

void Core::set_announcement_timer() {
  std::optional<TimePoint> next;
  for (const auto& [key, own] : own_) {
    if (own.announced < kAnnouncements && (!next || own.next_announcement < *next)) next = own.next_announcement;
  }
  if (!next) return announcements_.cancel();
  announcements_.set(loop_, *next, [](void* self) { static_cast<Core*>(self)->announce_due(); }, this);
}

// As go-micro answers: a message of its own for each node, with the question in it, to the one who asked.
void Core::on_question(const Message& message) {
  const Name enumeration = Name{kServices, "_dns-sd", "_udp"} + domain_;
  const Name listing = Name{kServices} + domain_;
  for (const Question& question : message.questions) {
    Message answer{.flags = kResponse | kAuthoritative, .questions = message.questions};
    if ((question.cls & kUnicastWanted) != 0) answer.id = message.id;
    const auto is = [&](Type type) { return question.type == type || question.type == Type::kAny; };
    std::set<Name> listed;
    for (const auto& [key, own] : own_) {
      if (expired(own)) continue;
      const Name service = own.node.service + domain_;
      if (question.name == service && is(Type::kPtr)) {
        answer.answers = service_records(own.node, domain_, host_);
      } else if (question.name == own.node.instance + service && (is(Type::kSrv) || is(Type::kTxt))) {
        answer.answers = instance_records(own.node, domain_, host_, kRecordTtl);
      } else if (question.name == listing && is(Type::kPtr) && listed.insert(service).second) {
        answer.answers = listing_records(own.node.service, domain_, host_);
      } else if (question.name == enumeration && is(Type::kPtr) && listed.insert(service).second) {
        answer.answers = {{.name = enumeration, .type = Type::kPtr, .ttl = kRecordTtl, .target = service}};
      } else {
        continue;
      }
      network_.reply(answer);
    }
  }
}

// The nodes of others.

Result<void> Core::ask(const Name& name) { return network_.ask(question_for(name + domain_)); }

void Core::ask_for(Lookup& lookup, const Name& service) {
  if (!lookup.asked.insert(service).second) return;
  (void)ask(service);
  lookup.until = loop_.now() + options_.timeout;
}

Task<Result<std::vector<Service>>> Core::look(Context& context, std::string service) {
  if (auto opened = network_.open(); !opened) co_return fail(std::move(opened.error()));
  const Name name = service.empty() ? Name{kServices} : labels_of(service);
  Lookup lookup{.service = service};
  lookups_.insert(&lookup);
  Result<void> done = ask(name);
  // A name that no record can have is not there; the error of one is about the argument.
  if (!done && done.error().code() == Code::kInvalidArgument) done = Result<void>{};
  lookup.until = loop_.now() + options_.timeout;
  bool repeated = false;
  for (int round = 0; done && loop_.now() < lookup.until && round < kMaxListingRounds * 2; ++round) {
    const Duration left = lookup.until - loop_.now();
    done = co_await sleep(context, repeated ? left : left / 2);
    // Once more: datagrams get lost.
    if (done && !repeated) {
      repeated = true;
      (void)ask(name);
      for (const Name& each : lookup.asked) (void)ask(each);
    }
  }
  lookups_.erase(&lookup);
  if (!done) co_return fail(std::move(done.error()));
  for (const auto& [key, own] : own_) {
    if ((service.empty() || key.first == service) && !expired(own)) lookup.found.insert_or_assign(key, own.node.record);
  }
  std::vector<Service> records;
  for (auto& [key, record] : lookup.found) records.push_back(std::move(record));
  co_return records;
}

Task<Result<std::uint64_t>> Core::watch(Context& context, std::string service, std::shared_ptr<registry::WatchQueue> queue) {
  auto present = co_await look(context, service);
  if (!present) co_return fail(std::move(present.error()));
  Watch watch{.service = std::move(service), .queue = std::move(queue)};
  for (Service& record : *present) {
    const Key key(record.name, record.nodes.front().id);
    watch.known.emplace(key, Followed{.record = std::move(record)});
  }
  const std::uint64_t id = ++last_watch_;
  watches_.emplace(id, std::move(watch));
  if (!polls_.pending()) set_poll_timer();
  co_return id;
}

void Core::on_group(const Message& message) { hear(message, false); }

void Core::on_answer(const Message& message) {
  for (Lookup* lookup : lookups_) {
    if (!lookup->service.empty()) continue;
    for (const Name& service : heard_services(message, domain_)) ask_for(*lookup, service);
  }
  hear(message, true);
}

void Core::hear(const Message& message, bool answer) {
  std::erase_if(gone_, [&](const auto& entry) { return entry.second.until <= loop_.now(); });
  for (const Heard& heard : heard_nodes(message, domain_)) {
    const Key key(heard.record.name, heard.record.nodes.front().id);
    const auto gone = gone_.find(key);
    // Of ourselves we know better.
    if (own_.contains(key) || (gone != gone_.end() && gone->second.own)) continue;
    if (heard.leaving) {
      for (Lookup* lookup : lookups_) lookup->found.erase(key);
      gone_.insert_or_assign(key, Gone{.until = loop_.now() + kGone, .own = false});
      unfollow(key);
      continue;
    }
    if (gone != gone_.end()) {
      // What the group hears comes in the order it was said, answers do not.
      if (answer) continue;
      gone_.erase(gone);
    }
    for (Lookup* lookup : lookups_) {
      if (lookup->service.empty() || lookup->service == key.first) lookup->found.insert_or_assign(key, heard.record);
    }
    follow(heard.record);
  }
}

void Core::follow(const Service& record) {
  const Key key(record.name, record.nodes.front().id);
  for (auto& [id, watch] : watches_) {
    if (!watch.wants(record.name)) continue;
    const auto [followed, added] = watch.known.try_emplace(key, Followed{.record = record});
    if (added) {
      watch.queue->push({.change = Change::kCreate, .service = record});
    } else if (followed->second.record != record) {
      followed->second.record = record;
      watch.queue->push({.change = Change::kUpdate, .service = record});
    }
    followed->second.heard = true;
    followed->second.missed = 0;
  }
}

void Core::unfollow(const Key& key) {
  for (auto& [id, watch] : watches_) {
    auto known = watch.known.extract(key);
    if (known) watch.queue->push({.change = Change::kDelete, .service = std::move(known.mapped().record)});
  }
}

// Polls: what tells of processes that ended without a word, and of announcements that were lost.

void Core::set_poll_timer() {
  const auto half = static_cast<std::uint64_t>(std::max<Duration::rep>(options_.poll_interval.count() / 2, 1));
  const Duration pause = options_.poll_interval * 3 / 4 + Duration(static_cast<Duration::rep>(fast_random() % half));
  polls_.set(loop_, loop_.now() + pause, [](void* self) { static_cast<Core*>(self)->poll(); }, this);
}

void Core::poll() {
  std::set<Name> services;
  for (auto& [id, watch] : watches_) {
    services.insert(watch.service.empty() ? Name{kServices} : labels_of(watch.service));
    for (auto& [key, followed] : watch.known) {
      services.insert(labels_of(key.first));
      followed.heard = false;
    }
  }
  if (services.empty()) return;  // until somebody watches again
  for (const Name& service : services) (void)ask(service);
  poll_ends_.set(
      loop_, loop_.now() + std::max(kPollTime, options_.timeout), [](void* self) { static_cast<Core*>(self)->count_missed(); },
      this);
}

void Core::count_missed() {
  std::set<Key> lost;
  for (auto& [id, watch] : watches_) {
    for (auto& [key, followed] : watch.known) {
      if (followed.heard || own_.contains(key)) continue;
      if (++followed.missed >= options_.missed_polls) lost.insert(key);
    }
  }
  for (const Key& key : lost) unfollow(key);
  if (!watches_.empty()) set_poll_timer();
}

Task<void> Core::close() {
  while (!own_.empty()) leave(own_.begin());
  for (auto& [id, watch] : watches_) watch.queue->fail(unavailable("the mdns registry was closed"));
  watches_.clear();
  for (Timer* timer : {&announcements_, &expiries_, &polls_, &poll_ends_}) timer->cancel();
  co_await network_.close();
}

}  // namespace micro::mdns
