#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <micro/error/error.hpp>
#include <micro/tls/options.hpp>

namespace micro::tls {

// Certificates, keys and authorities, read from files. What was read is never changed: reload() puts a new snapshot in its place,
// which new connections use, while those that exist keep the one they began with. Sessions are not resumed across a reload.
// Thread safety: all members from any thread. Keys are in memory only, and in no message.
class Credentials {
 public:
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  virtual ~Credentials();

  // Reads the files again if one of them is another than before (inode, size, time of change). True: from now on the new ones are
  // in use. On an error the old ones stay, and the next call tries again. Blocks, for some small files.
  Result<bool> reload();
  // What is read.
  const std::vector<std::string>& files() const noexcept { return files_; }

  struct Snapshot;
  std::shared_ptr<const Snapshot> snapshot() const;

 protected:
  explicit Credentials(std::vector<std::string> files);
  virtual Result<std::shared_ptr<const Snapshot>> read() const = 0;

 private:
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;  // there is no such file
    std::int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  std::vector<Stamp> look() const;

  const std::vector<std::string> files_;
  std::mutex reloading_;
  std::vector<Stamp> stamps_;  // of the files in use
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
};

// What a server needs.
class ServerCredentials final : public Credentials {
 public:
  // Errors are INVALID_ARGUMENT with the reason TLS_FILES and tell all that is wrong in one message: a file that cannot be read,
  // no certificate in it, a key that is another certificate's, a certificate that has expired.
  static Result<std::shared_ptr<ServerCredentials>> load(ServerOptions options);
  const ServerOptions& options() const noexcept { return options_; }

 private:
  explicit ServerCredentials(ServerOptions options);
  Result<std::shared_ptr<const Snapshot>> read() const override;
  const ServerOptions options_;
};

// What a client needs. Keeps the sessions servers offer, so that the next connection to the same server is made with less work.
class ClientCredentials final : public Credentials {
 public:
  // Errors as above.
  static Result<std::shared_ptr<ClientCredentials>> load(ClientOptions options);
  const ClientOptions& options() const noexcept { return options_; }

 private:
  explicit ClientCredentials(ClientOptions options);
  Result<std::shared_ptr<const Snapshot>> read() const override;
  const ClientOptions options_;
};

}  // namespace micro::tls
