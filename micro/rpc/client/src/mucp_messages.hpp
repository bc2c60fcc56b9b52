#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/codec/codec.hpp>
#include <micro/error/error.hpp>
#include <micro/http1/head.hpp>
#include <micro/mucp/format.hpp>

#include "exchange.hpp"
#include "snapshot.hpp"

namespace micro::client {

// What one call says in go-micro's RPC, and what it is answered.
class MucpMessages {
 public:
  // `info` outlives it. `stream`: its messages name a stream.
  MucpMessages(const CallInfo& info, const MucpRoute& route, bool stream);

  // Appends a request with `message`, or without a body when that is null. Errors: the content type is unknown, a header cannot
  // be sent, the message cannot be encoded or is too large.
  Result<void> write(codec::MessageRef message, Buffer& out) const;
  // Appends the end of a stream.
  Result<void> write_end(Buffer& out) const;

  // What a response says: true for a message, which is decoded, false for the end of a stream. `answered` is set when an error
  // comes from the service itself. Of its headers, only Micro-Error means anything: go-micro repeats those of other calls.
  Result<bool> read(const http1::ResponseHead& head, std::string_view body, codec::MessageRef into, bool& answered) const;

  // "greeter.Greeter/Hello at 10.0.0.7:8080: ..."
  Error at_node(Code code, std::string_view what) const;

 private:
  const codec::Codec& codec() const noexcept;
  Result<void> add(std::string_view body, std::string_view error, Buffer& out) const;

  const CallInfo& info_;
  const std::string& address_;
  const bool stream_;
  const std::string id_;
  const std::string endpoint_;  // "Greeter.Hello"
  std::string content_type_;
  std::optional<mucp::Format> format_;
};

}  // namespace micro::client
