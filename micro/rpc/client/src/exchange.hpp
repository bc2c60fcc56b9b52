#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <micro/codec/message.hpp>
#include <micro/context/context.hpp>
#include <micro/error/error.hpp>
#include <micro/grpc/compression.hpp>
#include <micro/grpc/framing.hpp>
#include <micro/grpc/status.hpp>
#include <micro/http2/events.hpp>
#include <micro/loop/timer.hpp>
#include <micro/retry/retry.hpp>

namespace micro::client {

class Connection;
class Slot;

// What stays the same in all attempts of a call.
struct CallInfo {
  Slot& slot;
  Context& context;
  std::string_view service;  // on the wire
  std::string_view method;
  std::string_view registry_name;      // of the service
  std::string_view mucp_content_type;  // for nodes that speak go-micro's RPC
  grpc::Compression compression = grpc::Compression::kIdentity;
  TimePoint begun;
  std::optional<TimePoint> deadline;

  // "greeter.Greeter/Hello"
  std::string name() const;
  // DEADLINE_EXCEEDED "<name>: <what> within 5s"
  Error too_late(std::string_view where, std::string_view what) const;
  // Why `bounded`, a BoundedContext of this call, has ended: the caller's reason, the client's, or too_late().
  Error cut_off(const Context& bounded, std::string_view where, std::string_view what) const;
};

// One gRPC call on one HTTP/2 stream, from opening it to its status: headers both ways, deadline, cancellation. What is done with
// messages is left to the derived classes. One loop; not moved.
class Exchange {
 public:
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  bool ended() const noexcept { return ended_; }
  const Result<void>& result() const noexcept { return result_; }
  // Whether the result is what the service answered, in contrast to what happened on the way.
  bool answered() const noexcept { return answered_; }
  retry::Progress progress() const noexcept { return progress_; }

  // --- What the connection tells, from inside its session ---
  void on_headers(const http2::HeaderBlock& block, bool end_stream);
  void on_data(std::string_view data, bool end_stream);
  void on_trailers(const http2::HeaderBlock& block);
  void on_reset(http2::ErrorCode code, bool by_peer);
  // There may be room for more output.
  virtual void on_writable() {}

 protected:
  explicit Exchange(const CallInfo& info) noexcept : info_(info) {}
  virtual ~Exchange();

  // Sends the headers, and `request` in the same turn when there is one; it is the only one then. False when the call has
  // ended already, or the stream could not be opened: then nothing was sent.
  bool open(Connection& connection, codec::MessageRef request);
  // Sends one message. Errors: it cannot be encoded, or is too large.
  Result<void> send(codec::MessageRef message, bool last);
  // Ends the call with `error` and tells the peer that nobody waits any more.
  void fail_with(Error error);

  // A piece of the reply messages.
  virtual void take_data(std::string_view data) = 0;
  // The service says that all went well: whether the messages agree.
  virtual Result<void> check_complete() = 0;
  // The result is there. The stream is forgotten.
  virtual void on_end() = 0;

  Result<void> decode(const grpc::MessageReader::Message& message, codec::MessageRef into);
  // "greeter.Greeter/Hello at 10.0.0.7:8080: ..."
  Error at_node(Code code, std::string_view what) const;

  const CallInfo& info_;
  Connection* connection_ = nullptr;
  http2::Stream* stream_ = nullptr;  // null once it has ended
  grpc::MessageReader reader_;

 private:
  bool try_open(Connection& connection, codec::MessageRef request);
  void end(Result<void> result, bool peer_done);
  Result<void> encode(codec::MessageRef message);
  Result<void> add_metadata();
  Result<void> take_head(const http2::HeaderBlock& block, bool end_stream);
  Error not_grpc(const http2::HeaderBlock& block, std::string_view content_type) const;
  void complete();

  bool ended_ = false;
  bool answered_ = false;
  retry::Progress progress_ = retry::Progress::kSent;
  grpc::Compression encoding_ = grpc::Compression::kIdentity;
  int http_status_ = 0;
  std::uint64_t position_ = 0;  // of our HEADERS in the output of the connection
  TimePoint opened_{};
  grpc::StatusReader status_;
  Result<void> result_;
  Timer timer_;
  CancelCallback cancelled_;
};

}  // namespace micro::client
