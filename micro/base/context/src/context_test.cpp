#include <micro/context/context.hpp>

#include <gtest/gtest.h>

namespace micro {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1000s};

TEST(Context, StartsWithoutLimits) {
  const Context context;
  EXPECT_EQ(context.deadline(), std::nullopt);
  EXPECT_EQ(context.remaining(kNow), std::nullopt);
  EXPECT_FALSE(context.cancelled());
  EXPECT_EQ(context.error(), std::nullopt);
  EXPECT_TRUE(context.metadata().empty());
  EXPECT_EQ(context.peer(), "");
  EXPECT_EQ(context.request_id(), "");
}

TEST(Context, DeadlinesOnlyMoveForward) {
  Context context;
  context.set_timeout(10s, kNow);
  EXPECT_EQ(context.deadline(), kNow + 10s);
  context.set_timeout(20s, kNow);
  EXPECT_EQ(context.deadline(), kNow + 10s);
  context.set_deadline(kNow + 5s);
  EXPECT_EQ(context.deadline(), kNow + 5s);
}

TEST(Context, RemainingIsNeverNegative) {
  Context context;
  context.set_deadline(kNow + 5s);
  EXPECT_EQ(context.remaining(kNow), 5s);
  EXPECT_EQ(context.remaining(kNow + 5s), 0s);
  EXPECT_EQ(context.remaining(kNow + 9s), 0s);
  context.set_deadline(TimePoint::min());
  EXPECT_EQ(context.remaining(kNow), 0s);
}

TEST(Context, ExtremeTimeouts) {
  Context endless;
  endless.set_timeout(Duration::max(), kNow);
  EXPECT_EQ(endless.deadline(), std::nullopt);
  Context over;
  over.set_timeout(Duration::min(), kNow);
  EXPECT_EQ(over.deadline(), kNow);
  Context last;
  last.set_timeout(TimePoint::max() - kNow, kNow);
  EXPECT_EQ(last.deadline(), TimePoint::max());
}

TEST(Context, ChildInheritsDeadlineOutgoingMetadataAndIds) {
  Context parent;
  parent.set_deadline(kNow + 5s);
  parent.incoming().add("in", "1");
  parent.outgoing().add("out", "2");
  parent.reply_headers().add("reply", "3");
  parent.set_request_id("id-1");
  parent.begin_serving("10.0.0.7:50122", std::make_shared<PeerIdentity>());
  EXPECT_TRUE(parent.secure());
  Context child(parent);
  EXPECT_FALSE(child.secure()) << "says who called, not whom the child will call";
  EXPECT_EQ(child.deadline(), kNow + 5s);
  EXPECT_TRUE(child.metadata().empty());
  EXPECT_EQ(child.outgoing(), parent.outgoing());
  EXPECT_TRUE(child.reply_headers().empty());
  EXPECT_EQ(child.request_id(), "id-1");
  EXPECT_EQ(child.peer(), "");
  child.set_deadline(kNow + 1s);
  child.outgoing().set("out", "changed");
  EXPECT_EQ(parent.deadline(), kNow + 5s);
  EXPECT_EQ(parent.outgoing().get("out"), "2");
}

TEST(Context, ARequestWithoutAnIdIsGivenOneWhenAsked) {
  Context context;
  EXPECT_EQ(context.request_id(), "") << "nobody's request";
  context.begin_serving("10.0.0.7:50122", nullptr);
  const std::string id = context.request_id();
  EXPECT_TRUE(id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string::npos) << id;
  EXPECT_EQ(context.request_id(), id);
  EXPECT_EQ(Context(context).request_id(), id);
  context.reset();
  context.begin_serving("10.0.0.7:50122", nullptr);
  EXPECT_NE(context.request_id(), id);
}

TEST(Context, AnIdThatDoesNotBelongInALogIsNotTaken) {
  for (const std::string& id : {std::string(), std::string("two words"), std::string("line\nbreak"), std::string("caf\xc3\xa9"),
                                std::string(129, 'x'), std::string("nul\0", 4), std::string("del\x7f")}) {
    Context context;
    context.set_request_id(id);
    EXPECT_EQ(context.request_id(), "") << id;
  }
  Context context;
  context.set_request_id(std::string(128, '~'));
  EXPECT_EQ(context.request_id(), std::string(128, '~'));
}

TEST(Context, TheIdTravelsUnlessOutgoingMetadataHasOne) {
  Context context;
  EXPECT_EQ(context.request_id_to_send(), "");
  context.set_request_id("id-1");
  EXPECT_EQ(context.request_id_to_send(), "id-1");
  context.outgoing().add("X-Request-Id", "mine");
  EXPECT_EQ(context.request_id_to_send(), "");
  EXPECT_EQ(context.request_id(), "id-1");
}

