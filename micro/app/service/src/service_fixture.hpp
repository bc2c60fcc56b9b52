#pragma once

// A service with a few methods over google.protobuf.StringValue, a registry that can be broken, and blocking calls for tests.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/wrappers.pb.h>

#include <micro/call/typed.hpp>
#include <micro/client/client.hpp>
#include <micro/coro/deadline.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/coro/waiter.hpp>
#include <micro/registry/memory.hpp>
#include <micro/registry/records.hpp>
#include <micro/service/service.hpp>

namespace micro::test {

using Text = google::protobuf::StringValue;

// Something other threads wait for.
class Count {
 public:
  void add() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  int get() const {
    std::lock_guard lock(mutex_);
    return count_;
  }
  void wait_for(int count) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  int count_ = 0;
};

class Echo final : public rpc::Handler {
 public:
  std::vector<rpc::Endpoint> endpoints() override {
    std::vector<rpc::Endpoint> list;
    const auto add = [&](std::string method, std::string description,
                         Task<Result<Text>> (Echo::*function)(Context&, const Text&)) {
      rpc::Endpoint endpoint;
      endpoint.service = "test.Echo";
      endpoint.method = std::move(method);
      endpoint.description = std::move(description);
      endpoint.request_type = endpoint.reply_type = &codec::message_type<Text>();
      endpoint.handler = std::make_shared<rpc::UnaryMethod<Echo, Text, Text>>(*this, function);
      list.push_back(std::move(endpoint));
    };
    add("Say", "Says it again.", &Echo::say);
    add("Forward", "", &Echo::forward);
    add("Hang", "", &Echo::hang);
    add("Throw", "", &Echo::throw_it);
    return list;
  }

  // Whom Forward calls: the service of this name, through this client.
  rpc::Client* client = nullptr;
  std::string next;
  // Calls of Hang that have begun; they end when released or cancelled.
  Count hanging;
  std::atomic<bool> released = false;
  std::atomic<int> cancelled_calls = 0;

 private:
  Task<Result<Text>> say(Context& context, const Text& request) {
    context.reply_headers().add("x-said", request.value());
    context.reply_trailers().add("x-end", request.value());
    Text reply;
    reply.set_value("you said " + request.value());
    co_return reply;
  }
  Task<Result<Text>> forward(Context& context, const Text& request) {
    context.reply_headers().add("x-forwarded-by", "forward");
    const std::string caller = context.peer();
    Text reply;
    const rpc::CallOptions options;
    rpc::Reply done = co_await client->call(context, next, "test.Echo", "Say", codec::ref(request), codec::ref(reply), options);
    if (!done) co_return std::unexpected(std::move(done.error()));
    if (context.peer() != caller) co_return fail(internal("the caller is now " + context.peer()));
    reply.set_value(next + ": " + reply.value());
    co_return reply;
  }
  Task<Result<Text>> hang(Context& context, const Text& request) {
    hanging.add();
    while (!released) {
      Result<void> slept = co_await sleep(context, std::chrono::milliseconds(1));
      if (!slept) {
        ++cancelled_calls;
        co_return std::unexpected(std::move(slept.error()));
      }
    }
    co_return request;
  }
  Task<Result<Text>> throw_it(Context&, const Text& request) {
    if (!request.value().empty()) throw std::runtime_error(request.value());
    co_return request;
  }
};

// A memory registry that can be down and can forget, and tells what was asked of it.
class FakeRegistry final : public registry::Registry {
 public:
  std::string_view name() const noexcept override { return "fake"; }
  std::string describe() const override { return "fake registry"; }

