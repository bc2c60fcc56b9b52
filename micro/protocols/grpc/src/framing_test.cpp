#include <micro/grpc/framing.hpp>

#include <limits>
#include <utility>

namespace micro::grpc {
namespace {

using Messages = std::vector<std::pair<std::string, bool>>;

std::string frame(std::string_view payload, bool compressed = false) {
  Buffer out;
  append_frame(out, payload, compressed);
  return std::string(out.view());
}

std::string prefix(std::uint32_t size, char flag = 0) {
  std::string out(kPrefixSize, '\0');
  store_prefix(out.data(), size, false);
  out[0] = flag;
  return out;
}

// Takes everything the reader has; the messages as they came, an error as the test's failure.
void take_all(MessageReader& reader, Messages& out) {
  for (;;) {
    auto message = reader.next();
    ASSERT_TRUE(message) << message.error().to_string();
    if (!*message) return;
    out.emplace_back((*message)->payload, (*message)->compressed);
  }
}

Error error_of(MessageReader& reader) {
  for (;;) {
    auto message = reader.next();
    if (!message) return message.error();
    if (!*message) return Error(Code::kOk, "no error");
  }
}

TEST(AppendFrame, WritesFlagLengthAndPayload) {
  EXPECT_EQ(frame("hello"), std::string("\0\0\0\0\5hello", 10));
  EXPECT_EQ(frame("", true), std::string("\1\0\0\0\0", 5));
  EXPECT_EQ(frame(std::string(0x10203, 'x')).substr(0, 5), std::string("\0\0\1\2\3", 5));
}

TEST(AppendFrame, ChainsGetTheSameBytes) {
  const std::string large(3 * Chain::kCopyThreshold, 'l');
  Chain chain;
  append_frame(chain, "small", true);
  Buffer buffer;
  buffer.append(large);
  const char* const memory = buffer.data();
  append_frame(chain, std::move(buffer), false);
  EXPECT_EQ(chain.size(), 2 * kPrefixSize + 5 + large.size());

  std::string_view runs[8];
  const std::size_t count = chain.gather(runs);
  bool moved = false;
  for (std::size_t i = 0; i < count; ++i) moved = moved || runs[i].data() == memory;
  EXPECT_TRUE(moved) << "a large payload is not copied";
  EXPECT_EQ(chain.flatten(), frame("small", true) + frame(large));
}

TEST(BeginFrame, PatchesThePrefixOfWhatWasSerialisedBehindIt) {
  Buffer out;
  out.append("before");
  const std::size_t first = begin_frame(out);
  out.append("one");
  end_frame(out, first, false);
  const std::size_t second = begin_frame(out);
  out.append(std::string(5000, '2'));  // the buffer moves
  end_frame(out, second, true);
  const std::size_t empty = begin_frame(out);
  end_frame(out, empty, false);
  EXPECT_EQ(out.view(), "before" + frame("one") + frame(std::string(5000, '2'), true) + frame(""));

  const std::size_t cancelled = begin_frame(out);
  out.append("never sent");
  out.truncate(cancelled);
  EXPECT_EQ(out.view(), "before" + frame("one") + frame(std::string(5000, '2'), true) + frame(""));
}

TEST(CheckSendSize, NamesSizeLimitAndOption) {
  EXPECT_TRUE(check_send_size(10, 10));
  const auto refused = check_send_size(11, 10);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.error().message(), "message of 11 bytes is larger than the limit of 10 bytes (option max_send_message_size)");
}

TEST(MessageReader, WholeMessagesArePartsOfTheFedView) {
  const std::string data = frame("first") + frame("") + frame("third", true) + frame("rest").substr(0, 7);
  MessageReader reader({.encoding = Compression::kGzip});
  reader.feed(data);
  for (const std::size_t offset : {kPrefixSize, 2 * kPrefixSize + 5, 3 * kPrefixSize + 5}) {
    const auto message = reader.next();
    ASSERT_TRUE(message && *message);
    EXPECT_EQ((*message)->payload.data(), data.data() + offset);
  }
  const auto more = reader.next();
  ASSERT_TRUE(more);
  EXPECT_FALSE(*more);
  EXPECT_EQ(reader.pending(), 7U);
}

TEST(MessageReader, EverySplitInThreeGivesTheSameMessages) {
  const Messages expected = {{"one", false}, {"", false}, {std::string(40, 'x'), true}, {"four", false}};
  std::string data;
  for (const auto& [payload, compressed] : expected) data += frame(payload, compressed);
  for (std::size_t a = 0; a <= data.size(); ++a) {
    for (std::size_t b = a; b <= data.size(); ++b) {
      MessageReader reader({.encoding = Compression::kGzip});
      Messages messages;
      for (const auto& [from, to] : {std::pair{std::size_t{0}, a}, std::pair{a, b}, std::pair{b, data.size()}}) {
        // A copy that is gone afterwards: what next() did not hand out must not be read from it again.
        const std::vector<char> part(data.begin() + static_cast<std::ptrdiff_t>(from),
                                     data.begin() + static_cast<std::ptrdiff_t>(to));
        reader.feed({part.data(), part.size()});
        take_all(reader, messages);
      }
      ASSERT_EQ(messages, expected) << "split at " << a << " and " << b;
      EXPECT_TRUE(reader.finish());
      EXPECT_EQ(reader.pending(), 0U);
    }
  }
}

TEST(MessageReader, OneByteAtATime) {
  const std::string data = frame("hello") + frame("world");
  MessageReader reader;
  Messages messages;
  for (const char byte : data) {
    reader.feed({&byte, 1});
    take_all(reader, messages);
  }
  EXPECT_EQ(messages, (Messages{{"hello", false}, {"world", false}}));
}

TEST(MessageReader, KeepLetsTheViewGoInTheMiddle) {
  auto data = std::make_unique<std::string>(frame("one") + frame("two") + frame("three").substr(0, 6));
  MessageReader reader;
  reader.feed(*data);
  ASSERT_EQ((*reader.next())->payload, "one");
  reader.keep();
  data.reset();
  EXPECT_EQ(reader.pending(), kPrefixSize + 3 + 6);
  const std::string rest = frame("three").substr(6) + frame("four");
  reader.feed(rest);
  Messages messages;
  take_all(reader, messages);
  EXPECT_EQ(messages, (Messages{{"two", false}, {"three", false}, {"four", false}}));
}

TEST(MessageReader, FeedKeepsWhatWasNotRead) {
  auto first = std::make_unique<std::string>(frame("one") + frame("two"));
  MessageReader reader;
  reader.feed(*first);
  const std::string second = frame("three");
  reader.feed(second);
  first.reset();
  Messages messages;
  take_all(reader, messages);
  EXPECT_EQ(messages, (Messages{{"one", false}, {"two", false}, {"three", false}}));
}

TEST(MessageReader, AHugeAnnouncedLengthAllocatesNothing) {
  MessageReader reader({.max_message_size = std::numeric_limits<std::size_t>::max()});
  const std::string data = prefix(0xFFFFFFFF) + "little";
  reader.feed(data);
  const auto message = reader.next();
  ASSERT_TRUE(message);
  EXPECT_FALSE(*message);
  EXPECT_EQ(reader.pending(), data.size());
  const auto end = reader.finish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code(), Code::kInternal);
  EXPECT_EQ(end.error().message(), "the stream ended in the middle of a message (11 bytes of it had arrived)");
}

