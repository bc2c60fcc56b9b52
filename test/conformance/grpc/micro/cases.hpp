#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <micro/client/client.hpp>
#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/loop/group.hpp>
#include <micro/task/task.hpp>

#include "grpc/testing/test.micro.hpp"

// The cases of gRPC's doc/interop-test-descriptions.md. A case that fails throws std::runtime_error.
namespace interop {

namespace testing = grpc::testing;

inline constexpr int kLargeRequest = 271828;
inline constexpr int kLargeReply = 314159;

inline void expect(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what);
}

template <class T>
void expect_ok(const micro::Result<T>& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
}

template <class T>
void expect_code(const micro::Result<T>& result, micro::Code want) {
  expect(!result, "expected " + std::string(to_string(want)) + ", got a good end");
  expect(result.error().code() == want, "expected " + std::string(to_string(want)) + ", got " + result.error().to_string());
}

inline void expect_zeros(const testing::Payload& payload, int size) {
  const std::string& body = payload.body();
  expect(body.size() == static_cast<std::size_t>(size),
         "a payload of " + std::to_string(body.size()) + " bytes instead of " + std::to_string(size));
  expect(body.find_first_not_of('\0') == std::string::npos, "a payload of something else than zeros");
}

struct Context : micro::Context {
  Context() { set_timeout(std::chrono::seconds(30)); }
};

class Cases {
 public:
  Cases(micro::LoopGroup& loops, micro::rpc::Client& client, std::string address, std::size_t soak_iterations)
      : loops_(loops), client_(client), service_(client), soak_iterations_(soak_iterations) {
    options_.addresses.push_back(std::move(address));
  }

  // The case of that name; null when there is none.
  using Case = micro::Task<void> (Cases::*)();
  static Case find(std::string_view name);

 private:
  // unary_cases.cpp
  micro::Task<void> empty_unary();
  micro::Task<void> large_unary();
  micro::Task<void> very_large_unary();
  micro::Task<void> concurrent_large_unary();
  micro::Task<void> client_compressed_unary();
  micro::Task<void> server_compressed_unary();
  micro::Task<void> unimplemented_method();
  micro::Task<void> unimplemented_service();
  micro::Task<void> special_status_message();
  micro::Task<void> rpc_soak();
  micro::Task<void> channel_soak();
  // stream_cases.cpp
  micro::Task<void> client_streaming();
  micro::Task<void> client_compressed_streaming();
  micro::Task<void> server_streaming();
  micro::Task<void> server_compressed_streaming();
  micro::Task<void> ping_pong();
  micro::Task<void> empty_stream();
  micro::Task<void> half_duplex();
  micro::Task<void> cancel_after_begin();
  micro::Task<void> cancel_after_first_response();
  micro::Task<void> timeout_on_sleeping_server();
  // both kinds of calls
  micro::Task<void> custom_metadata();
  micro::Task<void> status_code_and_message();

  micro::Task<void> large_call(micro::rpc::Client& client);
  micro::Task<void> large_calls(int count);
  micro::Task<void> unimplemented(std::string_view service);
  micro::Task<void> expect_status(std::string message);

  micro::LoopGroup& loops_;
  micro::rpc::Client& client_;
  testing::TestService::Client service_;
  micro::rpc::CallOptions options_;
  std::size_t soak_iterations_;
};

}  // namespace interop
