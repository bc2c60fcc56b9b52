#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <micro/error/error.hpp>

// google.rpc.Status and google.rpc.ErrorInfo (googleapis: google/rpc/status.proto, error_details.proto), coded by hand: generated
// code would clash in the descriptor pool of a program that links googleapis itself.
namespace micro::grpc::rpc_status {

// How much of an error goes into the details of a Status.
enum class Content { kAll, kErrorInfoOnly };

struct Status {
  std::int64_t code = 0;
  std::string message;
  std::string reason;
  Error::Metadata metadata;
  std::vector<std::string> details;
};

std::string encode(const Error& error, std::string_view message, Content content);

// nullopt when the bytes are no Status.
std::optional<Status> decode(std::string_view bytes);

}  // namespace micro::grpc::rpc_status
