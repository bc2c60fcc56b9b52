#include "attempts.hpp"

#include <algorithm>

#include <micro/coro/sleep.hpp>
#include <micro/id/id.hpp>

#include "bounded_context.hpp"
#include "connection.hpp"
#include "node_pool.hpp"
#include "slot.hpp"

namespace micro::client {
namespace {

// What a node is to blame for, as far as a client can tell.
bool is_fault_of_node(Code code) {
  switch (code) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kInternal:
    case Code::kResourceExhausted:
    case Code::kUnknown:
    case Code::kDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace

Attempts::Attempts(const CallInfo& info, std::string_view service, const rpc::CallOptions& options)
    : info_(info), service_(service), options_(options) {}

Connection* Attempts::begin() {
  candidate_ = nullptr;
  if (choose() != Choice::kNode) return nullptr;
  return take();
}

Attempts::Choice Attempts::choose() {
  settle(selector::Outcome::kUnknown);
  Result<SnapshotRef> nodes = info_.slot.nodes(service_, options_.addresses);
  if (!nodes) {
    error_ = std::move(nodes.error());
    return Choice::kFailed;
  }
  if (!*nodes) return Choice::kUnknownService;
  snapshot_ = std::move(*nodes);
  Result<const selector::Candidate*> chosen = select();
  if (!chosen) {
    error_ = std::move(chosen.error());
    return Choice::kFailed;
  }
  candidate_ = *chosen;
  ticket_ = info_.slot.selector().begin(snapshot_->nodes(), *candidate_, info_.slot.loop().now());
  return Choice::kNode;
}

Result<const selector::Candidate*> Attempts::select() {
  Slot& slot = info_.slot;
  selector::Request request;
  request.filters = options_.filters;
  request.tried = tried_;
  request.key = options_.hash_key;
  const TimePoint now = slot.loop().now();
  if (slot.failing_nodes == 0) [[likely]]
    return slot.selector().select(snapshot_->nodes(), request, now);

  // Nodes that could not be reached are left alone, unless there is no other one, until a connect in the background succeeds.
  std::vector<std::string> avoided = tried_;
  for (std::size_t i = 0; i < snapshot_->size(); ++i) {
    const selector::Candidate& candidate = snapshot_->nodes().candidates[i];
    NodePool& pool = snapshot_->pool(i);
    const MucpRoute* const route = snapshot_->mucp(candidate);
    if (route != nullptr ? !route->node->failing(now) : !pool.failing()) continue;
    if (route == nullptr) pool.probe();
    avoided.push_back(candidate.node.id);
  }
  request.tried = avoided;
  Result<const selector::Candidate*> chosen = slot.selector().select(snapshot_->nodes(), request, now);
  if (!chosen || std::ranges::find(avoided, (*chosen)->node.id) == avoided.end()) return chosen;
  request.tried = tried_;
  return slot.selector().select(snapshot_->nodes(), request, now);
}

const MucpRoute* Attempts::mucp() const { return candidate_ == nullptr ? nullptr : snapshot_->mucp(*candidate_); }

Connection* Attempts::take() {
  if (mucp() != nullptr) {
    info_.slot.counters.attempts.add();
    return nullptr;
  }
  Connection* const connection = snapshot_->pool(*candidate_).take(std::exchange(granted_, false));
  if (connection != nullptr) info_.slot.counters.attempts.add();
  return connection;
}

Task<Result<void>> Attempts::ready() {
  BoundedContext bounded(info_);
  while (true) {
    while (candidate_ == nullptr) {
      if (error_) co_return fail(final_error(*error_, false));
      const Choice choice = choose();
      if (choice != Choice::kUnknownService) continue;
      const Result<void> found = co_await info_.slot.lookup(bounded.get(), service_);
      if (!found && bounded.get().cancelled()) co_return fail(out_of_time(bounded.get()));
      if (!found) co_return fail(final_error(found.error(), false));
    }
    // Its connections are not shared: nothing to wait for.
    if (mucp() != nullptr) co_return Result<void>{};
    NodePool& pool = snapshot_->pool(*candidate_);
    NodePool::Waiting waiting = pool.wait(bounded.get());
    const Result<void> room = co_await waiting;
    if (room) {
      granted_ = true;
      co_return Result<void>{};
    }
    if (bounded.get().cancelled()) co_return fail(out_of_time(bounded.get()));
    info_.slot.counters.attempts.add();
    mark(room);
    if (!again(room.error().code(), retry::Progress::kNotSent)) co_return fail(final_error(room.error(), false));
    candidate_ = nullptr;
  }
}

void Attempts::mark(const Result<void>& result) {
  const bool failed = !result && is_fault_of_node(result.error().code());
  settle(failed ? selector::Outcome::kFailed : selector::Outcome::kAnswered);
}

void Attempts::settle(selector::Outcome outcome) {
  if (ticket_.service == 0) return;
  info_.slot.selector().mark(ticket_, outcome, info_.slot.loop().now());
  ticket_ = {};
}

Duration Attempts::remaining() const { return info_.deadline ? *info_.deadline - info_.slot.loop().now() : Duration::max(); }

bool Attempts::again(Code code, retry::Progress progress) {
  if (info_.slot.stopping().cancelled() || info_.context.cancelled()) return false;
  retry::Attempt attempt;
  attempt.number = number_;
  attempt.progress = progress;
  attempt.idempotent = options_.idempotent;
  const retry::Decision decision = retry::decide(info_.slot.options().retry, attempt, code, remaining(), fast_random());
  if (!decision.retry) return false;
  ++number_;
  wait_ = decision.wait;
  tried_.push_back(candidate_->node.id);
  info_.slot.counters.retries.add();
  return true;
}

Task<Result<void>> Attempts::pause() {
  BoundedContext bounded(info_);
  Result<void> slept = co_await sleep(bounded.get(), wait_);
  if (!slept) co_return fail(out_of_time(bounded.get()));
  co_return slept;
}

Error Attempts::out_of_time(const Context& bounded) const {
  if (candidate_ == nullptr) {
    return info_.cut_off(bounded, {}, "the registry did not say where service \"" + std::string(service_) + "\" is");
  }
  return info_.cut_off(bounded, {}, "no connection to " + snapshot_->pool(*candidate_).address() + " with a free stream");
}

Error Attempts::final_error(const Error& error, bool answered) const {
  if (answered) return error;
  Error told = error;
  std::string name = info_.name();
  // Errors of a stream begin with the name of the call already.
  if (!error.message().starts_with(name)) told = std::move(told).with_context(name);
  if (number_ == 1) return told;
  Error counted(told.code(), told.reason(), told.message() + " (" + std::to_string(number_) + " attempts)");
  for (const auto& [key, value] : told.metadata()) counted.with(key, value);
  return counted;
}

}  // namespace micro::client
