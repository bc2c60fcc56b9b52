#pragma once

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/testcerts/authority.hpp>
#include <micro/tls/credentials.hpp>

// What the tests of this component share.
namespace micro::tls {

// Replaces a file in one step, as those who renew certificates do.
inline void write_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  std::ofstream(fresh) << text;
  std::rename(fresh.c_str(), path.c_str());
}

// An authority, and files with what it has issued.
class Files {
 public:
  explicit Files(const std::string& authority = "Test Authority") : authority(authority) {
    static int count = 0;
    base_ = testing::TempDir() + "tls-" + std::to_string(getpid()) + "-" + std::to_string(count++) + "-";
    write_file(trusted(), this->authority.certificate());
  }
  std::string path(const std::string& name) const { return base_ + name; }
  // The authority's own certificate.
  std::string trusted() const { return path("ca.pem"); }
  KeyPair pair(const std::string& name) const { return {path(name + ".pem"), path(name + ".key")}; }
  KeyPair store(const std::string& name, const testkit::IssuedCertificate& issued) const {
    write_file(path(name + ".pem"), issued.certificate + issued.chain);
    write_file(path(name + ".key"), issued.key);
    return pair(name);
  }
  KeyPair issue(const std::string& name, const testkit::CertificateOptions& options) const {
    return store(name, authority.issue(options));
  }
  // For "localhost".
  KeyPair server(const std::string& name = "server") const {
    return issue(name, {.common_name = name, .alternative_names = {"DNS:localhost", "IP:127.0.0.1"}});
  }
  KeyPair client(const std::string& name = "client") const {
    return issue(name, {.common_name = name, .alternative_names = {"URI:spiffe://acme/" + name}, .usage = "clientAuth"});
  }

  testkit::Authority authority;

 private:
  std::string base_;
};

inline std::shared_ptr<ServerCredentials> load(ServerOptions options) {
  Result<std::shared_ptr<ServerCredentials>> loaded = ServerCredentials::load(std::move(options));
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message();
  return loaded ? *loaded : nullptr;
}
inline std::shared_ptr<ClientCredentials> load(ClientOptions options) {
  Result<std::shared_ptr<ClientCredentials>> loaded = ClientCredentials::load(std::move(options));
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message();
  return loaded ? *loaded : nullptr;
}

}  // namespace micro::tls
