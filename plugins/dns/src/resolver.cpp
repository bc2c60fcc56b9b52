#include "resolver.hpp"

#include <ares.h>
#include <sys/time.h>

#include <utility>

#include <micro/coro/event.hpp>
#include <micro/loop/fd_watch.hpp>

namespace micro::dns {
namespace {

std::string joined(const std::vector<std::string>& servers) {
  std::string text;
  for (const std::string& server : servers) text += (text.empty() ? "" : ",") + server;
  return text;
}

// Once for the process, before the first channel; never undone, as others may use c-ares, too.
int initialize() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

}  // namespace

// One of c-ares' sockets; it opens and closes them.
struct Resolver::Socket {
  Socket(Loop& loop, int descriptor) : fd(descriptor), watch(std::in_place, loop, descriptor) {}
  const int fd;
  std::optional<FdWatch> watch;  // none: it is closed
  bool writable = false;         // wanted
};

// Both c-ares and who asks hold on to it.
struct Resolver::Question {
  Event answered;
  std::optional<Result<std::string>> answer;
};

Resolver::~Resolver() {
  if (channel_ != nullptr) ares_destroy(channel_);
}

Result<void> Resolver::check_servers(const std::vector<std::string>& servers) {
  ares_channel channel = nullptr;
  if (initialize() != ARES_SUCCESS || ares_init(&channel) != ARES_SUCCESS) return fail(resource_exhausted("c-ares cannot start"));
  const int status = servers.empty() ? ARES_SUCCESS : ares_set_servers_ports_csv(channel, joined(servers).c_str());
  ares_destroy(channel);
  if (status == ARES_SUCCESS) return {};
  return fail(invalid_argument("\"" + joined(servers) + "\" are no DNS servers; write for example server=10.0.0.2:53"));
}

Result<void> Resolver::open() {
  if (channel_ != nullptr) return {};
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.timeout = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(options_.timeout).count());
  options.tries = options_.tries;
  options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Resolver*>(self)->on_socket(fd, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = this;
  int status = initialize();
  if (status == ARES_SUCCESS) {
    status =
        ares_init_options(&channel_, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  }
  if (status == ARES_SUCCESS && !options_.servers.empty()) {
    status = ares_set_servers_ports_csv(channel_, joined(options_.servers).c_str());
  }
  if (status == ARES_SUCCESS) return {};
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
  return fail(unavailable(std::string("the DNS servers cannot be asked: ") + ares_strerror(status)));
}

Task<Result<std::string>> Resolver::ask(Context& context, std::string name, Type type) {
  if (closed_) co_return fail(cancelled("DNS is asked no longer"));
  if (auto opened = open(); !opened) co_return fail(std::move(opened.error()));
  const auto question = std::make_shared<Question>();
  auto done = [](void* argument, int status, int, unsigned char* message, int size) {
    const std::unique_ptr<std::shared_ptr<Question>> share(static_cast<std::shared_ptr<Question>*>(argument));
    Question& asked = **share;
    switch (status) {
      case ARES_SUCCESS:
        asked.answer = std::string(reinterpret_cast<const char*>(message), static_cast<std::size_t>(size));
        break;
      case ARES_ENODATA:
      case ARES_ENOTFOUND:
        asked.answer = std::string();
        break;
      case ARES_EDESTRUCTION:
      case ARES_ECANCELLED:
        asked.answer = fail(cancelled("DNS is asked no longer"));
        break;
      case ARES_EBADNAME:
        asked.answer = fail(invalid_argument("it is no name that DNS can have"));
        break;
      default:
        asked.answer = fail(unavailable(ares_strerror(status)));
    }
    asked.answered.set();
  };
  ares_query(channel_, name.c_str(), 1, static_cast<int>(type), done, new std::shared_ptr<Question>(question));
  set_timer();
  const Result<void> waited = co_await question->answered.wait(context);
  if (!question->answer) co_return fail(waited.error());
  if (!*question->answer) {
    co_return fail(std::move(question->answer->error()).with_context("DNS: " + name + " at " + servers()));
  }
  co_return std::move(**question->answer);
}

std::string Resolver::servers() const { return options_.servers.empty() ? "the system's servers" : joined(options_.servers); }

void Resolver::on_socket(int fd, bool readable, bool writable) {
  const auto found = sockets_.find(fd);
  if (!readable && !writable) {
    if (found == sockets_.end()) return;
    // c-ares closes the descriptor next.
    found->second->watch.reset();
    sockets_.erase(found);
    return;
  }
  if (found == sockets_.end()) {
    auto socket = std::make_shared<Socket>(loop_, fd);
    socket->writable = writable;
    sockets_.emplace(fd, socket);
    if (auto holder = gate_.try_enter()) spawn(serve(std::move(socket), std::move(holder)));
  } else if (std::exchange(found->second->writable, writable) != writable) {
    found->second->watch->cancel();  // to wait for something else
  }
}

Task<void> Resolver::serve(std::shared_ptr<Socket> socket, Gate::Holder) {
  while (socket->watch) {
    const bool writable = socket->writable;
    // Named, so that nothing of the watch is touched when it is gone afterwards.
    auto wait = writable ? socket->watch->readable_or_writable() : socket->watch->readable();
    const bool ready = co_await wait;
    if (!socket->watch || !ready) continue;
    ares_process_fd(channel_, socket->fd, writable ? socket->fd : ARES_SOCKET_BAD);
    set_timer();
  }
}

void Resolver::set_timer() {
  timeval time{};
  if (channel_ == nullptr || ares_timeout(channel_, nullptr, &time) == nullptr) return timer_.cancel();
  const Duration wait = std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  timer_.set(loop_, loop_.now() + wait, [](void* self) { static_cast<Resolver*>(self)->on_time(); }, this);
}

void Resolver::on_time() {
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  set_timer();
}

Task<void> Resolver::close() {
  closed_ = true;
  timer_.cancel();
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
  co_await gate_.close();
}

}  // namespace micro::dns
