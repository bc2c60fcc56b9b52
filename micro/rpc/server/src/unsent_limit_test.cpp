#include <memory>
#include <thread>
#include <vector>

#include <micro/server/server.hpp>

#include "test_server.hpp"

namespace micro::rpc::test {
namespace {

// Callers that have no window for their answers.
TEST(UnsentLimit, MemoryOfAnswersNobodyTakes) {
  ServerOptions options = TestServer::default_options();
  options.max_unsent_bytes = 1'000'000;
  TestServer server(1, options);
  server.start();
  http2::Options no_window;
  no_window.initial_window = 1;
  no_window.max_window = 1;
  std::vector<std::unique_ptr<Http2Client>> callers;
  const auto ask = [&] {
    callers.push_back(std::make_unique<Http2Client>(server, no_window));
    Http2Client& caller = *callers.back();
    caller.withhold_credit();
    caller.message(caller.open("/test.Echo/Say"), std::string(400'000, 'x'), true);
    Answer& answer = caller.answer();
    caller.run_until([&] { return !answer.status.empty(); });
    return &answer;
  };
  ask();
  ask();
  while (server.server.counters().unsent_bytes < 800'000) std::this_thread::yield();
  const Answer* const third = ask();
  Http2Client& last = *callers.back();
  last.run_until([&] { return third->closed; });
  EXPECT_EQ(server.server.counters().unsent_refusals, 1U);
  EXPECT_LE(server.server.counters().unsent_bytes, 1'000'000U);

  // Small answers, and those who take theirs, are served on.
  Http2Client good(server);
  EXPECT_THAT(good.call("/test.Echo/Say", "hello").messages, testing::ElementsAre("you said hello"));
  callers.clear();
  while (server.server.counters().unsent_bytes != 0) std::this_thread::yield();
  EXPECT_EQ(good.call("/test.Echo/Say", std::string(1'000'000, 'x')).messages.size(), 1U);
  EXPECT_EQ(server.server.counters().unsent_refusals, 1U);
}

}  // namespace
}  // namespace micro::rpc::test
