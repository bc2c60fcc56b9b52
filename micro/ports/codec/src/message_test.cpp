#include <micro/codec/message.hpp>

#include <gtest/gtest.h>

namespace micro::codec {
namespace {

// Counts what is out, so that a test sees every acquire() met by one release().
class CountingType final : public MessageType {
 public:
  Family family() const noexcept override { return Family::kBytes; }
  std::string_view name() const noexcept override { return "counted"; }
  void* acquire() const override {
    ++out;
    return new std::string;
  }
  void release(void* message) const noexcept override {
    --out;
    delete static_cast<std::string*>(message);
  }
  Schema schema() const override { return {"counted", "counted", {}}; }
  mutable int out = 0;
};

TEST(MessagePtr, OwnsBetweenAcquireAndRelease) {
  const CountingType type;
  {
    MessagePtr first(type);
    ASSERT_TRUE(first);
    EXPECT_EQ(type.out, 1);
    EXPECT_EQ(first.get().type, &type);
    EXPECT_EQ(first.get().data, first.data());

    void* data = first.data();
    MessagePtr second = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): the moved-from state is part of the contract
    EXPECT_EQ(second.data(), data);
    EXPECT_EQ(type.out, 1);

    MessagePtr third(type);
    EXPECT_EQ(type.out, 2);
    third = std::move(second);
    EXPECT_EQ(type.out, 1);
    EXPECT_EQ(third.data(), data);

    MessagePtr& self = third;
    third = std::move(self);
    EXPECT_EQ(third.data(), data);

    third.reset();
    EXPECT_EQ(type.out, 0);
    EXPECT_FALSE(third);
    third.reset();
    EXPECT_EQ(type.out, 0);
  }
  EXPECT_EQ(type.out, 0);
}

TEST(MessagePtr, NullByDefault) {
  const MessagePtr none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.data(), nullptr);
  EXPECT_FALSE(none.get());
  EXPECT_FALSE(MessageRef{});
}

TEST(MessageType, HasNoFileDescriptorsUnlessItSaysSo) { EXPECT_TRUE(CountingType().file_descriptors().empty()); }

}  // namespace
}  // namespace micro::codec
