// grpc-message: encoding loses nothing and gives what HTTP/2 allows; decoding takes anything.
#include <micro/grpc/percent.hpp>

#include <algorithm>

#include "fuzz.hpp"

MICRO_FUZZ_TARGET(grpc_percent) {
  using namespace micro;
  const std::string encoded = grpc::percent_encode(input);
  fuzz::require(std::ranges::all_of(encoded, [](char c) { return c >= 0x20 && c <= 0x7e; }),
                "grpc-message with a byte beyond ASCII");
  fuzz::require(encoded.empty() || (encoded.front() != ' ' && encoded.back() != ' '), "grpc-message with a blank at its end");
  fuzz::require_equal(grpc::percent_decode(encoded), input, "grpc-message changes on its way");
  fuzz::require(grpc::percent_decode(input).size() <= input.size(), "decoding makes a text longer");
}
