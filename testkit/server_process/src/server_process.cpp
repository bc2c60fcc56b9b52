#include <micro/testserver/server_process.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

namespace micro::testkit {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(5);
// Of what a server printed, in a message.
constexpr std::size_t kMostOutput = 4000;

std::string reason(int error) { return std::generic_category().message(error); }

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// What the child needs, made before fork(): after it only async-signal-safe functions may be called.
struct Launch {
  explicit Launch(const std::vector<std::string>& command, const std::vector<std::pair<std::string, std::string>>& environment) {
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
    for (const auto& [name, value] : environment) {
      std::erase_if(variables, [&](const std::string& variable) { return variable.starts_with(name + "="); });
      variables.push_back(name + "=" + value);
    }
    for (const std::string& variable : variables) pointers.push_back(const_cast<char*>(variable.c_str()));
    pointers.push_back(nullptr);
  }
  std::vector<char*> arguments;
  std::vector<std::string> variables;
  std::vector<char*> pointers;
};

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(Options options) {
  if (options.command.empty()) return fail(invalid_argument("cannot start a server: the command is empty"));
  std::unique_ptr<ServerProcess> server(new ServerProcess(std::move(options)));
  if (Result<void> launched = server->launch(); !launched) return fail(std::move(launched.error()));
  return server;
}

ServerProcess::ServerProcess(Options options) : options_(std::move(options)) {
  static std::atomic<int> number = 0;
  log_ = (std::filesystem::temp_directory_path() /
          ("server-" + std::to_string(::getpid()) + "-" + std::to_string(++number) + ".log"))
             .string();
}

ServerProcess::~ServerProcess() {
  kill();
  std::error_code ignored;
  std::filesystem::remove(log_, ignored);
}

Result<void> ServerProcess::launch() {
  const std::string& name = options_.command.front();
  const std::optional<std::string> program = name.contains('/') ? name : find_program(name);
  if (!program) return fail(not_found("cannot start " + name + ": it is not installed"));
  const int log = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return fail(internal("cannot start " + name + ": cannot write " + log_ + ": " + reason(errno)));
  const Launch launch(options_.command, options_.environment);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    if (!options_.directory.empty() && ::chdir(options_.directory.c_str()) != 0) ::_exit(126);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execve(program->c_str(), launch.arguments.data(), launch.pointers.data());
    ::_exit(127);
  }
  const int error = errno;
  ::close(log);
  if (pid_ < 0) return fail(internal("cannot start " + name + ": " + reason(error)));
  return {};
}

Result<void> ServerProcess::wait_until(const std::function<bool()>& ready, Duration timeout) {
  const TimePoint until = Clock::now() + timeout;
  while (!ready()) {
    if (!running()) return fail(failure(unavailable(options_.command.front() + " has ended")));
    if (Clock::now() > until) return fail(failure(deadline_exceeded(options_.command.front() + " is not ready in time")));
    std::this_thread::sleep_for(kLook);
  }
  return {};
}

Error ServerProcess::failure(Error error) const {
  std::string text = output();
  if (text.size() > kMostOutput) text.erase(0, text.size() - kMostOutput);
  return Error(error.code(), error.reason(), error.message() + "; it printed:\n" + text);
}

bool ServerProcess::running() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  pid_ = -1;
  return false;
}

void ServerProcess::stop(Duration patience) {
  if (!running()) return;
  ::kill(pid_, SIGTERM);
  const TimePoint until = Clock::now() + patience;
  while (running() && Clock::now() < until) std::this_thread::sleep_for(kLook);
  kill();
}

void ServerProcess::kill() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ServerProcess::pause() {
  if (running()) ::kill(pid_, SIGSTOP);
}

void ServerProcess::resume() {
  if (running()) ::kill(pid_, SIGCONT);
}

Result<void> ServerProcess::restart() {
  kill();
  return launch();
}

std::string ServerProcess::output() const {
  std::ostringstream text;
  text << std::ifstream(log_).rdbuf();
  return std::move(text).str();
}

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "micro-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  path_ = std::move(name);
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  const bool bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!bound) throw std::system_error(error, std::generic_category(), "cannot find a free port");
  return ntohs(address.sin_port);
}

bool accepts_connections(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  if (fd >= 0) ::close(fd);
  return connected;
}

std::optional<std::string> find_program(std::string_view name) {
  const char* const path = std::getenv("PATH");
  std::istringstream directories(std::string(path != nullptr ? path : "") + ":/usr/local/sbin:/usr/sbin:/sbin");
  std::string directory;
  while (std::getline(directories, directory, ':')) {
    const std::string candidate = directory + "/" + std::string(name);
    if (!directory.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

}  // namespace micro::testkit
