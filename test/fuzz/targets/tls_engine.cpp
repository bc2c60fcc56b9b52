// TLS without a socket. Any bytes to either role: an error that is documented, or none; bounded output; a failed engine stays
// failed. And two of ours with somebody between them who splits, cuts, changes and repeats records: what arrives is the beginning
// of what was sent, and all of it when nobody interfered. The first byte chooses.
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>

#include <micro/testcerts/authority.hpp>
#include <micro/tls/engine.hpp>

#include "fuzz.hpp"

namespace {

using namespace micro::tls;
using micro::fuzz::Copy;
using micro::fuzz::Input;
using micro::fuzz::require;

struct Both {
  std::shared_ptr<ServerCredentials> server;
  std::shared_ptr<ClientCredentials> client;
};

Both make_credentials() {
  std::string folder = (std::filesystem::temp_directory_path() / "fuzz-tls-XXXXXX").string();
  require(mkdtemp(folder.data()) != nullptr, "no folder for certificates");
  const auto file = [&](const char* name, const std::string& text) {
    std::string path = folder + "/" + name;
    std::ofstream(path) << text;
    return path;
  };
  const micro::testkit::Authority authority;
  const std::string trusted = file("ca.pem", authority.certificate());
  const auto pair = [&](const std::string& name, const std::string& alternative) {
    const auto issued = authority.issue({.common_name = name, .alternative_names = {alternative}});
    return KeyPair{file((name + ".pem").c_str(), issued.certificate), file((name + ".key").c_str(), issued.key)};
  };
  auto server = ServerCredentials::load(
      {.certificates = {pair("server", "DNS:localhost")}, .client_auth = ClientAuth::kRequest, .trusted = trusted});
  auto client = ClientCredentials::load({.trusted = trusted, .certificate = pair("client", "URI:spiffe://acme/client")});
  require(server && client, "credentials cannot be loaded");
  std::filesystem::remove_all(folder);
  return {*std::move(server), *std::move(client)};
}

const Both& credentials() {
  static const Both both = make_credentials();
  return both;
}

struct End {
  explicit End(Engine e, bool begins) : engine(std::move(e)) {
    if (begins) handshake();
  }

  void handshake() {
    if (failed) return;
    const auto done = engine.handshake();
    if (!done) fail(done.error());
  }
  void fail(const micro::Error& error) {
    require(error.code() == micro::Code::kUnavailable &&
                (error.reason() == "TLS_CERTIFICATE" || error.reason() == "TLS_HANDSHAKE" || error.reason() == "TLS_BROKEN"),
            "an undocumented error: " + error.reason() + " " + error.message());
    failed = true;
    const auto again = engine.handshake();
    require(!again && again.error().message() == error.message(), "a failed engine goes on");
  }
  // Takes all there is.
  void take(std::string_view bytes) {
    if (failed || ended) return;
    const Copy piece(bytes);
    engine.feed(piece.view());
    if (!engine.established()) handshake();
    std::array<char, 700> buffer;
    while (!failed && !ended && engine.established()) {
      bool starved = false;
      const auto count = engine.read(buffer, starved);
      if (!count) return fail(count.error());
      if (*count == 0 && starved) return;
      if (*count == 0) ended = true;
      received.append(buffer.data(), *count);
    }
  }
  void write(std::string text) {
    if (failed || closed || !engine.established()) return;
    require(engine.write(text).has_value(), "an established engine does not take plaintext");
    sent += text;
  }

  Engine engine;
  std::string sent;
  std::string received;
  bool failed = false;
  bool ended = false;
  bool closed = false;
};

void check_bytes(std::string_view input, bool server) {
  End end(server ? Engine::server(*credentials().server) : Engine::client(*credentials().client, "localhost"), !server);
  const std::size_t step = 1 + micro::fuzz::hash(input) % 200;
  for (std::size_t at = 0; at < input.size(); at += step) end.take(input.substr(at, step));
  require(!end.engine.established() && end.received.empty(), "a handshake out of nothing");
  require(end.engine.output().size() < 64 * 1024, "a long answer to nothing");
  if (end.failed) return;
  end.engine.feed_end();
  const auto done = end.engine.handshake();
  require(!done, "a handshake is done after its end");
  end.fail(done.error());
}

// Somebody on the way moves some bytes; true when they are those that were sent, in order.
bool carry(End& from, End& to, Input& in) {
  const auto how = in.byte();
  micro::Chain& output = from.engine.output();
  const std::size_t size = std::min<std::size_t>(1 + in.u16(), output.size());
  std::string bytes(output.flatten().substr(0, size));
  output.consume(size);
  if (bytes.empty()) return true;
  switch (how % 16) {
    case 0:  // changed
      bytes[in.u16() % bytes.size()] ^= static_cast<char>(1 << (in.byte() % 8));
      break;
    case 1:  // repeated
      bytes += bytes;
      break;
    case 2:  // lost
      bytes.clear();
      break;
    case 3:  // something else before it
      bytes.insert(0, in.text());
      break;
    default:
      to.take(bytes);
      return true;
  }
  to.take(bytes);
  return false;
}

void check_pair(Input& in) {
  End server(Engine::server(*credentials().server), false);
  End client(Engine::client(*credentials().client, "localhost"), true);
  bool honest = true;
  const auto move = [&](End& from, End& to) { honest = carry(from, to, in) && honest; };
  const auto move_all = [&] {
    // More than a handshake has flights: an engine that answers an alert with an alert would go on forever.
    for (int i = 0; i < 200 && !(client.engine.output().empty() && server.engine.output().empty()); ++i) {
      const auto all = [&](End& from, End& to) {
        const std::string bytes(from.engine.output().flatten());
        from.engine.output().consume(bytes.size());
        to.take(bytes);
      };
      all(client, server);
      all(server, client);
    }
    require(client.engine.output().empty() && server.engine.output().empty(), "two ends never stop talking");
  };
  while (!in.empty()) {
    const auto op = in.byte();
    End& end = (op & 0x80) != 0 ? server : client;
    End& other = (op & 0x80) != 0 ? client : server;
    switch (op % 8) {
      case 0:
        end.write(std::string(in.text()));
        break;
      case 1:
        end.write(std::string(in.u16(), 'a'));
        break;
      case 2:
        if (in.byte() < 0x10 && end.engine.established()) {
          end.engine.close();
          end.closed = true;
        }
        break;
      case 3:
        if (honest) move_all();
        break;
      default:
        move(end, other);
    }
  }
  move_all();
  for (const auto& [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
    require(std::string_view(from->sent).starts_with(to->received), "plaintext changes on its way");
    if (!honest) continue;
    require(!from->failed && from->engine.established(), "an honest handshake fails");
    require(to->received == from->sent, "plaintext does not arrive");
  }
}

}  // namespace

MICRO_FUZZ_TARGET(tls_engine) {
  Input in(input);
  const auto choice = in.byte();
  if (choice % 8 < 2) return check_bytes(in.rest(), choice % 8 == 0);
  check_pair(in);
}
