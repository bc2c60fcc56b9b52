#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <micro/bytes/buffer.hpp>
#include <micro/codec/codec.hpp>

// The conformance suite of the codec port: what every Codec promises, whatever its format. A codec's tests say
//
//   INSTANTIATE_TEST_SUITE_P(Json, CodecConformance, testing::Values(Subject{...}), micro::codec::conformance::subject_name);
//
// in namespace micro::codec::conformance. Include it from exactly one source of a test program; link micro::codec-conformance.
namespace micro::codec::conformance {

// A message in the form the codec writes: unmarshal() followed by marshal() must give the same bytes back.
struct Sample {
  const MessageType* type = nullptr;
  std::string bytes;
};

struct Subject {
  std::string name;  // for the test's name: letters and digits
  std::function<std::unique_ptr<const Codec>()> make;
  std::vector<Sample> good;  // two at least, of the same type, with different content
  std::vector<Sample> bad;   // bytes the codec must refuse for that type
};

inline std::string subject_name(const testing::TestParamInfo<Subject>& info) { return info.param.name; }

class CodecConformance : public testing::TestWithParam<Subject> {
 protected:
  // The content of `message` as the codec writes it, or the error's text.
  static std::string written(const Codec& codec, MessageRef message) {
    Buffer out;
    const auto done = codec.marshal(message, out);
    return done ? std::string(out.view()) : done.error().to_string();
  }

  const std::unique_ptr<const Codec> codec_ = GetParam().make();
};

// A type of a family no codec knows.
class AlienType final : public MessageType {
 public:
  Family family() const noexcept override { return static_cast<Family>(255); }
  std::string_view name() const noexcept override { return "alien.Message"; }
  void* acquire() const override { return new int(0); }
  void release(void* message) const noexcept override { delete static_cast<int*>(message); }
  Schema schema() const override { return {}; }
};

TEST_P(CodecConformance, NamesItself) {
  EXPECT_FALSE(codec_->name().empty());
  for (const char c : codec_->name()) EXPECT_TRUE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') << c;
  EXPECT_NE(codec_->content_type().find('/'), std::string_view::npos);
  for (const std::string_view alias : codec_->content_type_aliases()) {
    EXPECT_NE(alias.find('/'), std::string_view::npos) << alias;
    EXPECT_NE(alias, codec_->content_type());
  }
}

TEST_P(CodecConformance, GivesBackWhatItRead) {
  for (const Sample& sample : GetParam().good) {
    const MessagePtr message(*sample.type);
    const auto read = codec_->unmarshal(sample.bytes, message.get());
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(written(*codec_, message.get()), sample.bytes);
  }
}

TEST_P(CodecConformance, MarshalAppends) {
  for (const Sample& sample : GetParam().good) {
    const MessagePtr message(*sample.type);
    ASSERT_TRUE(codec_->unmarshal(sample.bytes, message.get()));
    Buffer out;
    out.append("before");
    ASSERT_TRUE(codec_->marshal(message.get(), out));
    EXPECT_EQ(out.view(), "before" + sample.bytes);
  }
}

TEST_P(CodecConformance, UnmarshalReplaces) {
  const auto& good = GetParam().good;
  ASSERT_GE(good.size(), 2u);
  const MessagePtr message(*good[0].type);
  for (const Sample& sample : good) {
    if (sample.type != good[0].type) continue;
    ASSERT_TRUE(codec_->unmarshal(sample.bytes, message.get()));
    EXPECT_EQ(written(*codec_, message.get()), sample.bytes);
  }
}

TEST_P(CodecConformance, RefusesBadInputAndKeepsTheMessageUsable) {
  for (const Sample& sample : GetParam().bad) {
    const MessagePtr message(*sample.type);
    const auto read = codec_->unmarshal(sample.bytes, message.get());
    ASSERT_FALSE(read) << testing::PrintToString(sample.bytes);
    EXPECT_EQ(read.error().code(), Code::kInvalidArgument) << read.error().to_string();
    EXPECT_FALSE(read.error().message().empty());
    for (const Sample& good : GetParam().good) {
      if (good.type != sample.type) continue;
      ASSERT_TRUE(codec_->unmarshal(good.bytes, message.get()));
      EXPECT_EQ(written(*codec_, message.get()), good.bytes);
    }
  }
}

// Input cut off anywhere is either refused or a shorter message; it is never anything else.
TEST_P(CodecConformance, SurvivesTruncation) {
  for (const Sample& sample : GetParam().good) {
    const MessagePtr message(*sample.type);
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
      // A copy of exactly this size, so that a sanitizer sees a read past the end.
      const std::vector<char> cut(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const auto read = codec_->unmarshal({cut.data(), cut.size()}, message.get());
      if (!read) {
        EXPECT_EQ(read.error().code(), Code::kInvalidArgument) << read.error().to_string();
      }
    }
  }
}

TEST_P(CodecConformance, AnswersUnimplementedForFamiliesItDoesNotKnow) {
  const AlienType type;
  const MessagePtr message(type);
  Buffer out;
  out.append("before");
  const auto marshalled = codec_->marshal(message.get(), out);
  ASSERT_FALSE(marshalled);
  EXPECT_EQ(marshalled.error().code(), Code::kUnimplemented);
  EXPECT_NE(marshalled.error().message().find("alien.Message"), std::string::npos) << marshalled.error().message();
  EXPECT_EQ(out.view(), "before");
  const auto unmarshalled = codec_->unmarshal("", message.get());
  ASSERT_FALSE(unmarshalled);
  EXPECT_EQ(unmarshalled.error().code(), Code::kUnimplemented);
}

TEST_P(CodecConformance, MayBeUsedFromManyThreads) {
  std::vector<std::vector<std::string>> results(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : results) {
      threads.emplace_back([this, &mine] {
        for (int round = 0; round < 20; ++round) {
          for (const Sample& sample : GetParam().good) {
            const MessagePtr message(*sample.type);
            const auto read = codec_->unmarshal(sample.bytes, message.get());
            mine.push_back(read ? written(*codec_, message.get()) : read.error().to_string());
          }
        }
      });
    }
  }
  for (const auto& mine : results) {
    for (std::size_t i = 0; i < mine.size(); ++i) EXPECT_EQ(mine[i], GetParam().good[i % GetParam().good.size()].bytes);
  }
}

}  // namespace micro::codec::conformance
