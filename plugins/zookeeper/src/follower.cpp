#include "follower.hpp"

#include <algorithm>

#include <micro/coro/sleep.hpp>
#include <micro/id/id.hpp>

namespace micro::zookeeper {
namespace {

using registry::Change;
using registry::Service;

constexpr Duration kRetry = std::chrono::milliseconds(500);

}  // namespace

void Follower::Marks::add(const Marks& other) {
  root |= other.root;
  all |= other.all;
  folders.insert(other.folders.begin(), other.folders.end());
  leaves.insert(other.leaves.begin(), other.leaves.end());
}

Task<Result<void>> Follower::list(Context& context) {
  session_.add(*this);
  Result<void> done;
  int begun = 0;
  do {  // what was read in a session that is over is not watched
    begun = sessions_;
    known_.clear();
    marks_ = Marks{};
    done = co_await update(context);
  } while (done && begun != sessions_);
  if (!done) session_.remove(*this);
  listed_ = done.has_value();
  co_return done;
}

Task<void> Follower::run(std::shared_ptr<Follower> self, Gate::Holder) {
  while (!self->life_.cancelled()) {
    if (self->marks_.empty()) {
      self->marked_.reset();
      (void)co_await self->marked_.wait(self->life_);
      continue;
    }
    const Result<void> done = co_await self->update(self->life_);
    if (done) continue;
    const auto part = Duration(static_cast<Duration::rep>(fast_random() % static_cast<std::uint64_t>(kRetry.count() / 2)));
    (void)co_await sleep(self->life_, kRetry - part);
  }
  self->session_.remove(*self);
}

void Follower::stop() { life_.cancel(cancelled("the watcher was stopped")); }

void Follower::close() {
  queue_->fail(unavailable("the " + session_.describe() + " was closed, so it cannot be watched any more"));
  stop();
}

void Follower::on_session(bool resumed) {
  ++sessions_;
  if (!listed_) return;
  if (resumed) {
    marks_.root = marks_.all = true;
    return marked_.set();
  }
  queue_->fail(unavailable("the session with the " + session_.describe() + " was lost, so changes may have been missed"));
  stop();
}

void Follower::on_change(std::string_view path) {
  const std::string& root = reader_.paths().root();
  if (path == root) {
    marks_.root = true;
  } else if (path.starts_with(root + "/")) {
    path.remove_prefix(root.size() + 1);
    const std::size_t slash = path.find('/');
    const std::string folder(path.substr(0, slash));
    if (!service_.empty() && folder != reader_.paths().folder(service_)) return;
    if (slash == path.npos)
      marks_.folders.insert(folder);
    else
      marks_.leaves.emplace(folder, path.substr(slash + 1));
  }
  marked_.set();
}

Task<Result<void>> Follower::update(Context& context) {
  Marks marks = std::exchange(marks_, Marks{.root = false, .all = false, .folders = {}, .leaves = {}});
  const Marks begun = marks;
  Result<void> done = co_await read(context, marks);
  // What was read stands; what was not is read the next time.
  if (!done) marks_.add(begun);
  tell();
  co_return done;
}

Task<Result<void>> Follower::read(Context& context, Marks& marks) {
  if (marks.root || marks.all) {
    Result<void> done = co_await read_root(context, marks);
    if (!done) co_return done;
  }
  Result<void> done = co_await read_folders(context, marks);
  if (!done) co_return done;
  co_return co_await read_leaves(context, marks);
}

Task<Result<void>> Follower::read_root(Context& context, Marks& marks) {
  if (!service_.empty()) {
    marks.folders.insert(reader_.paths().folder(service_));
    co_return Result<void>{};
  }
  const std::string& root = reader_.paths().root();
  std::vector<std::string> folders;
  for (bool there = true; there;) {
    Request look{.kind = Request::Kind::kChildren, .path = root, .watch = true};
    Result<Answer> answer = co_await session_.ask(context, std::move(look));
    if (answer) {
      folders = std::move(answer->children);
      break;
    }
    if (answer.error().code() != Code::kNotFound) co_return fail(std::move(answer.error()));
    const Result<bool> made = co_await await_making(context, root);
    if (!made) co_return fail(made.error());
    there = *made;
  }
  std::ranges::sort(folders);
  for (auto known = known_.begin(); known != known_.end();) {
    if (std::ranges::binary_search(folders, known->first)) {
      ++known;
      continue;
    }
    keep_only(known->first, {});
    known = known_.erase(known);
  }
  for (const std::string& folder : folders) {
    if (known_.try_emplace(folder).second || marks.all) marks.folders.insert(folder);
  }
  co_return Result<void>{};
}

Task<Result<void>> Follower::read_folders(Context& context, Marks& marks) {
  const std::vector<std::string> folders(marks.folders.begin(), marks.folders.end());
  std::vector<Request> requests;
  for (const std::string& folder : folders) {
    requests.push_back({.kind = Request::Kind::kChildren, .path = reader_.paths().path(folder), .watch = true});
  }
  auto answers = co_await session_.ask_all(context, std::move(requests));
  if (!answers) co_return fail(std::move(answers.error()));
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const std::string& folder = folders[i];
    Result<Answer>& answer = (*answers)[i];
    if (!answer && answer.error().code() != Code::kNotFound) {
      if (!service_.empty()) co_return fail(std::move(answer.error()));
      (void)reader_.decode(reader_.paths().path(folder), service_, answer);
    }
    if (!answer) {
      keep_only(folder, {});
      // Of all services, the root's own watch tells when it is made.
      if (service_.empty() || answer.error().code() != Code::kNotFound) continue;
      const Result<bool> made = co_await await_making(context, reader_.paths().path(folder));
      if (!made) co_return fail(made.error());
      if (*made) {
        marks_.folders.insert(folder);
        marked_.set();
      }
      continue;
    }
    keep_only(folder, answer->children);
    const Leaves& leaves = known_[folder];
    for (const std::string& leaf : answer->children) {
      if (marks.all || !leaves.contains(leaf)) marks.leaves.emplace(folder, leaf);
    }
  }
  co_return Result<void>{};
}

