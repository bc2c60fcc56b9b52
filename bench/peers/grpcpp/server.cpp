// The greeter written with grpc++, the same reply as examples/greeter, by either of its asynchronous interfaces.
//
//   grpcpp_server callback|cq 127.0.0.1:5001
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>

#include "greeter.grpc.pb.h"

namespace {

// Writes from, from - 1, ..., 0.
class Countdown final : public grpc::ServerWriteReactor<greeter::CountdownReply> {
 public:
  explicit Countdown(std::int32_t from) : value_(from) { next(); }
  void OnWriteDone(bool ok) override {
    if (ok) return next();
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void next() {
    if (value_ < 0) return Finish(grpc::Status::OK);
    reply_.set_value(value_--);
    StartWrite(&reply_);
  }
  std::int32_t value_;
  greeter::CountdownReply reply_;
};

// Takes names until there are no more.
class Collect final : public grpc::ServerReadReactor<greeter::HelloRequest> {
 public:
  explicit Collect(greeter::CollectReply* reply) : reply_(reply) { StartRead(&request_); }
  void OnReadDone(bool ok) override {
    if (ok) {
      reply_->add_names(request_.name());
      return StartRead(&request_);
    }
    reply_->set_count(reply_->names_size());
    Finish(grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  greeter::CollectReply* reply_;
  greeter::HelloRequest request_;
};

// Answers each line before it reads the next.
class Chat final : public grpc::ServerBidiReactor<greeter::ChatMessage, greeter::ChatMessage> {
 public:
  Chat() { StartRead(&message_); }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    message_.set_text("you said: " + message_.text());
    StartWrite(&message_);
  }
  void OnWriteDone(bool ok) override {
    if (ok) return StartRead(&message_);
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  greeter::ChatMessage message_;
};

class CallbackGreeter final : public greeter::Greeter::CallbackService {
  grpc::ServerUnaryReactor* Hello(grpc::CallbackServerContext* context, const greeter::HelloRequest* request,
                                  greeter::HelloReply* reply) override {
    reply->set_message("Hello " + request->name());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerWriteReactor<greeter::CountdownReply>* Countdown(grpc::CallbackServerContext*,
                                                               const greeter::CountdownRequest* request) override {
    return new ::Countdown(request->from());
  }
  grpc::ServerReadReactor<greeter::HelloRequest>* Collect(grpc::CallbackServerContext*, greeter::CollectReply* reply) override {
    return new ::Collect(reply);
  }
  grpc::ServerBidiReactor<greeter::ChatMessage, greeter::ChatMessage>* Chat(grpc::CallbackServerContext*) override {
    return new ::Chat;
  }
};

using QueueGreeter = greeter::Greeter::WithAsyncMethod_Hello<greeter::Greeter::Service>;

// One call of the completion-queue interface: waits for a request, answers it, is replaced by the next one.
class QueueCall {
 public:
  QueueCall(QueueGreeter& service, grpc::ServerCompletionQueue& queue) : service_(service), queue_(queue), writer_(&context_) {
    service_.RequestHello(&context_, &request_, &writer_, &queue_, &queue_, this);
  }

  void proceed() {
    if (answered_) {
      delete this;
      return;
    }
    new QueueCall(service_, queue_);
    answered_ = true;
    greeter::HelloReply reply;
    reply.set_message("Hello " + request_.name());
    writer_.Finish(reply, grpc::Status::OK, this);
  }

 private:
  QueueGreeter& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  greeter::HelloRequest request_;
  grpc::ServerAsyncResponseWriter<greeter::HelloReply> writer_;
  bool answered_ = false;
};

void serve_queue(QueueGreeter& service, grpc::ServerCompletionQueue& queue) {
  constexpr int kWaitingCalls = 256;
  for (int i = 0; i < kWaitingCalls; ++i) new QueueCall(service, queue);
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok) && ok) static_cast<QueueCall*>(tag)->proceed();
}

}  // namespace

int main(int argc, char** argv) {
  const bool callback = argc == 3 && std::strcmp(argv[1], "callback") == 0;
  if (!callback && !(argc == 3 && std::strcmp(argv[1], "cq") == 0)) {
    std::fprintf(stderr, "usage: grpcpp_server callback|cq IPV4:PORT\n");
    return 2;
  }
  CallbackGreeter callback_service;
  QueueGreeter queue_service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(argv[2], grpc::InsecureServerCredentials());
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  if (callback) {
    builder.RegisterService(&callback_service);
  } else {
    builder.RegisterService(&queue_service);
    queue = builder.AddCompletionQueue();
  }
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return 1;  // grpc++ has said why
  if (queue) {
    serve_queue(queue_service, *queue);
  } else {
    server->Wait();
  }
}
