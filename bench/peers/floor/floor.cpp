// The physical floor: what one unary gRPC call costs when the server does nothing but move bytes. A bare epoll loop that reads
// only frame headers and answers every finished request with the same canned frames. No HPACK, no protobuf, no checks. What does
// not begin as HTTP/2 is HTTP/1.1: each read is taken for one request and gets the same JSON.
//
//   floor_server 127.0.0.1:5001 "Hello John Smith"
#include <algorithm>
#include <memory>
#include <vector>

#include "frame.hpp"
#include "socket.hpp"

namespace {

using namespace bench;

struct Connection {
  int fd;
  bool preface_seen = false;
  bool http1 = false;
  bool want_write = false;
  std::uint32_t window_used = 0;
  std::size_t have = 0;
  std::vector<char> in = std::vector<char>(64 * 1024);  // more than a frame of the default 16 KiB
  std::string out;
};

// HEADERS, DATA and trailers of one reply. Literals without indexing: the bytes are the same for every stream.
struct Reply {
  std::string bytes;
  std::size_t data_at, trailers_at;

  explicit Reply(std::string_view message) {
    append_frame(bytes, kHeaders, kEndHeaders, 0,
                 "\x88\x0f\x10" + hpack_string("application/grpc"));  // :status 200, content-type
    data_at = bytes.size();
    append_frame(bytes, kData, 0, 0, grpc_message(message));
    trailers_at = bytes.size();
    append_frame(bytes, kHeaders, kEndHeaders | kEndStream, 0,
                 std::string(1, '\0') + hpack_string("grpc-status") + hpack_string("0"));
  }

  void append_to(std::string& out, std::uint32_t stream) const {
    const std::size_t at = out.size();
    out.append(bytes);
    for (const std::size_t frame : {std::size_t{0}, data_at, trailers_at}) write_u32(out.data() + at + frame + 5, stream);
  }
};

void on_frame(Connection& connection, const Frame& frame, const Reply& reply) {
  switch (frame.type) {
    case kData:
      connection.window_used += static_cast<std::uint32_t>(frame.payload.size());
      [[fallthrough]];
    case kHeaders:
      if (frame.flags & kEndStream) reply.append_to(connection.out, frame.stream);
      break;
    case kSettings:
    case kPing:
      if (frame.flags & kAck) break;
      append_frame(connection.out, static_cast<FrameType>(frame.type), kAck, 0, frame.type == kPing ? frame.payload : "");
      break;
    default:
      break;
  }
  if (connection.window_used > kWindowStep) {
    append_frame(connection.out, kWindowUpdate, 0, 0, u32_bytes(connection.window_used));
    connection.window_used = 0;
  }
}

void greet(Connection& connection) {
  append_frame(connection.out, kSettings, 0, 0, {});
  append_frame(connection.out, kWindowUpdate, 0, 0, u32_bytes(0x7fffffffu - 65535u));
}

// Both return false when the connection is over.
bool flush(Connection& connection, int epoll) {
  if (!connection.out.empty()) {
    const ssize_t sent = send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent > 0) connection.out.erase(0, static_cast<std::size_t>(sent));
  }
  if (connection.want_write != !connection.out.empty()) {
    connection.want_write = !connection.want_write;
    epoll_set(epoll, EPOLL_CTL_MOD, connection.fd, EPOLLIN | (connection.want_write ? EPOLLOUT : 0u), &connection);
  }
  return true;
}

bool on_readable(Connection& connection, const Reply& reply, const std::string& json) {
  const ssize_t got =
      recv(connection.fd, connection.in.data() + connection.have, connection.in.size() - connection.have, MSG_DONTWAIT);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  connection.have += static_cast<std::size_t>(got);
  std::string_view bytes(connection.in.data(), connection.have);
  if (connection.http1 ||
      (!connection.preface_seen && !bytes.starts_with(kPreface.substr(0, std::min(bytes.size(), kPreface.size()))))) {
    connection.http1 = true;
    connection.out += json;
    connection.have = 0;
    return true;
  }
  if (!connection.preface_seen) {
    if (bytes.size() < kPreface.size()) return true;
    greet(connection);
    if (!bytes.starts_with(kPreface)) return false;
    bytes.remove_prefix(kPreface.size());
    connection.preface_seen = true;
  }
  bytes.remove_prefix(each_frame(bytes, [&](const Frame& frame) { on_frame(connection, frame, reply); }));
  std::memmove(connection.in.data(), bytes.data(), bytes.size());
  connection.have = bytes.size();
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) die("usage: floor_server IPV4:PORT MESSAGE");
  const sockaddr_in address = parse_address(argv[1]);
  const Reply reply(argv[2]);
  const std::string body = std::string(R"({"message":")") + argv[2] + "\"}";
  const std::string json =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;

  const int listener = tcp_socket(0);
  const int on = 1;
  check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt SO_REUSEADDR");
  check(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), argv[1]);
  check(listen(listener, 1024), "listen");
  const int epoll = check(epoll_create1(0), "epoll_create1");
  epoll_set(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, nullptr);

  std::vector<epoll_event> events(256);
  while (true) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == nullptr) {
        const int fd = check(accept(listener, nullptr, nullptr), "accept");
        set_nodelay(fd);
        auto connection = std::make_unique<Connection>(fd);
        epoll_set(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, connection.release());
        continue;
      }
      auto* connection = static_cast<Connection*>(event.data.ptr);
      const bool readable = (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0;
      if ((readable && !on_readable(*connection, reply, json)) || !flush(*connection, epoll)) {
        close(connection->fd);
        delete connection;
      }
    }
  }
}
