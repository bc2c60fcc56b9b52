#include "zookeeper_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// The C client writes the addresses in its log into one buffer of all its threads. We drop that log.
extern "C" const char* __tsan_default_suppressions() { return "race_top:vsprintf\n"; }
#endif
#endif

namespace micro::zookeeper {
namespace {

constexpr const char* kJar = "/usr/share/java/zookeeper.jar";

}  // namespace

bool ZookeeperServer::installed() { return testkit::find_program("java") && std::filesystem::exists(kJar); }

ZookeeperServer::ZookeeperServer() {
  const std::string config = directory_.path() + "/zoo.cfg";
  std::filesystem::create_directory(directory_.path() + "/data");
  std::ofstream(config) << "tickTime=250\nmaxSessionTimeout=60000\nadmin.enableServer=false\nclientPortAddress=127.0.0.1\n"
                        << "clientPort=" << port_ << "\ndataDir=" << directory_.path() << "/data\n";
  process_ =
      testkit::ServerProcess::start({.command = {*testkit::find_program("java"), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                                                 "-Xmx96m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
                                                 std::string(kJar) + ":/usr/share/java/slf4j-simple.jar",
                                                 "org.apache.zookeeper.server.quorum.QuorumPeerMain", config}})
          .value();
  wait_ready();
}

void ZookeeperServer::wait_ready() {
  const auto ready = process_->wait_until([&] { return testkit::accepts_connections(port_); });
  if (!ready) throw std::runtime_error(ready.error().to_string());
  // It accepts connections some time before it does anything with them.
  Loop loop;
  Raw raw(loop, *this);
  if (const auto asked = raw.ask({.kind = Request::Kind::kExists, .path = "/"}); !asked) {
    throw std::runtime_error(asked.error().to_string());
  }
}

void ZookeeperServer::restart() {
  if (const auto started = process_->restart(); !started) throw std::runtime_error(started.error().to_string());
  wait_ready();
}

void ZookeeperServer::wipe() {
  process_->kill();
  std::filesystem::remove_all(directory_.path() + "/data");
  std::filesystem::create_directory(directory_.path() + "/data");
  restart();
}

Raw::Raw(Loop& loop, const ZookeeperServer& server, const std::string& username, const std::string& password)
    : loop_(loop),
      session_(loop, {.servers = {server.address()},
                      .username = username,
                      .password = password,
                      .session_timeout = std::chrono::seconds(30),
                      .timeout = std::chrono::seconds(30),
                      .logger = std::make_shared<log::Logger>(log::Logger::Options{.level = log::Level::kOff})}) {
  const auto start = [&]() -> Task<void> {
    session_.start();
    co_return;
  };
  block_on(loop_, start());
}

Raw::~Raw() { block_on(loop_, session_.stop()); }

Result<Answer> Raw::ask(Request request) { return block_on(loop_, session_.ask(context_, std::move(request))); }

void Raw::write(const std::string& path, const std::string& data) {
  for (std::size_t end = path.find('/', 1); end != path.npos; end = path.find('/', end + 1)) {
    (void)ask({.kind = Request::Kind::kCreate, .path = path.substr(0, end)});
  }
  const auto made = ask({.kind = Request::Kind::kCreate, .path = path, .data = data});
  if (!made) throw std::runtime_error(made.error().to_string());
}

}  // namespace micro::zookeeper
