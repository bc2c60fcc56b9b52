#include "recording_client.hpp"

#include <micro/codecs/protobuf.hpp>

#include "fake_stream.hpp"

namespace micro::generator_test {

Recorded& recorded() {
  static Recorded call;
  return call;
}

std::vector<std::string>& answers() {
  static std::vector<std::string> messages;
  return messages;
}

std::optional<Error>& failure() {
  static std::optional<Error> error;
  return error;
}

std::vector<std::string>& written() {
  static std::vector<std::string> messages;
  return messages;
}

namespace {

class RecordingStream final : public rpc::ClientStream {
 public:
  RecordingStream() { stream_.incoming = answers(); }
  ~RecordingStream() override { written() = stream_.outgoing; }
  Task<Result<bool>> read(codec::MessageRef message) override { return stream_.read(message); }
  Task<Result<void>> write(codec::MessageRef message) override { return stream_.write(message); }
  Task<Result<void>> close_send() override { return stream_.close_send(); }
  Task<Result<void>> finish(codec::MessageRef reply) override { return stream_.finish(reply); }

 private:
  FakeStream stream_;
};

std::string encoded(codec::MessageRef message) {
  return message ? codec::protobuf_message(message).SerializeAsString() : std::string();
}

}  // namespace
}  // namespace micro::generator_test

namespace micro::rpc {

struct Client::Impl {};

Client::Client(LoopGroup&, registry::Cache*, ClientOptions) {}
Client::~Client() = default;

Task<Reply> Client::call(Context&, std::string_view service, std::string_view proto_service, std::string_view method,
                         codec::MessageRef request, codec::MessageRef reply, const CallOptions& options) {
  namespace test = generator_test;
  test::recorded() = {std::string(service), std::string(proto_service), std::string(method),
                      std::nullopt,         test::encoded(request),     options};
  if (test::failure()) co_return std::unexpected(*test::failure());
  codec::protobuf_message(reply).ParseFromString(test::answers().at(0));
  co_return Reply();
}

Task<Result<std::unique_ptr<ClientStream>>> Client::stream(Context&, std::string_view service, std::string_view proto_service,
                                                           std::string_view method, MethodKind kind, codec::MessageRef request,
                                                           const CallOptions& options) {
  namespace test = generator_test;
  test::recorded() = {
      std::string(service), std::string(proto_service), std::string(method), kind, test::encoded(request), options};
  if (test::failure()) co_return std::unexpected(*test::failure());
  std::unique_ptr<ClientStream> stream = std::make_unique<test::RecordingStream>();
  co_return stream;
}

}  // namespace micro::rpc
