#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/call/call.hpp>

#include "fake_stream.hpp"
#include "no_package.micro.hpp"
#include "run_task.hpp"
#include "tricky/names.micro.hpp"
#include "tricky/rest.micro.hpp"
#include "tricky/services.micro.hpp"

namespace micro::generator_test {
namespace {

namespace names = ::tricky::micro;
using rpc::Call;
using rpc::Endpoint;
using rpc::MethodKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NamesHandler final : public names::Names::Handler {
  Task<Result<names::Outer::Inner>> delete__(Context&, const names::Outer&) override {
    names::Outer::Inner reply;
    reply.set_text("deleted");
    co_return reply;
  }
  Task<Result<names::Outer::Inner>> delete_(Context&, const names::Outer&) override { co_return fail(not_found("no such name")); }
  Task<Result<names::Outer::Inner>> class_(Context&, Reader<names::Outer>& reader) override {
    int count = 0;
    names::Outer message;
    while (true) {
      const Result<bool> more = co_await reader.read(message);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) break;
      ++count;
    }
    names::Outer::Inner reply;
    reply.set_text(std::to_string(count));
    co_return reply;
  }
  Task<Result<void>> Handler_(Context&, const names::Outer&, Writer<names::Outer::Inner>& writer) override {
    names::Outer::Inner reply;
    for (const char* text : {"a", "b"}) {
      reply.set_text(text);
      Result<void> sent = co_await writer.write(reply);
      if (!sent) co_return sent;
    }
    co_return Result<void>();
  }
};

class EchoHandler final : public ::micro_::Handler {
  Task<Result<void>> Echo(Context&, ReaderWriter<EchoText, EchoText>& stream) override {
    EchoText message;
    while (true) {
      const Result<bool> more = co_await stream.read(message);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) co_return Result<void>();
      Result<void> sent = co_await stream.write(message);
      if (!sent) co_return sent;
    }
  }
};

Endpoint find(rpc::Handler& handler, std::string_view method) {
  for (Endpoint& endpoint : handler.endpoints()) {
    if (endpoint.method == method) return endpoint;
  }
  throw std::out_of_range("no method " + std::string(method));
}

// A call as a server makes one, with messages of the endpoint's types.
struct Exchange {
  explicit Exchange(const Endpoint& endpoint) : endpoint(endpoint), request(*endpoint.request_type), reply(*endpoint.reply_type) {
    call.service = endpoint.service;
    call.method = endpoint.method;
    call.kind = endpoint.kind;
    call.endpoint = &endpoint;
    call.request = request.get();
    call.reply = reply.get();
    call.stream = &stream;
  }
  rpc::Reply handle() { return run(endpoint.handler->handle(context, call)); }

  const Endpoint& endpoint;
  codec::MessagePtr request;
  codec::MessagePtr reply;
  FakeStream stream;
  Context context;
  Call call;
};

std::string encoded_text(const std::string& text) {
  names::Outer::Inner message;
  message.set_text(text);
  return message.SerializeAsString();
}

TEST(EndpointsTest, AreInTheOrderOfTheFileUnderTheNamesOfTheWire) {
  NamesHandler handler;
  std::vector<std::string> methods;
  for (const Endpoint& endpoint : handler.endpoints()) {
    EXPECT_EQ(endpoint.service, "tricky.micro.Names");
    methods.push_back(endpoint.method);
  }
  EXPECT_THAT(methods, ElementsAre("delete", "delete_", "class", "Handler", "Client", "TypedClient", "endpoints", "kName", "open",
                                   "unary", "context", "request", "endpoint", "Names", "micro", "std"));
  EXPECT_EQ(names::Names::kName, "tricky.micro.Names");
  EXPECT_EQ(find(handler, "delete").path(), "/tricky.micro.Names/delete");
}

TEST(EndpointsTest, SayKindTypesAndIdempotency) {
  NamesHandler handler;
  names::Order::Handler orders;
  struct Case {
    rpc::Handler& handler;
    std::string method;
    MethodKind kind;
    std::string request;
    std::string reply;
    bool idempotent;
  };
  const Case cases[] = {
      {handler, "delete", MethodKind::kUnary, "tricky.micro.Outer", "tricky.micro.Outer.Inner", false},
      {handler, "class", MethodKind::kClientStream, "tricky.micro.Outer", "tricky.micro.Outer.Inner", false},
      {handler, "Handler", MethodKind::kServerStream, "tricky.micro.Outer", "tricky.micro.Outer.Inner", false},
      {handler, "Client", MethodKind::kBidiStream, "tricky.micro.Outer", "tricky.micro.Outer.Inner", false},
      {orders, "Put", MethodKind::kUnary, "tricky.types.Order", "google.protobuf.Empty", true},
      {orders, "Status", MethodKind::kUnary, "tricky.base.Status", "tricky.base.Wrapper.Item", true},
      {orders, "Watch", MethodKind::kServerStream, "google.protobuf.Empty", "tricky.types.Order", true},
      {orders, "Upload", MethodKind::kClientStream, "tricky.types.Order", "google.protobuf.Empty", true},
  };
  for (const Case& expected : cases) {
    const Endpoint endpoint = find(expected.handler, expected.method);
    EXPECT_EQ(endpoint.kind, expected.kind) << expected.method;
    EXPECT_EQ(endpoint.request_type->name(), expected.request) << expected.method;
    EXPECT_EQ(endpoint.reply_type->name(), expected.reply) << expected.method;
    EXPECT_EQ(endpoint.idempotent, expected.idempotent) << expected.method;
    EXPECT_EQ(endpoint.timeout, Duration::zero()) << expected.method;
  }
}

