#include "http_exchange.hpp"

#include "cors.hpp"

namespace micro::rpc {

const Metadata& HttpExchange::complete(const Metadata& headers, Metadata& scratch) const {
  if (cors_ == nullptr) return headers;
  scratch = headers;
  append_cors(*cors_, origin_, scratch);
  return scratch;
}

}  // namespace micro::rpc
