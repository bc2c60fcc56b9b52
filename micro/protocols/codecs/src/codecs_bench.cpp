// JsonCodec and ProtoCodec against protobuf's own JSON, one thread.
#include <benchmark/benchmark.h>

#include <google/protobuf/util/json_util.h>

#include <micro/bytes/buffer.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/codecs/proto_codec.hpp>
#include <micro/codecs/protobuf.hpp>

#include "everything.pb.h"
#include "greeter.pb.h"

namespace micro::codec {
namespace {

using google::protobuf::Message;

void fill(::codecs::test::HelloRequest& message) { message.set_name("John"); }

void fill(::codecs::test::User& message) {
  message.set_display_name("Zoë Müller");
  for (int i = 0; i < 20; ++i) {
    auto& tag = *message.add_tags();
    tag.set_name("a tag of some length " + std::to_string(i));
    tag.set_color(::codecs::test::RED);
  }
  message.mutable_address()->set_street_name("Long Street 12");
  for (int i = 0; i < 5; ++i) (*message.mutable_address()->mutable_floors())["floor " + std::to_string(i)] = i;
}

void fill(::codecs::test::Lists& message) {
  for (int i = 0; i < 200; ++i) {
    message.add_int32s(i * 1001);
    message.add_doubles(i * 0.37);
    message.add_int64s(std::int64_t{i} << 40);
  }
}

template <class M>
M filled() {
  M message;
  fill(message);
  return message;
}

template <class M>
void write_json(benchmark::State& state) {
  const M message = filled<M>();
  const JsonCodec codec;
  Buffer out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(codec.marshal(ref(message), out));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * out.size()));
}

template <class M>
void read_json(benchmark::State& state) {
  const JsonCodec codec;
  Buffer json;
  (void)codec.marshal(ref(filled<M>()), json);
  for (auto _ : state) {
    const MessagePtr message(message_type<M>());
    benchmark::DoNotOptimize(codec.unmarshal(json.view(), message.get()));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * json.size()));
}

template <class M>
void write_json_protobuf(benchmark::State& state) {
  const M message = filled<M>();
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(google::protobuf::util::MessageToJsonString(message, &out));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * out.size()));
}

template <class M>
void read_json_protobuf(benchmark::State& state) {
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(filled<M>(), &json);
  for (auto _ : state) {
    M message;
    benchmark::DoNotOptimize(google::protobuf::util::JsonStringToMessage(json, &message));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * json.size()));
}

template <class M>
void write_proto(benchmark::State& state) {
  const M message = filled<M>();
  const ProtoCodec codec;
  Buffer out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(codec.marshal(ref(message), out));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * out.size()));
}

template <class M>
void read_proto(benchmark::State& state) {
  const ProtoCodec codec;
  const std::string bytes = filled<M>().SerializeAsString();
  for (auto _ : state) {
    const MessagePtr message(message_type<M>());
    benchmark::DoNotOptimize(codec.unmarshal(bytes, message.get()));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

using ::codecs::test::HelloRequest;
using ::codecs::test::Lists;
using ::codecs::test::User;

BENCHMARK(write_json<HelloRequest>);
BENCHMARK(write_json_protobuf<HelloRequest>);
BENCHMARK(read_json<HelloRequest>);
BENCHMARK(read_json_protobuf<HelloRequest>);
BENCHMARK(write_json<User>);
BENCHMARK(write_json_protobuf<User>);
BENCHMARK(read_json<User>);
BENCHMARK(read_json_protobuf<User>);
BENCHMARK(write_json<Lists>);
BENCHMARK(write_json_protobuf<Lists>);
BENCHMARK(read_json<Lists>);
BENCHMARK(read_json_protobuf<Lists>);
BENCHMARK(write_proto<HelloRequest>);
BENCHMARK(read_proto<HelloRequest>);

}  // namespace
}  // namespace micro::codec
