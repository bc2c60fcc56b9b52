#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/call/chain.hpp>
#include <micro/call/endpoint.hpp>
#include <micro/coro/run_on.hpp>
#include <micro/coro/sleep.hpp>
#include <micro/loop/group.hpp>
#include <micro/middleware/access_log.hpp>
#include <micro/middleware/deadline.hpp>
#include <micro/middleware/recovery.hpp>

namespace micro::rpc {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Lines final : public log::Logger::Sink {
 public:
  void write(log::Level level, std::string_view line) override {
    std::lock_guard lock(mutex_);
    lines_.push_back(std::string(log::to_string(level)) + "|" + std::string(line));
  }
  std::vector<std::string> get() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class Function final : public CallHandler {
 public:
  using Body = Task<Reply> (*)(Context&, Call&);
  explicit Function(Body body) : body_(body) {}
  Task<Reply> handle(Context& context, Call& call) override { return body_(context, call); }

 private:
  Body body_;
};

// Runs calls through a chain on a loop of their own.
class MiddlewareTest : public testing::Test {
 protected:
  MiddlewareTest() : loops_(one_loop()), sink_(std::make_shared<Lines>()), logger_(log::Logger::Options{}, sink_) {
    loops_.start();
  }
  ~MiddlewareTest() override {
    loops_.stop();
    loops_.join();
  }

  Reply run(Function::Body body) {
    Function last(body);
    Reply reply;
    run_on(loops_.loop(0), run_task(last, reply));
    return reply;
  }

  // What to do to the context on the loop, before the call.
  std::function<void(Context&)> prepare_;
  MiddlewareChain chain_;
  Endpoint endpoint_;
  Call call_ = [] {
    Call call;
    call.service = "test.Echo";
    call.method = "Say";
    return call;
  }();

 private:
  static LoopGroup::Options one_loop() {
    LoopGroup::Options options;
    options.size = 1;
    return options;
  }
  Task<void> run_task(Function& last, Reply& reply) {
    Context context;
    context.begin_serving("10.0.0.7:50122", nullptr);
    context.set_request_id("r-1");
    if (prepare_) prepare_(context);
    reply = co_await chain_.run(context, call_, last);
  }

  LoopGroup loops_;

 protected:
  std::shared_ptr<Lines> sink_;
  log::Logger logger_;
};

TEST_F(MiddlewareTest, RecoveryHidesWhatAnExceptionSaid) {
  chain_.add(recovery(logger_));
  const Reply reply = run([](Context&, Call&) -> Task<Reply> {
    throw std::runtime_error("password is hunter2");
    co_return Reply{};
  });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kInternal);
  EXPECT_EQ(reply.error().message(), "the handler of test.Echo/Say failed with an exception; the server's log says more");
  EXPECT_THAT(sink_->get(),
              ElementsAre(AllOf(HasSubstr("error|"), HasSubstr("method=test.Echo/Say"), HasSubstr("password is hunter2"),
                                HasSubstr("peer=10.0.0.7:50122"), HasSubstr("request_id=r-1"))));
}

TEST_F(MiddlewareTest, RecoveryCatchesWhatIsThrownBeforeThereIsATask) {
  chain_.add(recovery(logger_));
  const Reply reply = run([](Context&, Call&) -> Task<Reply> { throw std::logic_error("no coroutine"); });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kInternal);
}

TEST_F(MiddlewareTest, RecoveryCatchesWhatIsNoException) {
  chain_.add(recovery(logger_));
  const Reply reply = run([](Context&, Call&) -> Task<Reply> {
    throw 42;
    co_return Reply{};
  });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kInternal);
  EXPECT_THAT(sink_->get(), ElementsAre(HasSubstr("an exception that is no std::exception")));
}

TEST_F(MiddlewareTest, RecoveryLeavesErrorsAlone) {
  chain_.add(recovery(logger_));
  const Reply reply = run([](Context&, Call&) -> Task<Reply> { co_return fail(not_found("no such name")); });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), not_found("no such name"));
  EXPECT_THAT(sink_->get(), IsEmpty());
}

// Answers with the time left as a message.
Task<Reply> tell_time_left(Context& context, Call&) {
  const auto left = context.remaining(Loop::current()->now());
  co_return fail(unknown(left ? std::to_string(std::chrono::ceil<seconds>(*left).count()) : "no limit"));
}

struct LimitCase {
  Duration limit;
  Duration endpoint;
  Duration caller;  // zero: the caller sets none
  std::string left;
};

class DeadlineTest : public MiddlewareTest, public testing::WithParamInterface<LimitCase> {};

TEST_P(DeadlineTest, GivesTheHandler) {
  chain_.add(deadline(GetParam().limit));
  endpoint_.timeout = GetParam().endpoint;
  call_.endpoint = &endpoint_;
  if (GetParam().caller > Duration{}) {
    prepare_ = [](Context& context) { context.set_deadline(Loop::current()->now() + GetParam().caller); };
  }
  const Reply reply = run(tell_time_left);
  EXPECT_EQ(reply.error().message(), GetParam().left);
}

