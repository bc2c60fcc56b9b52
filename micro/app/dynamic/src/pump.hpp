#pragma once

#include <optional>

#include <micro/call/stream.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/context/context.hpp>
#include <micro/dynamic/caller.hpp>

#include "schema.hpp"

namespace micro::dynamic {

// Moves the messages of one streaming call, JSON on our side, both directions at the same time.
class Pump {
 public:
  // `context` is that of the stream and is cancelled at the end of the call, which ends a question to the source.
  Pump(Context& context, rpc::MessageStream& stream, const codec::DynamicMethod& method, const codec::JsonCodec& json,
       JsonSource& source, JsonSink& sink);

  // Until the call has ended. The first that goes wrong on either side is the result.
  Task<Result<void>> run();

 private:
  Task<void> send();
  Task<void> receive();
  Task<Result<void>> send_all();
  Task<Result<void>> receive_all();
  void end(Result<void> result);

  Context& context_;
  rpc::MessageStream& stream_;
  const codec::DynamicMethod& method_;
  const codec::JsonCodec& json_;
  JsonSource& source_;
  JsonSink& sink_;
  std::optional<Result<void>> result_;
};

}  // namespace micro::dynamic