TEST(Context, CancellationGoesDownWithItsReason) {
  Context parent;
  Context child(parent);
  Context grandchild(child);
  parent.cancel(deadline_exceeded("too slow"));
  EXPECT_TRUE(grandchild.cancelled());
  EXPECT_EQ(child.error(), deadline_exceeded("too slow"));
  EXPECT_EQ(grandchild.error(), deadline_exceeded("too slow"));
}

TEST(Context, CancellationDoesNotGoUp) {
  Context parent;
  Context child(parent);
  child.cancel(cancelled("lost interest"));
  EXPECT_FALSE(parent.cancelled());
  parent.cancel(internal("later"));
  EXPECT_EQ(child.error(), cancelled("lost interest"));
}

TEST(Context, AChildOfACancelledParentIsCancelled) {
  Context parent;
  parent.cancel(cancelled("gone"));
  const Context child(parent);
  EXPECT_EQ(child.error(), cancelled("gone"));
}

TEST(Context, AChildMayGoBeforeItsParentIsCancelled) {
  Context parent;
  {
    Context child(parent);
  }
  parent.cancel(cancelled("gone"));
  EXPECT_TRUE(parent.cancelled());
}

TEST(Context, ACallForgetsWhatTheLastOneWasAnswered) {
  Context context;
  context.begin_calling("10.0.0.7:1", std::make_shared<PeerIdentity>());
  context.reply_headers().add("k", "v");
  context.reply_trailers().add("k", "v");
  context.begin_calling("10.0.0.8:1", nullptr);
  EXPECT_EQ(context.peer(), "10.0.0.8:1");
  EXPECT_FALSE(context.secure());
  EXPECT_TRUE(context.reply_headers().empty());
  EXPECT_TRUE(context.reply_trailers().empty());
}

TEST(Context, ACallOfAHandlerLeavesItsCallerAlone) {
  Context context;
  const auto identity = std::make_shared<PeerIdentity>();
  context.begin_serving("10.0.0.7:50122", identity);
  context.reply_headers().add("k", "v");
  context.reply_trailers().add("k", "v");
  context.begin_calling("10.0.0.8:1", nullptr);
  EXPECT_EQ(context.peer(), "10.0.0.7:50122");
  EXPECT_EQ(context.peer_identity(), identity);
  EXPECT_EQ(context.reply_headers().get("k"), "v");
  EXPECT_EQ(context.reply_trailers().get("k"), "v");
}

TEST(Context, ResetMakesItNew) {
  Context parent;
  Context context(parent);
  context.set_deadline(kNow);
  context.begin_serving("peer", std::make_shared<PeerIdentity>());
  context.set_request_id("id");
  for (Metadata* metadata : {&context.incoming(), &context.outgoing(), &context.reply_headers(), &context.reply_trailers()}) {
    metadata->add("k", "v");
  }
  const void* const memory = context.incoming()[0].key.data();
  context.cancel(cancelled("gone"));
  context.reset();
  EXPECT_EQ(context.deadline(), std::nullopt);
  EXPECT_FALSE(context.secure());
  EXPECT_FALSE(context.serving());
  EXPECT_FALSE(context.cancelled());
  EXPECT_EQ(context.error(), std::nullopt);
  EXPECT_EQ(context.peer(), "");
  EXPECT_EQ(context.request_id(), "");
  for (const Metadata* metadata :
       {&context.incoming(), &context.outgoing(), &context.reply_headers(), &context.reply_trailers()}) {
    EXPECT_TRUE(metadata->empty());
  }
  parent.cancel(cancelled("no longer its business"));
  EXPECT_FALSE(context.cancelled());
  context.incoming().add("k", "v");
  EXPECT_EQ(context.incoming()[0].key.data(), memory);
}

TEST(Context, CompressionIsForgottenWithReset) {
  Context context;
  context.set_reply_compression(Compress::kOn);
  context.set_request_compression(Compress::kOff);
  context.set_request_was_compressed(true);
  context.set_reply_was_compressed(true);
  const Context child(context);
  EXPECT_EQ(child.reply_compression(), Compress::kDefault);
  EXPECT_EQ(child.request_compression(), Compress::kDefault);
  context.reset();
  EXPECT_EQ(context.reply_compression(), Compress::kDefault);
  EXPECT_EQ(context.request_compression(), Compress::kDefault);
  EXPECT_FALSE(context.request_was_compressed());
  EXPECT_FALSE(context.reply_was_compressed());
}

}  // namespace
}  // namespace micro
