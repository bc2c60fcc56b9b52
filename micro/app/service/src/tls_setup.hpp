#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/context/context.hpp>
#include <micro/coro/gate.hpp>
#include <micro/log/log.hpp>
#include <micro/service/options.hpp>
#include <micro/tls/credentials.hpp>
#include <micro/tls/reloader.hpp>

namespace micro {

class Flags;

// TLS of a service: makes the credentials of its server and its client from the options, has them read again when their files
// change, and says in the log what becomes of that.
class TlsSetup final : public tls::ReloadObserver {
 public:
  explicit TlsSetup(log::Logger& logger) : logger_(logger) {}

  static void add_flags(Flags& flags, TlsOptions& options);
  // Loads what the options name; the result is all that is wrong with them. Credentials the program has made go before.
  std::vector<std::string> load(const ServiceOptions& options);
  // Whether the server speaks TLS.
  bool serves() const noexcept { return server_ != nullptr; }
  // What the server and the client are to be started with.
  rpc::ServerOptions server_options(const ServiceOptions& options) const;
  rpc::ClientOptions client_options(const ServiceOptions& options) const;

  // On a loop, until stop(): looks after the files.
  void start(Duration interval);
  Task<void> stop();

 private:
  // Failed handshakes in the log, one a second at most: strangers must not be able to fill it.
  class Handshakes final : public rpc::TlsObserver {
   public:
    explicit Handshakes(log::Logger& logger) : logger_(logger) {}
    void on_failed_handshake(const std::string& peer, const Error& error) override;

   private:
    log::Logger& logger_;
    std::atomic<std::int64_t> told_in_{-1};  // second of the clock
    std::atomic<std::uint64_t> untold_{0};
  };

  // Which of the two, for the log.
  std::string_view use_of(const tls::Credentials& credentials) const noexcept;
  Task<void> watch(Duration interval, Gate::Holder holder);
  void on_reloaded(const tls::Credentials& credentials) override;
  void on_reload_failed(const tls::Credentials& credentials, const Error& error) override;

  log::Logger& logger_;
  std::shared_ptr<Handshakes> handshakes_ = std::make_shared<Handshakes>(logger_);
  std::shared_ptr<tls::ServerCredentials> server_;
  std::shared_ptr<tls::ClientCredentials> client_;
  std::unique_ptr<tls::Reloader> reloader_;
  std::unique_ptr<Context> life_;
  std::unique_ptr<Gate> gate_;
};

}  // namespace micro
