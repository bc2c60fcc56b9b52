#include "session.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <micro/coro/deadline.hpp>
#include <micro/coro/sleep.hpp>

#include "endpoints.hpp"
#include "etcd.pb.h"

namespace micro::etcd {

class Session::Try {
 public:
  virtual ~Try() = default;
  virtual Task<Result<void>> run(Context& context, const rpc::CallOptions& options) = 0;
};

class Session::UnaryTry final : public Try {
 public:
  UnaryTry(rpc::Client& client, Method method, codec::MessageRef request, codec::MessageRef reply)
      : client_(client), method_(method), request_(request), reply_(reply) {}
  Task<Result<void>> run(Context& context, const rpc::CallOptions& options) override {
    return client_.call(context, "etcd", method_.service, method_.name, request_, reply_, options);
  }

 private:
  rpc::Client& client_;
  const Method method_;
  const codec::MessageRef request_;
  const codec::MessageRef reply_;
};

// A stream for one question and one answer: there is no other way to renew a lease, and renewals are rare.
class Session::KeepAliveTry final : public Try {
 public:
  KeepAliveTry(rpc::Client& client, std::int64_t lease) : client_(client) { request_.set_id(lease); }
  std::int64_t ttl() const { return reply_.ttl(); }

  Task<Result<void>> run(Context& context, const rpc::CallOptions& options) override {
    auto stream = co_await client_.stream(context, "etcd", kLeaseKeepAlive.service, kLeaseKeepAlive.name,
                                          rpc::MethodKind::kBidiStream, codec::MessageRef(), options);
    if (!stream) co_return fail(std::move(stream.error()));
    Result<void> written = co_await (*stream)->write(codec::ref(request_));
    if (!written) co_return written;
    const Result<bool> read = co_await (*stream)->read(codec::ref(reply_));
    if (!read) co_return fail(read.error());
    if (!*read) co_return fail(unavailable("the server ended the renewal of a lease without an answer"));
    co_return Result<void>{};
  }

