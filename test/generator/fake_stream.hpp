#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <micro/client/client.hpp>
#include <micro/codecs/protobuf.hpp>

namespace micro::generator_test {

// Both ends of a stream in memory, as encoded messages: gives `incoming`, keeps what is written in `outgoing`.
class FakeStream final : public rpc::ClientStream {
 public:
  Task<Result<bool>> read(codec::MessageRef message) override {
    if (next == incoming.size()) co_return false;
    codec::protobuf_message(message).ParseFromString(incoming[next++]);
    co_return true;
  }
  Task<Result<void>> write(codec::MessageRef message) override {
    outgoing.push_back(codec::protobuf_message(message).SerializeAsString());
    co_return Result<void>();
  }
  Task<Result<void>> close_send() override {
    closed = true;
    co_return Result<void>();
  }
  Task<Result<void>> finish(codec::MessageRef reply) override {
    closed = true;
    Result<bool> read_one = co_await read(reply);
    if (!read_one) co_return std::unexpected(read_one.error());
    if (!*read_one) co_return fail(internal("no reply"));
    co_return Result<void>();
  }

  std::vector<std::string> incoming;
  std::vector<std::string> outgoing;
  std::size_t next = 0;
  bool closed = false;
};

}  // namespace micro::generator_test
