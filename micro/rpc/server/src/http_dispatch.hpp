#pragma once

#include "http_exchange.hpp"

namespace micro::rpc {

class Worker;

// Chooses what carries a request, from its head, and hands it over. The exchange may be over when this returns.
void dispatch(Worker& worker, HttpExchange& exchange, HttpHead& head);

}  // namespace micro::rpc