TEST(MessageReader, RefusesFromThePrefix) {
  const struct {
    const char* what;
    std::string data;
    MessageReader::Options options;
    Code code;
    std::string_view message;
  } cases[] = {
      {"one byte too many",
       prefix(11),
       {.max_message_size = 10},
       Code::kResourceExhausted,
       "message of 11 bytes is larger than the limit of 10 bytes (option max_receive_message_size)"},
      {"the default limit",
       prefix(4 * 1024 * 1024 + 1),
       {},
       Code::kResourceExhausted,
       "message of 4194305 bytes is larger than the limit of 4194304 bytes (option max_receive_message_size)"},
      {"4 GiB",
       prefix(0xFFFFFFFF),
       {},
       Code::kResourceExhausted,
       "message of 4294967295 bytes is larger than the limit of 4194304 bytes (option max_receive_message_size)"},
      {"compressed without an encoding",
       prefix(3, 1),
       {},
       Code::kInternal,
       "compressed message on a stream whose grpc-encoding is identity or missing"},
      {"unknown flag",
       prefix(3, 2),
       {.encoding = Compression::kGzip},
       Code::kInternal,
       "message with the compressed flag 2: only 0 and 1 are defined (not gRPC?)"},
      {"text instead of a frame",
       "HTTP/1.1 200 OK",
       {},
       Code::kInternal,
       "message with the compressed flag 72: only 0 and 1 are defined (not gRPC?)"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    MessageReader whole(c.options);
    whole.feed(c.data);
    EXPECT_EQ(error_of(whole), Error(c.code, std::string(c.message)));

    MessageReader split(c.options);
    split.feed(std::string_view(c.data).substr(0, 2));
    ASSERT_TRUE(split.next());
    split.feed(std::string_view(c.data).substr(2));
    EXPECT_EQ(error_of(split), Error(c.code, std::string(c.message)));
  }
}

TEST(MessageReader, TheLimitItselfPasses) {
  const std::string data = frame("0123456789");
  MessageReader reader({.max_message_size = 10});
  reader.feed(data);
  EXPECT_EQ((*reader.next())->payload, "0123456789");
}

TEST(MessageReader, FinishInThePrefixIsAnError) {
  MessageReader reader;
  reader.feed(std::string_view("\0\0", 2));
  ASSERT_TRUE(reader.next());
  EXPECT_FALSE(reader.finish());
}

TEST(MessageReader, ResetForgetsTheOldStream) {
  MessageReader reader;
  const std::string bad = prefix(9, 7);
  reader.feed(bad);
  ASSERT_FALSE(reader.next());
  reader.reset({.encoding = Compression::kGzip});
  const std::string data = frame("z", true);
  reader.feed(data);
  Messages messages;
  take_all(reader, messages);
  EXPECT_EQ(messages, (Messages{{"z", true}}));
}

}  // namespace
}  // namespace micro::grpc
