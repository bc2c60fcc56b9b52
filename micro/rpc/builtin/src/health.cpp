#include <micro/builtin/health.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <micro/coro/event.hpp>
#include <micro/health/health.hpp>
#include <micro/loop/loop.hpp>

#include "fields.hpp"
#include "types.hpp"

namespace micro::rpc {
namespace {

using builtin::type;

// As other implementations have it: a list is for people, not for machines with thousands of services.
constexpr std::size_t kMostListed = 100;

void set_status(google::protobuf::Message& response, HealthStatus status) {
  response.GetReflection()->SetEnumValue(&response, builtin::field(response, "status"), static_cast<int>(status));
}

class Check final : public CallHandler {
 public:
  explicit Check(Health& health) : health_(health) {}
  Task<Reply> handle(Context&, Call& call) override {
    const std::string service = builtin::get_string(codec::protobuf_message(call.request), "service");
    const HealthStatus status = health_.get(service);
    if (status == HealthStatus::kServiceUnknown && !service.empty()) {
      co_return fail(not_found("no health status is known for service \"" + service + "\"; \"\" stands for the whole process"));
    }
    set_status(codec::protobuf_message(call.reply), status);
    co_return Reply{};
  }

 private:
  Health& health_;
};

class List final : public CallHandler {
 public:
  explicit List(Health& health) : health_(health) {}
  Task<Reply> handle(Context&, Call& call) override {
    const auto statuses = health_.list();
    if (statuses.size() > kMostListed) {
      co_return fail(resource_exhausted(std::to_string(statuses.size()) + " services have a health status and a list holds " +
                                        std::to_string(kMostListed) + "; use Check for each"));
    }
    for (const auto& [service, status] : statuses) {
      auto& entry = builtin::add_message(codec::protobuf_message(call.reply), "statuses");
      builtin::set_string(entry, "key", service);
      set_status(builtin::mutable_message(entry, "value"), status);
    }
    co_return Reply{};
  }

 private:
  Health& health_;
};

// Carries the news of a change, from whichever thread made it, to the loop of a Watch. Shared with the functions posted to that
// loop, which may run after the Watch has ended. They are posted while the subscription lives only, so the loop is there.
class Alarm final : public HealthListener, public std::enable_shared_from_this<Alarm> {
 public:
  explicit Alarm(Loop& loop) : loop_(loop) {}

  void on_health(std::string_view, HealthStatus) noexcept override {
    if (on_its_way_.exchange(true)) return;
    loop_.post_remote([self = shared_from_this()] {
      // An exchange, so that this thread sees what those did who found it set.
      self->on_its_way_.exchange(false);
      self->rang.set();
    });
  }

  Event rang;  // on the loop

 private:
  Loop& loop_;
  std::atomic<bool> on_its_way_ = false;
};

class Watch final : public CallHandler {
 public:
  explicit Watch(Health& health) : health_(health), response_type_(type("grpc.health.v1.HealthCheckResponse")) {}

  Task<Reply> handle(Context& context, Call& call) override {
    // No message: clients that got one start again without a pause.
    if (health_.is_shut_down()) co_return fail(leaving());
    const std::string service = builtin::get_string(codec::protobuf_message(call.request), "service");
    const auto alarm = std::make_shared<Alarm>(*Loop::current());
    HealthSubscription of_service;
    HealthSubscription of_process;  // a shutdown changes nothing about a service that is unknown or down already
    of_service.start(health_, service, *alarm);
    if (!service.empty()) of_process.start(health_, "", *alarm);

    const codec::MessagePtr response(response_type_);
    std::optional<HealthStatus> sent;
    while (true) {
      alarm->rang.reset();
      const bool last = health_.is_shut_down();
      const HealthStatus status = health_.get(service);
      if (status != sent) {
        set_status(codec::protobuf_message(response.get()), status);
        Result<void> written = co_await call.stream->write(response.get());
        if (!written) co_return written;
        sent = status;
      }
      if (last) co_return fail(leaving());
      Result<void> waited = co_await alarm->rang.wait(context);
      if (!waited) co_return waited;
    }
  }

 private:
  static Error leaving() { return unavailable("the process is shutting down; watch another node"); }

  Health& health_;
  const codec::MessageType& response_type_;
};

class HealthService final : public Handler {
 public:
  explicit HealthService(Health& health)
      : check_(std::make_shared<Check>(health)), list_(std::make_shared<List>(health)), watch_(std::make_shared<Watch>(health)) {}

  std::vector<Endpoint> endpoints() override {
    const codec::MessageType& request = type("grpc.health.v1.HealthCheckRequest");
    const codec::MessageType& response = type("grpc.health.v1.HealthCheckResponse");
    const std::string service = "grpc.health.v1.Health";
    return {{.service = service,
             .method = "Check",
             .request_type = &request,
             .reply_type = &response,
             .description = "The status of a service now.",
             .idempotent = true,
             .handler = check_},
            {.service = service,
             .method = "List",
             .request_type = &type("grpc.health.v1.HealthListRequest"),
             .reply_type = &type("grpc.health.v1.HealthListResponse"),
             .description = "The statuses of all services now.",
             .idempotent = true,
             .handler = list_},
            {.service = service,
             .method = "Watch",
             .kind = MethodKind::kServerStream,
             .request_type = &request,
             .reply_type = &response,
             .description = "The status of a service now and after each change.",
             .idempotent = true,
             .handler = watch_}};
  }

 private:
  std::shared_ptr<CallHandler> check_;
  std::shared_ptr<CallHandler> list_;
  std::shared_ptr<CallHandler> watch_;
};

}  // namespace

std::shared_ptr<Handler> health_service(Health& health) { return std::make_shared<HealthService>(health); }

}  // namespace micro::rpc
