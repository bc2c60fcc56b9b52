#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/client/client.hpp>
#include <micro/codecs/bytes.hpp>
#include <micro/coro/block_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/coro/when_all.hpp>
#include <micro/registry/cache.hpp>

#include "fake_server.hpp"

namespace micro::client::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A client and servers on one loop, which the test's own thread runs.
class ClientFixture : public ::testing::Test {
 protected:
  ~ClientFixture() override {
    const TimePoint now = Clock::now();
    if (client_) block_on(loop_, client_->stop(now));
    for (const auto& server : servers_) block_on(loop_, server->stop());
    while (loop_.run_once(Duration::zero())) {
    }
  }

  FakeServer& serve(FakeServer::Handler handler, FakeServer::Options options = {}) {
    servers_.push_back(std::make_unique<FakeServer>(loop_, std::move(handler), std::move(options)));
    return *servers_.back();
  }
  // Answers "Hello <request>".
  static void hello(const FakeCallPtr& call) { call->reply("Hello " + call->messages().at(0)); }

  rpc::Client& client() {
    if (!client_) client_ = std::make_unique<rpc::Client>(group_, nullptr, options_);
    return *client_;
  }
  rpc::CallOptions at(const FakeServer& server) {
    rpc::CallOptions options;
    options.addresses = {server.address()};
    return options;
  }
  rpc::CallOptions at(const std::vector<std::string>& addresses) {
    rpc::CallOptions options;
    options.addresses = addresses;
    return options;
  }

  Task<Result<std::string>> ask(Context& context, rpc::CallOptions options, std::string request = "John") {
    std::string reply;
    const Result<void> done =
        co_await client().call(context, "greeter", "greeter.Greeter", "Hello", codec::ref(request), codec::ref(reply), options);
    if (!done) co_return fail(done.error());
    co_return reply;
  }
  Result<std::string> call(Context& context, const rpc::CallOptions& options, std::string request = "John") {
    return run(ask(context, options, std::move(request)));
  }
  Result<std::string> call(const rpc::CallOptions& options, std::string request = "John") {
    Context context;
    return call(context, options, std::move(request));
  }
  // Starts a call in the background.
  struct Pending {
    Context context;
    std::optional<Result<std::string>> result;
    Event done;
  };
  std::shared_ptr<Pending> start(rpc::CallOptions options, std::string request = "John") {
    auto pending = std::make_shared<Pending>();
    spawn(follow(pending, std::move(options), std::move(request)));
    return pending;
  }
  Result<std::string> result(const std::shared_ptr<Pending>& pending) {
    block_on(loop_, wait(pending));
    return *pending->result;
  }

  Task<Result<std::unique_ptr<rpc::ClientStream>>> open(Context& context, rpc::MethodKind kind, const rpc::CallOptions& options,
                                                        codec::MessageRef request = {}) {
    return client().stream(context, "greeter", "greeter.Greeter", "Stream", kind, request, options);
  }

  template <class T>
  T run(Task<T> task) {
    return block_on(loop_, std::move(task));
  }
  // Lets the loop go on until `condition` holds.
  template <class F>
  void run_until(F condition) {
    while (!condition()) loop_.run_once(milliseconds(100));
  }

  LoopGroup group_{LoopGroup::Options{.size = 1}};
  Loop& loop_ = group_.loop(0);
  rpc::ClientOptions options_;
  std::unique_ptr<rpc::Client> client_;
  std::vector<std::unique_ptr<FakeServer>> servers_;

 private:
  Task<void> follow(std::shared_ptr<Pending> pending, rpc::CallOptions options, std::string request) {
    co_await loop_.schedule();
    pending->result = co_await ask(pending->context, std::move(options), std::move(request));
    pending->done.set();
  }
  static Task<void> wait(std::shared_ptr<Pending> pending) { co_await pending->done.wait(); }
};

}  // namespace micro::client::testing
