#pragma once

#include <optional>
#include <string>
#include <vector>

#include <micro/client/client.hpp>

// The program that contains recording_client.cpp has this in place of the real micro::rpc::Client.
namespace micro::generator_test {

struct Recorded {
  std::string service;
  std::string proto_service;
  std::string method;
  std::optional<rpc::MethodKind> kind;  // of streaming calls
  std::string request;                  // encoded; empty when the call had none
  rpc::CallOptions options;
};

// The last call of any client.
Recorded& recorded();

// What the next call answers: an encoded reply, or the messages of the stream.
std::vector<std::string>& answers();

// What the next call fails with instead.
std::optional<Error>& failure();

// What was written to the last stream that ended.
std::vector<std::string>& written();

}  // namespace micro::generator_test
