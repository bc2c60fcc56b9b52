#pragma once

#include <memory>

#include <micro/service/service.hpp>

namespace micro {

// HTTP for the outside, RPC for the inside: `POST /api/<service>/<endpoint>` with a JSON body calls that endpoint of a service
// found in the registry, balanced over its nodes, and answers with the reply as JSON.
//
//   curl -d '{"name":"John"}' http://gateway:8080/api/greeter/Greeter.Hello
//
// No generated code is needed: the schema is what the nodes publish. Request headers travel on as metadata, reply metadata comes
// back as headers; the header X-Micro-Node names the node that answered. An Error becomes the HTTP status of its code with the
// JSON body of <micro/http/error.hpp>.
//
// `GET /services` lists what the registry has, as JSON.
//
// Adds the routes to the service, which is then started as usual. Several gateways may run side by side: they share nothing.
void add_gateway(Service& service);

}  // namespace micro