TEST(EndpointsTest, SayHowTheyAreCalledWithPlainHttp) {
  ::tricky::rest::Shelf::Handler shelf;
  std::vector<std::string> bindings;
  for (const Endpoint& endpoint : shelf.endpoints()) {
    for (const rpc::HttpBinding& binding : endpoint.http) {
      bindings.push_back(endpoint.method + " " + binding.method + " " + binding.path + " body=" + binding.body +
                         " response=" + binding.response_body);
    }
  }
  EXPECT_THAT(bindings, ElementsAre("GetBook GET /v1/{name=shelves/*/books/*} body= response=",
                                    "ListBooks GET /v1/{parent=shelves/*}/books body= response=books",
                                    "ListBooks GET /v1/books body= response=",
                                    "CreateBook POST /v1/{parent=shelves/*}/books body=book response=",
                                    "UpdateBook PATCH /v1/{book.name=shelves/*/books/*} body=book response=",
                                    "UpdateBook PUT /v1/{book.name=shelves/*/books/*} body=book response=",
                                    "DeleteBook DELETE /v1/{name=shelves/*/books/*} body= response=",
                                    "Archive POST /v1/{name=shelves/*/books/*}:archive body=* response=",
                                    "Find SEARCH /v1/what%3F%3F/\u00e9/{name=**} body= response=",
                                    "Watch GET /v1/{name=shelves/*/books/*}:watch body= response="));
}

TEST(EndpointsTest, DescriptionsAreTheCommentsToTheByte) {
  NamesHandler handler;
  EXPECT_EQ(find(handler, "delete").description,
            "Keyword. \"Quoted\", back\\slash, tab\tend, ?\?= and Gr\u00fc\u00dfe, \u4f60\u597d.");
  EXPECT_EQ(find(handler, "delete_").description, "Is the name the one above would get.");
  EXPECT_EQ(find(handler, "class").description, "A block\nof two lines \\");
  EXPECT_EQ(find(handler, "Handler").description, "");
}

TEST(EndpointsTest, NamesThatClashAreChangedInCppOnly) {
  EXPECT_EQ(names::Outer_Inner_::kName, "tricky.micro.Outer_Inner");
  EXPECT_EQ(names::union_::kName, "tricky.micro.union");
  EXPECT_EQ(names::Status::kName, "tricky.micro.Status");
  EXPECT_EQ(::micro_::kName, "micro");
  names::Empty::Handler empty;
  EXPECT_THAT(empty.endpoints(), IsEmpty());
}

TEST(HandlerTest, UnaryMethodsAnswer) {
  NamesHandler handler;
  const Endpoint endpoint = find(handler, "delete");
  Exchange exchange(endpoint);
  ASSERT_TRUE(exchange.handle());
  EXPECT_EQ(codec::message_cast<names::Outer::Inner>(exchange.call.reply).text(), "deleted");
}

TEST(HandlerTest, ErrorsArePassedOn) {
  NamesHandler handler;
  const Endpoint endpoint = find(handler, "delete_");
  Exchange exchange(endpoint);
  const rpc::Reply reply = exchange.handle();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), not_found("no such name"));
}

TEST(HandlerTest, ServerStreamsWrite) {
  NamesHandler handler;
  const Endpoint endpoint = find(handler, "Handler");
  Exchange exchange(endpoint);
  ASSERT_TRUE(exchange.handle());
  EXPECT_THAT(exchange.stream.outgoing, ElementsAre(encoded_text("a"), encoded_text("b")));
}

TEST(HandlerTest, ClientStreamsRead) {
  NamesHandler handler;
  const Endpoint endpoint = find(handler, "class");
  Exchange exchange(endpoint);
  exchange.stream.incoming = {"", "", ""};
  ASSERT_TRUE(exchange.handle());
  EXPECT_EQ(codec::message_cast<names::Outer::Inner>(exchange.call.reply).text(), "3");
}

TEST(HandlerTest, BidiStreamsDoBoth) {
  EchoHandler handler;
  const Endpoint endpoint = find(handler, "Echo");
  Exchange exchange(endpoint);
  EXPECT_EQ(endpoint.kind, MethodKind::kBidiStream);
  exchange.stream.incoming = {encoded_text("x"), encoded_text("y")};
  ASSERT_TRUE(exchange.handle());
  EXPECT_EQ(exchange.stream.outgoing, exchange.stream.incoming);
}

TEST(HandlerTest, MethodsNobodyOverridesAreUnimplemented) {
  names::Names::Handler nothing;
  for (const Endpoint& endpoint : nothing.endpoints()) {
    Exchange exchange(endpoint);
    const rpc::Reply reply = exchange.handle();
    ASSERT_FALSE(reply) << endpoint.method;
    EXPECT_EQ(reply.error().code(), Code::kUnimplemented) << endpoint.method;
    EXPECT_EQ(reply.error().message(),
              "tricky.micro.Names/" + endpoint.method + ": the server has the service but not this method");
  }
}

}  // namespace
}  // namespace micro::generator_test
