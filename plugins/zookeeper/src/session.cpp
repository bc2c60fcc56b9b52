#include "session.hpp"

#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <utility>

#include <micro/coro/deadline.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/duration/duration.hpp>
#include <micro/id/id.hpp>
#include <micro/offload/offload.hpp>

namespace micro::zookeeper {
namespace {

// Requests under way at once; a list of thousands must not fill the client's queue.
constexpr std::size_t kBatch = 512;
// After an answer was lost.
constexpr Duration kRetry = std::chrono::milliseconds(20);
// The time a server gets to take a connection, before the next one is tried: a part of the session's, between these.
constexpr Duration kLeastPatience = std::chrono::milliseconds(200);
constexpr Duration kMostPatience = std::chrono::seconds(2);
// Before all servers are tried anew, shortened by up to half at random: servers that come back are not asked by all at once.
constexpr Duration kReopen = std::chrono::milliseconds(500);

bool is_lost(int code) {
  switch (code) {
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZINVALIDSTATE:
    case ZCLOSING:
    case ZSESSIONEXPIRED:
    case ZSESSIONMOVED:
    case ZTHROTTLEDOP:
      return true;
    default:
      return false;
  }
}

// The client's own log goes to standard error otherwise; what matters in it, its state says, too.
void no_log(const char*) {}
void no_completion(int, const void*) {}

}  // namespace

// One zhandle_t. The client's threads reach the session through it, by posts that keep it alive.
struct Session::Handle : std::enable_shared_from_this<Handle> {
  explicit Handle(Session& s) : session(s) {}

  static void on_event(zhandle_t* zh, int type, int state, const char* path, void* self) {
    const auto handle = static_cast<Handle*>(self)->shared_from_this();
    Session& session = handle->session;
    if (type == ZOO_SESSION_EVENT) {
      Identity identity;
      if (state == ZOO_CONNECTED_STATE) {
        const clientid_t& client = *zoo_client_id(zh);
        identity = {.id = client.client_id, .secret = std::string(client.passwd, sizeof(client.passwd))};
      }
      session.loop_.post_remote([handle, state, identity = std::move(identity)]() mutable {
        handle->state = state;
        if (identity.id != 0) handle->identity = std::move(identity);
        if (handle->ready) handle->session.on_state(handle);
      });
    } else if (path != nullptr) {
      session.loop_.post_remote([handle, changed = std::string(path)] {
        if (handle->session.handle_ != handle) return;
        for (Observer* observer : handle->session.observers_) observer->on_change(changed);
      });
    }
  }

  Session& session;
  // On the loop.
  zhandle_t* zh = nullptr;
  int state = 0;
  Identity identity;
  TimePoint waiting_since{};
  bool ready = false;    // zh and the password are set
  bool greeted = false;  // has been connected
};

// Filled in by a thread of the client, read on the loop after `done`.
struct Session::Pending {
  explicit Pending(Loop& l) : loop(l) {}

  // The client keeps a share until it answers, which it always does.
  using Share = std::shared_ptr<Pending>;
  static const void* share(const Share& self) { return new Share(self); }
  static Share take(const void* data) {
    const std::unique_ptr<const Share> owned(static_cast<const Share*>(data));
    return *owned;
  }
  static void finish(const Share& self, int rc) {
    self->code = rc;
    self->loop.post_remote([self] { self->done.set(); });
  }

  static void on_data(int rc, const char* value, int length, const Stat* stat, const void* data) {
    const Share self = take(data);
    if (rc == ZOK && value != nullptr && length > 0) self->answer.data.assign(value, static_cast<std::size_t>(length));
    if (rc == ZOK && stat != nullptr) self->answer.owner = stat->ephemeralOwner;
    finish(self, rc);
  }
  static void on_children(int rc, const String_vector* names, const void* data) {
    const Share self = take(data);
    for (int i = 0; rc == ZOK && names != nullptr && i < names->count; ++i) self->answer.children.emplace_back(names->data[i]);
    finish(self, rc);
  }
  static void on_stat(int rc, const Stat*, const void* data) { finish(take(data), rc); }
  static void on_string(int rc, const char*, const void* data) { finish(take(data), rc); }
  static void on_void(int rc, const void* data) { finish(take(data), rc); }

