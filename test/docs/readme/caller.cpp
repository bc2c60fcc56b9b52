// Where the call in README.md stands: in a handler of another service.
#include <string>

#include <micro/service/service.hpp>

#include "greeter.micro.hpp"

micro::Task<micro::Result<std::string>> relay(micro::Service& service, micro::Context& context,
                                              const greeter::HelloRequest& request) {
  // The call goes here.
  co_return reply->message();
}
