#include <micro/call/call.hpp>
#include <micro/call/chain.hpp>
#include <micro/call/endpoint.hpp>

namespace micro::rpc {

std::string_view to_string(MethodKind kind) noexcept {
  switch (kind) {
    case MethodKind::kUnary:
      return "unary";
    case MethodKind::kClientStream:
      return "client_stream";
    case MethodKind::kServerStream:
      return "server_stream";
    case MethodKind::kBidiStream:
      return "bidi_stream";
  }
  return "unary";
}

std::string_view to_string(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::kGrpc:
      return "grpc";
    case Protocol::kHttpJson:
      return "http";
    case Protocol::kGrpcWeb:
      return "grpc-web";
    case Protocol::kSse:
      return "sse";
    case Protocol::kNdjson:
      return "ndjson";
    case Protocol::kWebSocket:
      return "websocket";
    case Protocol::kMucp:
      return "mucp";
  }
  return "unknown";
}

Task<Reply> Next::operator()(Context& context, Call& call) const {
  if (index_ == chain_->middleware_.size()) return last_->handle(context, call);
  return chain_->middleware_[index_]->handle(context, call, Next(*chain_, index_ + 1, *last_));
}

std::string Endpoint::name() const {
  const std::size_t dot = service.rfind('.');
  return service.substr(dot == std::string::npos ? 0 : dot + 1) + "." + method;
}

}  // namespace micro::rpc
