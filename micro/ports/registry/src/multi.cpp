#include <micro/registry/multi.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

#include <micro/registry/back_end.hpp>
#include <micro/registry/records.hpp>

#include "multi_parts.hpp"

namespace micro::registry {
namespace {

bool is_read_only(const Error& error) { return error.reason() == kReadOnly; }
bool is_failure(const Error& error) { return !is_read_only(error); }
bool is_outage(const Error& error) { return error.code() != Code::kNotFound; }

// Of register and deregister.
Result<void> outcome_of_writing(const Registries& registries, const std::vector<Result<void>>& answers, std::string_view verb,
                                const std::string& service, const std::string& all) {
  const auto done = std::ranges::count_if(answers, [](const Result<void>& answer) { return answer.has_value(); });
  const std::string failures = reasons(registries, answers, is_failure);
  if (failures.empty()) {
    if (done > 0) return {};
    return fail(read_only(verb, service, all));
  }
  Error error = unavailable("cannot " + std::string(verb) + " service \"" + service + "\" in " +
                            (done > 0 ? "some of the registries" : "any of the registries") + ": " + failures);
  if (done > 0) error = std::move(error).with_reason(std::string(kPartlyRegistered));
  return fail(std::move(error));
}

}  // namespace

NodesByKey nodes_by_key(const std::vector<Service>& services) {
  NodesByKey nodes;
  for (const Service& service : services) {
    for (const Node& node : service.nodes) nodes.emplace(std::pair(service.name, node.id), single_node(service, node));
  }
  return nodes;
}

NodesByKey first_of_each(const std::vector<const NodesByKey*>& sources) {
  NodesByKey nodes;
  for (const NodesByKey* source : sources) nodes.insert(source->begin(), source->end());
  return nodes;
}

class Multi::State {
 public:
  State(Registries r, Options o) : registries(std::move(r)), options(o), last_(registries.size()) {}

  std::string describe() const {
    std::string text = "multi registry of ";
    for (const auto& registry : registries) text += (registry == registries.front() ? "" : ", ") + registry->describe();
    return text;
  }

  // Puts answers together; `name` is empty for a list of all services.
  Result<std::vector<Service>> combine(const std::string& name, std::vector<Result<std::vector<Service>>> answers) {
    std::vector<NodesByKey> sources(answers.size());
    bool anything_known = false;
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i]) {
          last_[i][name] = *answers[i];
        } else if (!is_outage(answers[i].error())) {
          last_[i].erase(name);
        }
        // What it said last, for one that cannot be asked.
        const auto last = last_[i].find(name);
        if (last != last_[i].end()) sources[i] = nodes_by_key(last->second);
        anything_known |= last != last_[i].end() || !is_outage_of(answers[i]);
      }
    }
    if (!anything_known) {
      return fail(unavailable("none of the registries can be asked: " + reasons(registries, answers, is_outage)));
    }
    std::vector<const NodesByKey*> in_order;
    for (const NodesByKey& source : sources) in_order.push_back(&source);
    std::vector<Service> records;
    for (auto& [key, record] : first_of_each(in_order)) records.push_back(std::move(record));
    records = merge(std::move(records));
    if (records.empty() && !name.empty()) {
      Error missing = no_node(name, describe());
      const std::string outages = reasons(registries, answers, is_outage);
      if (!outages.empty()) missing = std::move(missing).with_cause(unavailable("not all of them can be asked: " + outages));
      return fail(std::move(missing));
    }
    return records;
  }

  const Registries registries;
  const Options options;

 private:
  static bool is_outage_of(const Result<std::vector<Service>>& answer) { return !answer && is_outage(answer.error()); }

  std::mutex mutex_;
  // Of each registry, what it answered last: by service; a list of all services is under the empty name.
  std::vector<std::map<std::string, std::vector<Service>>> last_;
};

Multi::Multi(std::vector<std::shared_ptr<Registry>> registries) : Multi(std::move(registries), Options{}) {}
Multi::Multi(std::vector<std::shared_ptr<Registry>> registries, Options options)
    : state_(std::make_shared<State>(std::move(registries), options)) {}
Multi::~Multi() = default;

std::string Multi::describe() const { return state_->describe(); }

Task<Result<void>> Multi::register_service(Context& context, const Service& service, const RegisterOptions& options) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto checked = check_registrable(service); !checked) co_return checked;
  const auto state = state_;
  auto ask = [&](Registry& registry, Context& child) { return registry.register_service(child, service, options); };
  const auto answers = co_await ask_all<void>(state->registries, context, state->options.timeout, ask);
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  co_return outcome_of_writing(state->registries, answers, "register", service.name, state->describe());
}

Task<Result<void>> Multi::deregister_service(Context& context, const Service& service) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (auto checked = check_deregistrable(service); !checked) co_return checked;
  const auto state = state_;
  auto ask = [&](Registry& registry, Context& child) { return registry.deregister_service(child, service); };
  const auto answers = co_await ask_all<void>(state->registries, context, state->options.timeout, ask);
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  co_return outcome_of_writing(state->registries, answers, "deregister", service.name, state->describe());
}

Task<Result<std::vector<Service>>> Multi::get_service(Context& context, std::string_view name) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  if (name.empty()) co_return fail(invalid_argument("cannot look up a service without a name"));
  const auto state = state_;
  const std::string service(name);
  auto ask = [&](Registry& registry, Context& child) { return registry.get_service(child, service); };
  auto answers = co_await ask_all<std::vector<Service>>(state->registries, context, state->options.timeout, ask);
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  co_return state->combine(service, std::move(answers));
}

Task<Result<std::vector<Service>>> Multi::list_services(Context& context) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  const auto state = state_;
  auto ask = [](Registry& registry, Context& child) { return registry.list_services(child); };
  auto answers = co_await ask_all<std::vector<Service>>(state->registries, context, state->options.timeout, ask);
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  co_return state->combine({}, std::move(answers));
}

Task<Result<std::unique_ptr<Watcher>>> Multi::watch(Context& context, const WatchOptions& options) {
  if (auto reason = ended(context)) co_return fail(std::move(*reason));
  co_return co_await watch_all(context, state_->registries, state_->options, options.service);
}

}  // namespace micro::registry