Task<Result<void>> Follower::read_leaves(Context& context, Marks& marks) {
  const std::vector<std::pair<std::string, std::string>> places(marks.leaves.begin(), marks.leaves.end());
  std::vector<Request> requests;
  for (const auto& [folder, leaf] : places) {
    requests.push_back({.kind = Request::Kind::kGet, .path = reader_.paths().path(folder, leaf), .watch = true});
  }
  const auto answers = co_await session_.ask_all(context, std::move(requests));
  if (!answers) co_return fail(answers.error());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto& [folder, leaf] = places[i];
    const Result<Answer>& answer = (*answers)[i];
    put(folder, leaf, reader_.decode(reader_.paths().path(folder, leaf), service_, answer));
    if (!answer && answer.error().code() == Code::kNotFound) known_[folder].erase(leaf);
  }
  co_return Result<void>{};
}

Task<Result<bool>> Follower::await_making(Context& context, const std::string& path) {
  Request look{.kind = Request::Kind::kExists, .path = path, .watch = true};
  const Result<Answer> answer = co_await session_.ask(context, std::move(look));
  if (answer) co_return true;
  if (answer.error().code() == Code::kNotFound) co_return false;
  co_return fail(answer.error());
}

void Follower::keep_only(const std::string& folder, const std::vector<std::string>& leaves) {
  const std::set<std::string> present(leaves.begin(), leaves.end());
  Leaves& known = known_[folder];
  for (auto leaf = known.begin(); leaf != known.end();) {
    if (present.contains(leaf->first)) {
      ++leaf;
      continue;
    }
    if (leaf->second) departures_.push_back({.change = Change::kDelete, .service = std::move(*leaf->second)});
    leaf = known.erase(leaf);
  }
}

void Follower::put(const std::string& folder, const std::string& leaf, std::optional<Service> record) {
  std::optional<Service>& known = known_[folder][leaf];
  if (known == record) return;
  const bool same_node = known && record && known->name == record->name && known->nodes[0].id == record->nodes[0].id;
  if (known && !same_node) departures_.push_back({.change = Change::kDelete, .service = std::move(*known)});
  if (record) news_.push_back({.change = same_node ? Change::kUpdate : Change::kCreate, .service = *record});
  known = std::move(record);
}

// What is new first, so that a service whose nodes were all replaced is never seen empty.
void Follower::tell() {
  for (std::vector<registry::Event>* events : {&news_, &departures_}) {
    for (registry::Event& event : *events) {
      if (listed_) queue_->push(std::move(event));
    }
    events->clear();
  }
}

}  // namespace micro::zookeeper
