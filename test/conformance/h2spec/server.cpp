// A port for HTTP/2 alone with one resource, "/": what h2spec asks for, with a body that windows can cut into pieces.
#include <memory>
#include <string>

#include <micro/service/service.hpp>

namespace {

class Page final : public micro::rpc::HttpHandler {
 public:
  micro::Task<micro::Result<micro::http::Response>> handle(micro::Context&, const micro::http::Request&,
                                                           const micro::rpc::PathParameters&) override {
    micro::http::Response response;
    response.headers.set("content-type", "text/plain");
    response.body.assign(1000, '.');
    co_return response;
  }
};

}  // namespace

int main(int argc, char** argv) {
  micro::ServiceOptions options;
  options.name = "h2spec-peer";
  options.server.http1 = false;
  micro::Service service(options);
  if (!service.http().add("*", "/", std::make_shared<Page>())) return 1;
  return service.run(argc, argv);
}