 private:
  rpc::Client& client_;
  wire::LeaseKeepAliveRequest request_;
  wire::LeaseKeepAliveResponse reply_;
};

struct Session::Tried {
  Result<void> outcome;
  bool unreachable = false;  // the endpoint is to blame, not the request
};

namespace {

rpc::ClientOptions client_options(const Session::Settings& settings) {
  rpc::ClientOptions options = settings.client;
  options.request_timeout = settings.timeout;
  options.connect_timeout = std::min(options.connect_timeout, settings.timeout);
  // A list of thousands of nodes comes in one message.
  options.max_receive_message_size = 256 * 1024 * 1024;
  return options;
}

// Of a loss that all watchers find out within moments.
constexpr Duration kTellAgain = std::chrono::seconds(30);

bool over(const Context& context) { return context.cancelled() || (context.deadline() && *context.deadline() <= Clock::now()); }

}  // namespace

Session::Session(LoopGroup& loops, Settings settings)
    : loop_(loops.loop(0)), settings_(std::move(settings)), client_(loops, nullptr, client_options(settings_)) {}

std::string Session::describe() const { return "etcd registry at " + join(settings_.addresses); }

Task<Result<void>> Session::unary(Context& context, Method method, codec::MessageRef request, codec::MessageRef reply) {
  UnaryTry what(client_, method, request, reply);
  co_return co_await ask(context, what, true);
}

Task<Result<std::int64_t>> Session::keep_alive(Context& context, std::int64_t lease) {
  KeepAliveTry what(client_, lease);
  const Result<void> done = co_await ask(context, what, true);
  if (!done) co_return fail(done.error());
  co_return what.ttl();
}

Task<Session::Tried> Session::try_once(Context& context, std::size_t endpoint, Try& what, std::string token) {
  Context child(context);
  child.set_timeout(settings_.timeout / static_cast<Duration::rep>(settings_.addresses.size()));
  const ContextDeadline deadline(child, loop_);
  if (!token.empty()) child.outgoing().set("token", token);
  rpc::CallOptions options;
  options.addresses = {settings_.addresses[endpoint]};
  options.idempotent = true;
  Tried tried;
  tried.outcome = co_await what.run(child, options);
  if (tried.outcome || over(context)) co_return tried;
  const Code code = tried.outcome.error().code();
  tried.unreachable = code == Code::kUnavailable || code == Code::kDeadlineExceeded;
  co_return tried;
}

Task<Result<void>> Session::ask(Context& context, Try& what, bool with_token) {
  bool token_is_new = false;
  for (std::size_t failures = 0; failures < settings_.addresses.size();) {
    std::string used;
    if (with_token) {
      Result<std::string> found = co_await token(context);
      if (!found) co_return fail(std::move(found.error()));
      used = std::move(*found);
    }
    const std::size_t endpoint = current_;
    ++counters.requests;
    Tried tried = co_await try_once(context, endpoint, what, used);
    if (tried.outcome) {
      answered_ = true;
      note(tried.outcome);
      co_return tried.outcome;
    }
    const Error& error = tried.outcome.error();
    if (!tried.unreachable) {
      if (with_token && !std::exchange(token_is_new, true) && token_refused(error)) {
        if (token_ == used) token_.clear();
        continue;
      }
      co_return fail(explain(error));
    }
    turn_away(endpoint);
    if (++failures < settings_.addresses.size()) continue;
    Result<void> failed = fail(unavailable(describe() + " does not answer: " + error.message()));
    note(failed);
    co_return failed;
  }
  co_return fail(internal("etcd registry without endpoints"));
}

Error Session::explain(const Error& error) const {
  if (settings_.username.empty() && error.message().contains("user name is empty")) {
    return unauthenticated(describe() + " wants a user: set ETCD_USERNAME and ETCD_PASSWORD");
  }
  return Error(error).with_context(describe());
}

void Session::turn_away(std::size_t endpoint) {
  if (current_ != endpoint) return;
  current_ = (endpoint + 1) % settings_.addresses.size();
  ++counters.failovers;
}

// Told when it begins and when it ends, not with every request between; and not of a server that never was there, which whoever
// asks is told.
void Session::note(const Result<void>& outcome) {
  if (failing_ == !outcome) return;
  if (!outcome && !answered_) return;
  failing_ = !outcome;
  if (failing_)
    logger().warn("etcd does not answer; what was known goes on being used", {{"error", outcome.error().message()}});
  else
    logger().info("etcd answers again", {{"registry", describe()}});
}

void Session::note_lost_data() {
  const TimePoint now = loop_.now();
  if (loss_told_ && now - *loss_told_ < kTellAgain) return;
  loss_told_ = now;
  logger().warn("etcd has lost its data", {{"registry", describe()}});
}

// etcd has more than one way to say so: the token has run out, or users were changed since it was given.
bool Session::token_refused(const Error& error) {
  if (settings_.username.empty()) return false;
  if (error.code() == Code::kUnauthenticated) return true;
  if (error.code() != Code::kInvalidArgument) return false;
  if (error.message().contains("user name is empty")) {
    auth_is_off_ = false;
    return true;
  }
  return error.message().contains("auth store is old");
}

Task<Result<std::string>> Session::token(Context& context) {
  if (settings_.username.empty() || auth_is_off_ || !token_.empty()) co_return token_;
  Result<Mutex::Lock> lock = co_await login_.lock(context);
  if (!lock) co_return fail(std::move(lock.error()));
  if (auth_is_off_ || !token_.empty()) co_return token_;
  wire::AuthenticateRequest request;
  request.set_name(settings_.username);
  request.set_password(settings_.password);
  wire::AuthenticateResponse reply;
  UnaryTry what(client_, kAuthenticate, codec::ref(request), codec::ref(reply));
  const Result<void> done = co_await ask(context, what, false);
  if (done) {
    ++counters.logins;
    token_ = reply.token();
    co_return token_;
  }
  const Error& error = done.error();
  if (error.code() == Code::kFailedPrecondition && error.message().contains("not enabled")) {
    auth_is_off_ = true;
    co_return token_;
  }
  if (error.code() == Code::kInvalidArgument || error.code() == Code::kUnauthenticated) {
    co_return fail(
        unauthenticated(describe() + " refuses the user \"" + settings_.username + "\": check ETCD_USERNAME and ETCD_PASSWORD"));
  }
  co_return fail(error);
}

Task<Result<Session::Opened>> Session::open(Context& context, Method method) {
  Result<std::string> found = co_await token(context);
  if (!found) co_return fail(std::move(found.error()));
  if (!found->empty()) context.outgoing().set("token", *found);
  // A member that is cut off from the others ends the stream rather than say nothing.
  context.outgoing().set("hasleader", "true");
  const std::size_t endpoint = current_;
  rpc::CallOptions options;
  options.addresses = {settings_.addresses[endpoint]};
  auto stream = co_await client_.stream(context, "etcd", method.service, method.name, rpc::MethodKind::kBidiStream,
                                        codec::MessageRef(), options);
  if (stream) co_return Opened{.stream = std::move(*stream), .endpoint = endpoint};
  turn_away(endpoint);
  co_return fail(std::move(stream.error()));
}

Session::Lifeline::Lifeline(Session& session, std::size_t endpoint, Context& context)
    : session_(session), endpoint_(endpoint), context_(context) {
  session_.lifelines_.push_back(this);
}

Session::Lifeline::~Lifeline() { std::erase(session_.lifelines_, this); }

// A stream on which nothing happens looks like one whose server hangs, or is cut off.
Task<void> Session::probe(Gate::Holder) {
  while (co_await sleep(life_, settings_.probe_interval)) {
    std::set<std::size_t> endpoints;
    for (const Lifeline* line : lifelines_) endpoints.insert(line->endpoint_);
    for (const std::size_t endpoint : endpoints) {
      // Any answer will do, also that we may not ask.
      wire::RangeRequest request;
      request.set_key("/micro/registry/");
      request.set_keys_only(true);
      request.set_serializable(true);
      wire::RangeResponse reply;
      UnaryTry what(client_, kRange, codec::ref(request), codec::ref(reply));
      const Tried tried = co_await try_once(life_, endpoint, what, token_);
      if (!tried.unreachable) continue;
      turn_away(endpoint);
      const std::vector<Lifeline*> lines = lifelines_;
      for (Lifeline* line : lines) {
        if (line->endpoint_ != endpoint || std::ranges::find(lifelines_, line) == lifelines_.end()) continue;
        line->context_.cancel(unavailable(settings_.addresses[endpoint] + " does not answer"));
      }
    }
  }
}

Task<void> Session::stop() {
  life_.cancel(cancelled("the etcd registry was closed"));
  co_await gate_.close();
  co_await client_.stop(loop_.now());
}

}  // namespace micro::etcd
