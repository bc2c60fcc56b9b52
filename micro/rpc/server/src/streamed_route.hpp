#pragma once

#include <micro/coro/event.hpp>
#include <micro/server/http_routes.hpp>
#include <micro/server/http_stream.hpp>

#include "http_carried_call.hpp"

namespace micro::rpc {

// A plain route whose response is sent piece by piece. Made with new; deletes itself.
class StreamedRoute final : public HttpCarriedCall, private ResponseWriter {
 public:
  explicit StreamedRoute(Worker& worker) noexcept : HttpCarriedCall(worker) {}
  void begin(HttpExchange& exchange, HttpHead& head, HttpRoutes::Match match);
  void receive(std::string_view data, bool end) override;
  void writable() override { writable_.set(); }

 private:
  ~StreamedRoute() = default;
  Task<Result<void>> run() override;
  void end(Result<void> outcome) override;
  void interrupt() override { writable_.set(); }
  void dispose() override { delete this; }

  Result<void> begin() override;
  Task<Result<void>> write(std::string_view bytes) override;
  bool begun() const noexcept override { return begun_; }
  Task<Result<void>> written();

  HttpRoutes::Match match_;
  Event writable_;
  bool begun_ = false;
};

}  // namespace micro::rpc
