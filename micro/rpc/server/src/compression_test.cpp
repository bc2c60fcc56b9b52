#include <micro/grpc/compression.hpp>

#include "test_server.hpp"

// What handlers choose about compression, and what they see of it.
namespace micro::rpc {
namespace {

using test::Answer;
using test::Http2Client;
using test::TestServer;
using test::Text;

// Replies say whether the request was compressed, and are compressed as the request asks.
class Pack final : public Handler {
 public:
  std::vector<Endpoint> endpoints() override {
    std::vector<Endpoint> list(2);
    for (Endpoint& endpoint : list) {
      endpoint.service = "test.Pack";
      endpoint.request_type = endpoint.reply_type = &codec::message_type<Text>();
    }
    list[0].method = "One";
    list[0].handler = std::make_shared<UnaryMethod<Pack, Text, Text>>(*this, &Pack::one);
    list[1].method = "Many";
    list[1].kind = MethodKind::kBidiStream;
    list[1].handler = std::make_shared<BidiStreamMethod<Pack, Text, Text>>(*this, &Pack::many);
    return list;
  }

 private:
  static Text reply(Context& context, const Text& request) {
    if (request.value() == "on") context.set_reply_compression(Compress::kOn);
    if (request.value() == "off") context.set_reply_compression(Compress::kOff);
    Text text;
    text.set_value(context.request_was_compressed() ? "packed" : "plain");
    return text;
  }
  Task<Result<Text>> one(Context& context, const Text& request) { co_return reply(context, request); }
  Task<Result<void>> many(Context& context, ReaderWriter<Text, Text>& stream) {
    Text message;
    while (true) {
      Result<bool> more = co_await stream.read(message);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) co_return Result<void>{};
      const Text answer = reply(context, message);
      Result<void> written = co_await stream.write(answer);
      if (!written) co_return written;
    }
  }
};

class ServerCompression : public testing::Test {
 protected:
  ServerCompression() {
    EXPECT_TRUE(server_.server.handle(std::make_shared<Pack>()));
    server_.start();
    client_ = std::make_unique<Http2Client>(server_);
  }
  static std::string frame(const std::string& text, bool compressed) {
    Text value;
    value.set_value(text);
    Buffer payload;
    const auto how = compressed ? grpc::Compression::kGzip : grpc::Compression::kIdentity;
    EXPECT_TRUE(grpc::compress(how, value.SerializeAsString(), payload));
    Buffer out;
    grpc::append_frame(out, payload.view(), compressed);
    return std::string(out.view());
  }
  // Sends the frames in one call and waits for its end.
  Answer& call(std::string_view path, const std::string& frames, std::vector<http2::Field> fields) {
    http2::Stream& stream = client_->open(path, std::move(fields));
    Answer& answer = client_->answer();
    client_->session().submit_data(stream, frames, true);
    client_->run_until([&] { return answer.closed; });
    EXPECT_EQ(answer.field("grpc-status"), "0") << answer.field("grpc-message");
    return answer;
  }

  TestServer server_;
  std::unique_ptr<Http2Client> client_;
};

TEST_F(ServerCompression, OfUnaryReplies) {
  struct Case {
    const char* what;
    const char* wish;  // what the handler does
    bool request_compressed;
    const char* accepted;
    const char* encoding;  // what the answer names
    bool reply_compressed;
  };
  const Case cases[] = {
      {"as the request: plain", "-", false, "identity,deflate,gzip", "", false},
      {"as the request: compressed", "-", true, "identity,deflate,gzip", "gzip", true},
      {"as the request, but the caller does not read it", "-", true, "identity", "", false},
      {"compressed although the request was not", "on", false, "identity,deflate,gzip", "gzip", true},
      {"the other encoding", "on", false, "deflate", "deflate", true},
      {"the caller reads none", "on", false, "zstd", "", false},
      {"plain although the request was compressed", "off", true, "identity,deflate,gzip", "gzip", false},
      {"plain as the request", "off", false, "identity", "", false},
  };
  for (const Case& c : cases) {
    std::vector<http2::Field> fields{{"grpc-accept-encoding", c.accepted}};
    if (c.request_compressed) fields.push_back({"grpc-encoding", "gzip"});
    const Answer& answer = call("/test.Pack/One", frame(c.wish, c.request_compressed), fields);
    EXPECT_EQ(answer.field("grpc-encoding"), c.encoding) << c.what;
    EXPECT_EQ(answer.compressed, std::vector<bool>{c.reply_compressed}) << c.what;
    EXPECT_EQ(answer.messages, std::vector<std::string>{c.request_compressed ? "packed" : "plain"}) << c.what;
  }
}

TEST_F(ServerCompression, IsChosenForEachMessageOfAStream) {
  const std::string mixed = frame("off", true) + frame("on", false) + frame("on", true) + frame("off", false);
  const Answer& answer = call("/test.Pack/Many", mixed, {{"grpc-encoding", "gzip"}, {"grpc-accept-encoding", "identity,gzip"}});
  EXPECT_EQ(answer.field("grpc-encoding"), "gzip");
  EXPECT_EQ(answer.compressed, (std::vector<bool>{false, true, true, false}));
  EXPECT_EQ(answer.messages, (std::vector<std::string>{"packed", "plain", "packed", "plain"}));
}

TEST_F(ServerCompression, IsSettledWithTheFirstMessageOfAStream) {
  const std::vector<http2::Field> accepted{{"grpc-accept-encoding", "gzip"}};
  const Answer& early = call("/test.Pack/Many", frame("off", false) + frame("on", false), accepted);
  EXPECT_EQ(early.compressed, (std::vector<bool>{false, true}));
  const Answer& late = call("/test.Pack/Many", frame("-", false) + frame("on", false), accepted);
  EXPECT_EQ(late.field("grpc-encoding"), "");
  EXPECT_EQ(late.compressed, (std::vector<bool>{false, false}));
}

// A context is used again for the next call.
TEST_F(ServerCompression, IsForgottenAfterTheCall) {
  const std::vector<http2::Field> accepted{{"grpc-accept-encoding", "gzip"}};
  for (const bool compressed : {true, false, true, false}) {
    EXPECT_EQ(call("/test.Pack/One", frame(compressed ? "on" : "-", false), accepted).compressed, std::vector<bool>{compressed});
  }
}

}  // namespace
}  // namespace micro::rpc
