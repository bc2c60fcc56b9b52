#include <micro/codecs/protobuf.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>

#include <micro/codecs/bytes.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/proto_codec.hpp>

#include "everything.pb.h"
#include "greeter.pb.h"
#include "legacy.pb.h"

namespace micro::codec {
namespace {

using namespace ::codecs::test;

std::string show(const Schema& schema) {
  std::string out = schema.name + ":" + schema.type;
  if (schema.values.empty()) return out;
  out += "{";
  for (const Schema& value : schema.values) out += (out.ends_with('{') ? "" : " ") + show(value);
  return out + "}";
}

TEST(MessageType, DescribesAGeneratedClass) {
  const MessageType& type = message_type<User>();
  EXPECT_EQ(type.family(), Family::kProtobuf);
  EXPECT_EQ(type.name(), "codecs.test.User");
  EXPECT_EQ(&type, &message_type<User>());
  EXPECT_EQ(&type, &generated_type(User()));
  const User user;
  EXPECT_EQ(ref(user).type, &type);
  EXPECT_EQ(&message_cast<User>(ref(user)), &user);
  const google::protobuf::Message& base = user;
  EXPECT_EQ(ref(base).type, &type);
  EXPECT_EQ(&protobuf_message(ref(base)), &base);
}

TEST(MessageType, RefusesDynamicMessages) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("x.proto");
  file.add_message_type()->set_name("X");
  google::protobuf::DescriptorPool pool;
  google::protobuf::DynamicMessageFactory factory;
  const auto* prototype = factory.GetPrototype(pool.BuildFile(file)->message_type(0));
  EXPECT_THROW(generated_type(*prototype), std::invalid_argument);
}

TEST(MessageType, GivesTheSchemaAsGoMicroDoes) {
  EXPECT_EQ(show(message_type<HelloRequest>().schema()), "HelloRequest:HelloRequest{name:string}");
  EXPECT_EQ(show(message_type<Tag>().schema()), "Tag:Tag{name:string color:Color}");
  EXPECT_EQ(show(message_type<User>().schema()),
            "User:User{display_name:string tags:[]Tag address:User_Address{street_name:string floors:map[string]int32}}");
  EXPECT_EQ(show(message_type<Scalars>().schema()),
            "Scalars:Scalars{an_int32:int32 an_int64:int64 a_uint32:uint32 a_uint64:uint64 a_sint32:int32 a_sint64:int64 "
            "a_fixed32:uint32 "
            "a_fixed64:uint64 a_sfixed32:int32 a_sfixed64:int64 a_float:float32 a_double:float64 a_bool:bool a_string:string "
            "a_bytes:[]uint8 color:Color maybe:int32 maybe_text:string renamed:string}");
  // Two levels of fields, which also ends recursive types.
  EXPECT_EQ(show(message_type<Tree>().schema()),
            "Tree:Tree{label:string left:Tree{label:string left:Tree children:[]Tree named:map[string]Tree} children:[]Tree "
            "named:map[string]Tree}");
  EXPECT_EQ(show(message_type<Account>().schema()),
            "Account:Account{user:User{display_name:string tags:[]Tag address:User_Address} last:HelloRequest{name:string}}");
}

TEST(MessageType, GivesItsFilesImportsFirst) {
  const auto files = message_type<WellKnownTypes>().file_descriptors();
  std::set<std::string> seen;
  for (const std::string& bytes : files) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    for (const std::string& import : file.dependency()) EXPECT_TRUE(seen.contains(import)) << file.name() << " before " << import;
    EXPECT_TRUE(seen.insert(file.name()).second) << file.name();
  }
  EXPECT_TRUE(seen.contains("greeter.proto"));
  EXPECT_TRUE(seen.contains("google/protobuf/struct.proto"));
  EXPECT_EQ(seen.size(), 9u);
  EXPECT_EQ(message_type<HelloRequest>().file_descriptors().size(), 1u);
}

TEST(MessageType, ReusesMessagesOfTheThread) {
  const MessageType& type = message_type<HelloRequest>();
  void* first = type.acquire();
  void* second = type.acquire();
  EXPECT_NE(first, second);
  message_cast<HelloRequest>({first, &type}).set_name("left over");
  type.release(first);
  void* again = type.acquire();
  EXPECT_EQ(again, first);
  EXPECT_EQ(message_cast<HelloRequest>({again, &type}).name(), "");
  type.release(again);
  type.release(second);
}

