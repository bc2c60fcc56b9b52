#include <micro/net/stream.hpp>

#include <cerrno>
#include <system_error>

namespace micro::net {

void Stream::finish_read(std::span<char>, IoOperation&) {}

Error Stream::io_error(std::string_view what, int error_number) const {
  std::string message(what);
  message.append(" ").append(peer()).append(": ");
  if (error_number == ECANCELED) return cancelled(message.append("the connection was closed on this side"));
  return unavailable(message.append(std::generic_category().message(error_number)));
}

}  // namespace micro::net