  Loop& loop;
  Event done;
  int code = ZOK;
  Answer answer;
  // What the client fills in for kReplace.
  zoo_op_result_t results[2] = {};
  char created[1] = {};
};

Session::Session(Loop& loop, Settings settings)
    : loop_(loop), settings_(std::move(settings)), server_(fast_random() % settings_.servers.size()) {}

std::string Session::describe() const {
  std::string servers;
  for (const std::string& server : settings_.servers) servers.append(servers.empty() ? "" : ",").append(server);
  return "zookeeper registry at " + servers;
}

std::shared_ptr<Session::Pending> Session::send(const Request& request) {
  auto pending = std::make_shared<Pending>(loop_);
  zhandle_t* const zh = handle_->zh;
  const char* const path = request.path.c_str();
  const int size = static_cast<int>(request.data.size());
  const int flags = request.ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT;
  ACL entries[] = {{ZOO_PERM_READ, ZOO_ANYONE_ID_UNSAFE}, {ZOO_PERM_ALL, ZOO_AUTH_IDS}};
  const ACL_vector closed{.count = 2, .data = entries};
  const ACL_vector* const acl = settings_.username.empty() ? &ZOO_OPEN_ACL_UNSAFE : &closed;
  const void* const share = Pending::share(pending);
  int code = ZOK;
  switch (request.kind) {
    case Request::Kind::kGet:
      code = zoo_aget(zh, path, request.watch ? 1 : 0, Pending::on_data, share);
      break;
    case Request::Kind::kChildren:
      code = zoo_aget_children(zh, path, request.watch ? 1 : 0, Pending::on_children, share);
      break;
    case Request::Kind::kExists:
      code = zoo_aexists(zh, path, request.watch ? 1 : 0, Pending::on_stat, share);
      break;
    case Request::Kind::kCreate:
      code = zoo_acreate(zh, path, request.data.data(), size, acl, flags, Pending::on_string, share);
      break;
    case Request::Kind::kSet:
      code = zoo_aset(zh, path, request.data.data(), size, -1, Pending::on_stat, share);
      break;
    case Request::Kind::kDelete:
      code = zoo_adelete(zh, path, -1, Pending::on_void, share);
      break;
    case Request::Kind::kReplace: {
      zoo_op_t steps[2];
      zoo_delete_op_init(&steps[0], path, -1);
      zoo_create_op_init(&steps[1], path, request.data.data(), size, acl, flags, pending->created, sizeof(pending->created));
      code = zoo_amulti(zh, 2, steps, pending->results, Pending::on_void, share);
      break;
    }
  }
  if (code != ZOK) {  // refused at once: nobody will answer
    (void)Pending::take(share);
    pending->code = code;
    pending->done.set();
  }
  return pending;
}

Task<Result<Answer>> Session::ask(Context& context, Request request) {
  std::vector<Request> one;
  one.push_back(std::move(request));
  auto answers = co_await ask_all(context, std::move(one));
  if (!answers) co_return fail(std::move(answers.error()));
  co_return std::move(answers->front());
}

Task<Result<std::vector<Result<Answer>>>> Session::ask_all(Context& context, std::vector<Request> requests) {
  std::vector<Result<Answer>> answers;
  answers.reserve(requests.size());
  for (auto begin = requests.begin(); begin != requests.end();) {
    const auto end =
        begin + static_cast<std::ptrdiff_t>(std::min<std::size_t>(kBatch, static_cast<std::size_t>(requests.end() - begin)));
    const std::vector<Request> some{std::move_iterator(begin), std::move_iterator(end)};
    auto part = co_await ask_some(context, some);
    if (!part) co_return fail(std::move(part.error()));
    std::ranges::move(*part, std::back_inserter(answers));
    begin = end;
  }
  co_return answers;
}

Task<Result<std::vector<Result<Answer>>>> Session::ask_some(Context& context, const std::vector<Request>& requests) {
  Context bounded(context);
  bounded.set_timeout(settings_.timeout);
  const ContextDeadline deadline(bounded, loop_);
  for (;;) {
    if (const Result<void> ready = co_await connected(bounded); !ready) {
      if (ready.error().code() == Code::kUnauthenticated) co_return fail(ready.error());
      co_return fail(out_of_reach(context));
    }
    std::vector<std::shared_ptr<Pending>> pending;
    for (const Request& request : requests) pending.push_back(send(request));
    bool lost = false;
    for (const auto& each : pending) {
      if (!co_await each->done.wait(bounded)) co_return fail(out_of_reach(context));
      lost |= is_lost(each->code);
    }
    if (!lost) {
      std::vector<Result<Answer>> answers;
      for (std::size_t i = 0; i < pending.size(); ++i) {
        if (pending[i]->code == ZOK) {
          answers.emplace_back(std::move(pending[i]->answer));
        } else {
          answers.emplace_back(fail(explain(pending[i]->code, requests[i])));
        }
      }
      co_return answers;
    }
    (void)co_await sleep(bounded, kRetry);
  }
}

// Who cannot be reached for half of the time a request may take is not waited for: to the caller, that it is away says more than
// that his time is over.
Task<Result<void>> Session::connected(Context& context) {
  while (!connected_) {
    if (life_.cancelled()) co_return fail(unavailable("it was closed"));
    if (refused_) co_return fail(unauthenticated("the " + describe() + " refuses the user \"" + settings_.username + "\""));
    const TimePoint limit = silent_since_.value_or(loop_.now()) + settings_.timeout / 2;
    if (loop_.now() >= limit) co_return fail(unavailable("it is away"));
    Context wait(context);
    wait.set_deadline(limit);
    const ContextDeadline deadline(wait, loop_);
    changed_.reset();
    (void)co_await changed_.wait(wait);
    if (context.cancelled()) co_return fail(*context.error());
  }
  co_return Result<void>{};
}

Error Session::out_of_reach(const Context& context) const {
  const std::string where = "the " + describe();
  if (life_.cancelled()) return unavailable(where + " was closed").with_reason("REGISTRY_UNAVAILABLE");
  std::string text = where + (connected_ ? " does not answer" : " cannot be reached");
  if (context.cancelled()) return Error(*context.error()).with_context(text);
  if (context.deadline() && *context.deadline() <= Clock::now()) {
    return deadline_exceeded(text + ", and the deadline of the call has passed");
  }
  if (silent_since_) {
    const auto silence = std::chrono::floor<std::chrono::seconds>(loop_.now() - *silent_since_);
    text += ", for " + format_duration(silence) + " now";
  }
  return unavailable(text + "; is it running there?").with_reason("REGISTRY_UNAVAILABLE");
}

Error Session::explain(int code, const Request& request) const {
  const std::string text = "the " + describe() + " about " + request.path + ": " + zerror(code);
  switch (code) {
    case ZNONODE:
      return not_found(text);
    case ZNODEEXISTS:
      return already_exists(text);
    case ZNOAUTH:
      return permission_denied(text + "; it was written by another user: see ZOOKEEPER_USERNAME and ZOOKEEPER_PASSWORD");
    case ZAUTHFAILED:
      return unauthenticated(text);
    case ZBADARGUMENTS:
    case ZINVALIDACL:
      return invalid_argument(text);
    case ZNOCHILDRENFOREPHEMERALS:
    case ZNOTEMPTY:
      return failed_precondition(text);
    default:
      return unavailable(text);
  }
}

Task<void> Session::run(Gate::Holder) {
  const std::size_t servers = settings_.servers.size();
  for (std::size_t tries = 1; !life_.cancelled(); ++tries) {
    if (co_await open()) co_await follow();
    const bool pause = over_ || tries % servers == 0;
    co_await close();
    server_ = (server_ + 1) % servers;
    const auto part = Duration(static_cast<Duration::rep>(fast_random() % static_cast<std::uint64_t>(kReopen.count() / 2)));
    if (pause) (void)co_await sleep(life_, kReopen - part);
  }
}

Task<bool> Session::open() {
  if (!silent_since_) silent_since_ = loop_.now();
  over_ = false;
  handle_ = std::make_shared<Handle>(*this);
  // Resolves names, so it may block.
  const auto work = [handle = handle_, this, identity = identity_, server = settings_.servers[server_]]() -> zhandle_t* {
    const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(settings_.session_timeout).count();
    clientid_t known{};
    known.client_id = identity.id;
    std::ranges::copy(identity.secret, known.passwd);
    zhandle_t* const zh = zookeeper_init2(server.c_str(), Handle::on_event, static_cast<int>(timeout),
                                          identity.id != 0 ? &known : nullptr, handle.get(), ZOO_NO_LOG_CLIENTENV, no_log);
    if (zh != nullptr && !settings_.username.empty()) {
      const std::string who = settings_.username + ":" + settings_.password;
      (void)zoo_add_auth(zh, "digest", who.data(), static_cast<int>(who.size()), no_completion, nullptr);
    }
    return zh;
  };
  handle_->zh = co_await offload(work);
  if (handle_->zh == nullptr) co_return false;
  handle_->ready = true;
  if (handle_->state != 0) on_state(handle_);
  co_return true;
}

// Until the handle is of no more use.
Task<void> Session::follow() {
  // All servers are tried several times while the session lasts.
  const Duration patience =
      std::clamp(settings_.session_timeout / static_cast<int>(4 * settings_.servers.size()), kLeastPatience, kMostPatience);
  handle_->waiting_since = loop_.now();
  while (!life_.cancelled() && !over_) {
    Context wait(life_);
    if (!connected_) {
      const TimePoint end = handle_->waiting_since + patience;
      if (loop_.now() >= end) co_return;
      wait.set_deadline(end);
    }
    const ContextDeadline deadline(wait, loop_);
    changed_.reset();
    (void)co_await changed_.wait(wait);
  }
}

Task<void> Session::close() {
  const std::shared_ptr<Handle> handle = std::exchange(handle_, nullptr);
  connected_ = false;
  if (!silent_since_) silent_since_ = loop_.now();
  if (handle->zh == nullptr) co_return;
  // Tells the server, and waits for the client's threads; callbacks use the handle until then.
  const auto work = [handle] { (void)zookeeper_close(handle->zh); };
  co_await offload(work);
}

void Session::on_state(const std::shared_ptr<Handle>& handle) {
  if (handle != handle_) return;
  if (handle->state == ZOO_CONNECTED_STATE) {
    const bool resumed = identity_.id == handle->identity.id;
    identity_ = handle->identity;
    connected_ = true;
    refused_ = false;
    silent_since_.reset();
    changed_.set();
    if (std::exchange(handle->greeted, true)) return;
    if (!resumed) ++counters.sessions;
    for (Observer* observer : observers_) observer->on_session(resumed);
    return;
  }
  if (std::exchange(connected_, false)) handle->waiting_since = loop_.now();
  if (!silent_since_) silent_since_ = loop_.now();
  if (handle->state == ZOO_EXPIRED_SESSION_STATE) {
    over_ = true;
    identity_ = {};
    logger().warn("the session was lost; the next one writes its records again", {{"registry", describe()}});
  } else if (handle->state == ZOO_AUTH_FAILED_STATE) {
    over_ = refused_ = true;
  }
  changed_.set();
}

Task<void> Session::stop() {
  life_.cancel(cancelled("the registry was closed"));
  changed_.set();
  co_await gate_.close();
}

}  // namespace micro::zookeeper