TEST(MessageType, DoesNotKeepLargeMessages) {
  const MessageType& type = message_type<HelloReply>();
  const ProtoCodec codec;
  HelloReply large;
  large.set_padding(std::string(1'000'000, 'x'));
  const std::string bytes = large.SerializeAsString();
  std::size_t kept = 0;
  for (int i = 0; i < 10; ++i) {
    {
      const MessagePtr message(type);
      ASSERT_TRUE(codec.unmarshal(bytes, message.get()));
    }
    const MessagePtr next(type);
    kept += protobuf_message(next.get()).SpaceUsedLong() > 64 * 1024;
  }
  EXPECT_EQ(kept, 0u);

  // Grown without a codec seeing it: noticed after a while.
  kept = 0;
  for (int i = 0; i < 200; ++i) {
    const MessagePtr message(type);
    kept = protobuf_message(message.get()).SpaceUsedLong() > 64 * 1024 ? kept + 1 : 0;
    if (i == 0) message_cast<HelloReply>(message.get()).set_padding(std::string(1'000'000, 'x'));
  }
  EXPECT_EQ(kept, 0u);
}

TEST(MessageType, KeepsABoundedNumber) {
  const MessageType& type = message_type<Tag>();
  std::vector<MessagePtr> many;
  for (int i = 0; i < 500; ++i) many.emplace_back(type);
  many.clear();
  for (int i = 0; i < 500; ++i) many.emplace_back(type);
  std::set<void*> distinct;
  for (const MessagePtr& message : many) distinct.insert(message.data());
  EXPECT_EQ(distinct.size(), 500u);
}

// A thread_local made before the thread's first acquire() is destroyed after the free lists, and still may release.
struct LateRelease {
  MessagePtr message;
  MessagePtr bytes;
  ~LateRelease() {
    message.reset();
    bytes.reset();
    MessagePtr another(message_type<HelloRequest>());
  }
};

TEST(MessageType, MayBeReleasedWhileAThreadEnds) {
  std::thread([] {
    thread_local LateRelease late;
    late.message = MessagePtr(message_type<HelloRequest>());
    late.bytes = MessagePtr(bytes_type());
    MessagePtr spare(message_type<HelloRequest>());
  }).join();
}

TEST(MessageType, MayBeReleasedOnAnotherThread) {
  for (int i = 0; i < 100; ++i) {
    MessagePtr message(message_type<HelloRequest>());
    std::jthread([moved = std::move(message)]() mutable { moved.reset(); });
  }
}

// First use of plans, types and free lists from many threads at once: for the thread sanitizer.
TEST(MessageType, CachesAreThreadSafe) {
  std::atomic<int> ready = 0;
  std::vector<std::string> results(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& mine : results) {
      threads.emplace_back([&ready, &mine] {
        ++ready;
        while (ready.load() < 8) std::this_thread::yield();
        const MessagePtr account(message_type<Account>());
        const MessagePtr legacy(message_type<Legacy>());
        Buffer out;
        const JsonCodec codec;
        const auto read =
            codec.unmarshal(R"({"user":{"displayName":"x","address":{"floors":{"a":1}}},"last":{"name":"y"}})", account.get());
        const auto read_legacy = codec.unmarshal(R"({"name":"n"})", legacy.get());
        if (!read || !read_legacy) return;
        if (!codec.marshal(account.get(), out) || !codec.marshal(legacy.get(), out)) return;
        mine = out.view();
      });
    }
  }
  for (const std::string& mine : results) {
    EXPECT_EQ(mine, R"({"user":{"displayName":"x","address":{"floors":{"a":1}}},"last":{"name":"y"}}{"name":"n"})");
  }
}

TEST(BytesType, PassesThrough) {
  const MessageType& type = bytes_type();
  EXPECT_EQ(type.family(), Family::kBytes);
  EXPECT_EQ(type.name(), "bytes");
  EXPECT_TRUE(type.file_descriptors().empty());
  const MessagePtr message(type);
  ASSERT_TRUE(JsonCodec().unmarshal("not even JSON", message.get()));
  EXPECT_EQ(bytes_message(message.get()), "not even JSON");
  Buffer out;
  ASSERT_TRUE(ProtoCodec().marshal(message.get(), out));
  const std::string owned = " and more";
  ASSERT_TRUE(JsonCodec().marshal(ref(owned), out));
  EXPECT_EQ(out.view(), "not even JSON and more");
}

TEST(BytesType, ReusesStringsEmpty) {
  void* first = bytes_type().acquire();
  static_cast<std::string*>(first)->assign("left over");
  bytes_type().release(first);
  const MessagePtr again(bytes_type());
  EXPECT_EQ(again.data(), first);
  EXPECT_EQ(bytes_message(again.get()), "");
}

}  // namespace
}  // namespace micro::codec
