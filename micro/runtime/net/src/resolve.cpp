#include "resolve.hpp"

#include <netdb.h>

#include <memory>

#include <micro/coro/event.hpp>
#include <micro/offload/offload.hpp>

#include "loop_impl.hpp"

namespace micro::net {
namespace {

struct Lookup {
  Address address;
  std::shared_ptr<RemoteQueue> loop;
  Result<std::vector<SocketAddress>> result;
  Event done;
};
using LookupPtr = std::shared_ptr<Lookup>;

void finish(void* argument, bool run) {
  const std::unique_ptr<LookupPtr> lookup(static_cast<LookupPtr*>(argument));
  if (run) (*lookup)->done.set();
}

void look_up(void* argument) {
  Lookup& work = **static_cast<LookupPtr*>(argument);
  work.result = lookup(work.address.host, work.address.port, AI_ADDRCONFIG);
  const std::shared_ptr<RemoteQueue> loop = work.loop;
  if (!loop->post({nullptr, finish, argument})) finish(argument, false);
}

}  // namespace

Task<Result<std::vector<SocketAddress>>> resolve(Context& context, const Address& address) {
  // Numbers need no name server and no other thread.
  auto numeric = lookup(address.host, address.port, AI_NUMERICHOST);
  if (numeric) co_return numeric;

  auto work = std::make_shared<Lookup>();
  work->address = address;
  work->loop = Loop::current()->impl().remote;
  default_offload_pool().post(look_up, new LookupPtr(work));
  Result<void> waited = co_await work->done.wait(context);
  if (!waited) co_return fail(std::move(waited.error()));
  co_return std::move(work->result);
}

}  // namespace micro::net
