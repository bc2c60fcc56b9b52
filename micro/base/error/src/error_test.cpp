#include <micro/error/error.hpp>

#include <gtest/gtest.h>

namespace micro {
namespace {

Error sample() {
  Error error = not_found("no user john").with_reason("NO_USER").with("tenant", "acme").with_cause(unavailable("store is down"));
  error.add_detail("any");
  return error;
}

TEST(Error, IsOnePointer) { EXPECT_EQ(sizeof(Error), sizeof(void*)); }

TEST(Error, OkIsStoredAsUnknown) { EXPECT_EQ(Error(Code::kOk, "odd").code(), Code::kUnknown); }

TEST(Error, PlainErrorHasNoExtras) {
  const Error error = internal("broken");
  EXPECT_EQ(error.code(), Code::kInternal);
  EXPECT_EQ(error.message(), "broken");
  EXPECT_EQ(error.reason(), "");
  EXPECT_TRUE(error.metadata().empty());
  EXPECT_TRUE(error.details().empty());
  EXPECT_EQ(error.cause(), nullptr);
  EXPECT_EQ(error.find("x"), nullptr);
}

TEST(Error, FactoriesSetTheirCode) {
  const std::pair<Error (*)(std::string), Code> factories[] = {
      {cancelled, Code::kCancelled},
      {unknown, Code::kUnknown},
      {invalid_argument, Code::kInvalidArgument},
      {deadline_exceeded, Code::kDeadlineExceeded},
      {not_found, Code::kNotFound},
      {already_exists, Code::kAlreadyExists},
      {permission_denied, Code::kPermissionDenied},
      {resource_exhausted, Code::kResourceExhausted},
      {failed_precondition, Code::kFailedPrecondition},
      {aborted, Code::kAborted},
      {out_of_range, Code::kOutOfRange},
      {unimplemented, Code::kUnimplemented},
      {internal, Code::kInternal},
      {unavailable, Code::kUnavailable},
      {data_loss, Code::kDataLoss},
      {unauthenticated, Code::kUnauthenticated},
  };
  for (const auto& [make, code] : factories) {
    EXPECT_EQ(make("m").code(), code);
    EXPECT_EQ(make("m").message(), "m");
  }
}

TEST(Error, FindGivesTheFirstValueOfAKey) {
  const Error error = aborted("m").with("k", "1").with("k", "2");
  ASSERT_NE(error.find("k"), nullptr);
  EXPECT_EQ(*error.find("k"), "1");
  EXPECT_EQ(error.metadata().size(), 2u);
}

TEST(Error, BuildersRefineAnExistingError) {
  Error error = internal("m");
  error.with("a", "1").with("b", "2");
  EXPECT_EQ(error.metadata().size(), 2u);
}

TEST(Error, ContextGoesBeforeTheMessageAndKeepsTheRest) {
  const Error error = sample().with_context("greet");
  EXPECT_EQ(error.message(), "greet: no user john");
  EXPECT_EQ(error.reason(), "NO_USER");
  EXPECT_EQ(error.details().size(), 1u);
  ASSERT_NE(error.cause(), nullptr);
}

TEST(Error, ToStringShowsEveryPartThatIsThere) {
  EXPECT_EQ(internal("").to_string(), "INTERNAL");
  EXPECT_EQ(internal("broken").to_string(), "INTERNAL: broken");
  EXPECT_EQ(Error(Code::kAborted, "RACE", "lost").to_string(), "ABORTED [RACE]: lost");
  EXPECT_EQ(sample().with("shard", "7").to_string(),
            "NOT_FOUND [NO_USER]: no user john {tenant=acme, shard=7}: caused by: UNAVAILABLE: store is down");
}

TEST(Error, CopiesShareNothing) {
  const Error original = sample();
  Error copy = original;
  EXPECT_EQ(copy, original);
  EXPECT_NE(copy.cause(), original.cause());
  copy.with("more", "1");
  copy.add_detail("second");
  EXPECT_EQ(original.find("more"), nullptr);
  EXPECT_EQ(original.details().size(), 1u);
  EXPECT_FALSE(copy == original);
}

TEST(Error, AssignmentReplacesAndSurvivesItself) {
  Error error = internal("old");
  error = sample();
  EXPECT_EQ(error, sample());
  Error& alias = error;
  error = alias;
  EXPECT_EQ(error, sample());
  error = std::move(alias);
  EXPECT_EQ(error, sample());
}

TEST(Error, CanBecomeItsOwnCause) {
  Error error = sample();
  error = *error.cause();
  EXPECT_EQ(error, unavailable("store is down"));
}

TEST(Error, MovedFromCanBeAssigned) {
  Error from = sample();
  const Error to = std::move(from);
  EXPECT_EQ(to, sample());
  from = internal("again");
  EXPECT_EQ(from.message(), "again");
}

TEST(Error, EqualityLooksAtEverything) {
  const Error plain = internal("m");
  EXPECT_EQ(plain, internal("m"));
  EXPECT_FALSE(plain == unknown("m"));
  EXPECT_FALSE(plain == internal("n"));
  EXPECT_FALSE(plain == internal("m").with_reason("R"));
  EXPECT_FALSE(plain == internal("m").with("k", "v"));
  EXPECT_FALSE(plain == internal("m").with_cause(internal("c")));
  EXPECT_FALSE(internal("m").with_cause(internal("c")) == internal("m").with_cause(internal("d")));
}

TEST(Error, ResultCarriesValueOrError) {
  const auto half = [](int number) -> Result<int> {
    if (number % 2 != 0) return fail(invalid_argument("odd").with("number", "3"));
    return number / 2;
  };
  EXPECT_EQ(half(4), 2);
  ASSERT_FALSE(half(3));
  EXPECT_EQ(half(3).error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace micro