  Task<Result<void>> register_service(Context& context, const registry::Service& service,
                                      const registry::RegisterOptions& options) override {
    if (down) {
      refused.add();
      co_return fail(unavailable("fake registry is down"));
    }
    if (read_only) {
      refused.add();
      co_return fail(registry::read_only("register", service.name, describe()));
    }
    if (hangs) co_return fail(co_await no_answer(context));
    Result<void> done = co_await memory_.register_service(context, service, options);
    if (partly) {
      refused.add();
      co_return fail(unavailable("half of it is down").with_reason(std::string(registry::kPartlyRegistered)));
    }
    registered.add();
    co_return done;
  }
  Task<Result<void>> deregister_service(Context& context, const registry::Service& service) override {
    if (on_deregister) on_deregister();
    deregistered.add();
    if (down) co_return fail(unavailable("fake registry is down"));
    if (hangs) co_return fail(co_await no_answer(context));
    co_return co_await memory_.deregister_service(context, service);
  }
  Task<Result<std::vector<registry::Service>>> get_service(Context& context, std::string_view service) override {
    if (down) co_return fail(unavailable("fake registry is down"));
    co_return co_await memory_.get_service(context, service);
  }
  Task<Result<std::vector<registry::Service>>> list_services(Context& context) override {
    if (down) co_return fail(unavailable("fake registry is down"));
    co_return co_await memory_.list_services(context);
  }
  Task<Result<std::unique_ptr<registry::Watcher>>> watch(Context& context, const registry::WatchOptions& options) override {
    if (down) co_return fail(unavailable("fake registry is down"));
    co_return co_await memory_.watch(context, options);
  }

  // Forgets every node, as a registry does that was started anew.
  Task<void> forget_all() {
    Context context;
    const auto all = co_await memory_.list_services(context);
    for (const registry::Service& service : *all) (void)co_await memory_.deregister_service(context, service);
  }

  std::atomic<bool> down = false;
  std::atomic<bool> read_only = false;
  // Keeps the record and says that others did not.
  std::atomic<bool> partly = false;
  std::atomic<bool> hangs = false;  // for those who register and deregister
  std::function<void()> on_deregister;
  Count registered;
  Count refused;
  Count deregistered;

 private:
  static Task<Error> no_answer(Context& context) {
    const ContextDeadline deadline(context);
    co_await until_cancelled(context);
    co_return *context.error();
  }
  registry::Memory memory_;
};

inline ServiceOptions quiet(std::string name, std::shared_ptr<registry::Registry> registry) {
  ServiceOptions options;
  options.name = std::move(name);
  options.address = "127.0.0.1:0";
  options.registry = std::move(registry);
  options.loops = 1;
  options.settle_delay = Duration{};
  options.log.level = log::Level::kOff;
  return options;
}

// One blocking call of a method of test.Echo, by the name of the service or at the addresses of `options`.
inline Result<std::string> call(Service& from, std::string service, std::string method, std::string text,
                                const rpc::CallOptions& options = {}) {
  struct Run {
    static Task<void> once(Service& from, const std::string& service, const std::string& method, const Text& request,
                           const rpc::CallOptions& options, Result<std::string>& result) {
      Context context;
      Text reply;
      rpc::Reply done =
          co_await from.client().call(context, service, "test.Echo", method, codec::ref(request), codec::ref(reply), options);
      if (done) {
        result = reply.value();
      } else {
        result = std::unexpected(std::move(done.error()));
      }
    }
  };
  Text request;
  request.set_value(text);
  Result<std::string> result;
  from.run_on_loop(Run::once(from, service, method, request, options, result));
  return result;
}

inline rpc::CallOptions at(const Service& service) {
  rpc::CallOptions options;
  options.addresses = {service.address()};
  return options;
}

// What a registry lists, asked on a loop of `from`: "name@version address address".
inline std::vector<std::string> listed(Service& from, registry::Registry& registry) {
  struct Run {
    static Task<void> once(registry::Registry& registry, std::vector<std::string>& out) {
      Context context;
      const auto services = co_await registry.list_services(context);
      if (!services) {
        out.push_back(services.error().to_string());
        co_return;
      }
      for (const registry::Service& service : *services) {
        std::string line = service.name + "@" + service.version;
        for (const registry::Node& node : service.nodes) line += " " + node.address;
        out.push_back(std::move(line));
      }
    }
  };
  std::vector<std::string> out;
  from.run_on_loop(Run::once(registry, out));
  return out;
}

}  // namespace micro::test
