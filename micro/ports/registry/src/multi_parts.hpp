#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <micro/coro/timeout.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/registry/multi.hpp>

// What the registry made of several and its watchers share.
namespace micro::registry {

using Registries = std::vector<std::shared_ptr<Registry>>;

// Records with one node each, by service and id.
using NodesByKey = std::map<std::pair<std::string, std::string>, Service>;
NodesByKey nodes_by_key(const std::vector<Service>& services);
// The nodes of several registries: of each id the record of the first that has it.
NodesByKey first_of_each(const std::vector<const NodesByKey*>& sources);

// A question to one registry, which gets `timeout` for it. `ask` is Task<Result<T>>(Registry&, Context&).
template <class T, class Ask>
Task<Result<T>> ask_one(std::shared_ptr<Registry> registry, Context& context, Duration timeout, Ask& ask) {
  const auto question = [&](Context& child) { return ask(*registry, child); };
  co_return co_await with_timeout(context, timeout, question);
}

// The same to all side by side; answers in the order of the registries.
template <class T, class Ask>
Task<std::vector<Result<T>>> ask_all(const Registries& registries, Context& context, Duration timeout, Ask& ask) {
  std::vector<Task<Result<T>>> questions;
  questions.reserve(registries.size());
  for (const auto& registry : registries) questions.push_back(ask_one<T>(registry, context, timeout, ask));
  co_return co_await when_all(std::move(questions));
}

// "etcd registry at 10.0.0.1:2379: connection refused; ..." for those answers that `counts` says are failures.
template <class T, class Counts>
std::string reasons(const Registries& registries, const std::vector<Result<T>>& answers, Counts counts) {
  std::string text;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i] || !counts(answers[i].error())) continue;
    text += (text.empty() ? "" : "; ") + registries[i]->describe() + ": " + answers[i].error().message();
  }
  return text;
}

// Watches them all. UNAVAILABLE when none can be watched.
Task<Result<std::unique_ptr<Watcher>>> watch_all(Context& context, Registries registries, Multi::Options options,
                                                 std::string service);

}  // namespace micro::registry