INSTANTIATE_TEST_SUITE_P(Limits, DeadlineTest,
                         testing::Values(LimitCase{{}, {}, {}, "no limit"}, LimitCase{seconds(100), {}, {}, "100"},
                                         LimitCase{seconds(100), {}, seconds(50), "50"},
                                         LimitCase{seconds(100), {}, seconds(200), "100"}, LimitCase{{}, {}, seconds(50), "50"},
                                         LimitCase{seconds(100), seconds(50), {}, "50"},
                                         // An endpoint that is known to take longer.
                                         LimitCase{seconds(100), seconds(500), {}, "500"},
                                         LimitCase{seconds(100), seconds(500), seconds(300), "300"},
                                         LimitCase{{}, seconds(500), {}, "500"}));

TEST_F(MiddlewareTest, DeadlineOfACallWithoutEndpointIsTheLimit) {
  chain_.add(deadline(seconds(100)));
  EXPECT_EQ(run(tell_time_left).error().message(), "100");
}

TEST_F(MiddlewareTest, DeadlineThatHasPassedKeepsTheHandlerFromRunning) {
  chain_.add(deadline(Duration{}));
  prepare_ = [](Context& context) { context.set_deadline(Loop::current()->now() - seconds(1)); };
  const Reply reply = run([](Context&, Call&) -> Task<Reply> {
    ADD_FAILURE() << "the handler ran";
    co_return Reply{};
  });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), deadline_exceeded("the deadline had passed when the call arrived"));
}

TEST_F(MiddlewareTest, DeadlineThatPassesCancelsTheContext) {
  chain_.add(deadline(milliseconds(1)));
  const Reply reply = run([](Context& context, Call&) -> Task<Reply> { co_return co_await sleep(context, hours(1)); });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(reply.error().reason(), "REQUEST_TIMEOUT");
}

TEST_F(MiddlewareTest, DeadlineOfTheCallerIsNotTheServersLimit) {
  chain_.add(deadline(hours(1)));
  prepare_ = [](Context& context) { context.set_deadline(Loop::current()->now() + milliseconds(1)); };
  const Reply reply = run([](Context& context, Call&) -> Task<Reply> { co_return co_await sleep(context, hours(1)); });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), deadline_exceeded("the deadline of the call has passed"));
}

TEST_F(MiddlewareTest, AccessLogLevelFollowsTheCode) {
  logger_.set_level(log::Level::kTrace);
  chain_.add(access_log(logger_));
  const struct {
    Function::Body body;
    const char* line;
  } cases[] = {
      {[](Context&, Call&) -> Task<Reply> { co_return Reply{}; }, "debug|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(not_found("x")); }, "info|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(invalid_argument("x")); }, "info|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(cancelled("x")); }, "info|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(unauthenticated("x")); }, "info|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(internal("x")); }, "warn|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(unknown("x")); }, "warn|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(data_loss("x")); }, "warn|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(unavailable("x")); }, "warn|"},
      {[](Context&, Call&) -> Task<Reply> { co_return fail(deadline_exceeded("x")); }, "warn|"},
  };
  for (const auto& each : cases) {
    const std::size_t before = sink_->get().size();
    (void)run(each.body);
    ASSERT_EQ(sink_->get().size(), before + 1);
    EXPECT_THAT(sink_->get().back(), testing::StartsWith(each.line));
  }
}

TEST_F(MiddlewareTest, AccessLogSaysWhoCalledWhatAndHowItEnded) {
  chain_.add(access_log(logger_));
  call_.protocol = Protocol::kHttpJson;
  const Reply reply = run([](Context&, Call&) -> Task<Reply> { co_return fail(not_found("no user\njohn")); });
  EXPECT_EQ(reply.error(), not_found("no user\njohn")) << "the reply goes on unchanged";
  ASSERT_EQ(sink_->get().size(), 1u);
  const std::string line = sink_->get().front();
  for (const char* part :
       {"call ", "service=test.Echo", "method=Say", "peer=10.0.0.7:50122", "code=NOT_FOUND", "ms=", "request_id=r-1"}) {
    EXPECT_THAT(line, HasSubstr(part));
  }
  EXPECT_THAT(line, HasSubstr("protocol=" + std::string(to_string(Protocol::kHttpJson))));
  EXPECT_THAT(line, AllOf(HasSubstr("error="), Not(HasSubstr("\njohn")))) << "a value cannot fake another line";
}

TEST_F(MiddlewareTest, AccessLogIsSilentAboutSuccessUnlessAskedFor) {
  chain_.add(access_log(logger_));
  EXPECT_TRUE(run([](Context&, Call&) -> Task<Reply> { co_return Reply{}; }));
  EXPECT_THAT(sink_->get(), IsEmpty());
}

}  // namespace
}  // namespace micro::rpc
