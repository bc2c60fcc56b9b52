#include <micro/tls/credentials.hpp>

#include <sys/stat.h>

#include <micro/coro/block_on.hpp>
#include <micro/loop/loop.hpp>
#include <micro/tls/reloader.hpp>

#include "snapshot.hpp"
#include "test_support.hpp"

namespace micro::tls {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string fault(ServerOptions options) {
  Result<std::shared_ptr<ServerCredentials>> loaded = ServerCredentials::load(std::move(options));
  if (loaded) return "";
  EXPECT_EQ(loaded.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(loaded.error().reason(), "TLS_FILES");
  EXPECT_THAT(loaded.error().message(), Not(HasSubstr("PRIVATE KEY-----\n"))) << "a key never gets into a message";
  return loaded.error().message();
}

TEST(Credentials, SayWhatIsWrongWithTheFiles) {
  const Files files;
  const KeyPair good = files.server();
  const KeyPair other = files.server("other");
  EXPECT_EQ(fault({.certificates = {good}}), "");
  EXPECT_THAT(fault({}), HasSubstr("needs a certificate"));
  EXPECT_THAT(fault({.certificates = {{files.path("nowhere.pem"), good.key}}}),
              AllOf(HasSubstr("cannot read the certificate " + files.path("nowhere.pem") + ": No such file or directory")));
  EXPECT_THAT(fault({.certificates = {{good.certificate, files.path("nowhere.key")}}}),
              HasSubstr("cannot read the key " + files.path("nowhere.key")));
  EXPECT_THAT(fault({.certificates = {{testing::TempDir(), good.key}}}), HasSubstr("Is a directory"));
  EXPECT_THAT(fault({.certificates = {{good.certificate, other.key}}}),
              AllOf(HasSubstr("the key " + other.key + " does not belong to the certificate " + good.certificate),
                    HasSubstr("CN=server")));
  EXPECT_THAT(fault({.certificates = {{good.key, good.key}}}), HasSubstr("no certificate in " + good.key));
  EXPECT_THAT(fault({.certificates = {{good.certificate, good.certificate}}}),
              HasSubstr("no private key in " + good.certificate));
  EXPECT_THAT(fault({.certificates = {good}, .client_auth = ClientAuth::kRequire}), HasSubstr("tls_ca"));
  EXPECT_THAT(fault({.certificates = {good}, .client_auth = ClientAuth::kRequire, .trusted = good.key}),
              HasSubstr("trusted authorities: no certificate in " + good.key));
}

TEST(Credentials, SayAllFaultsAtOnce) {
  const Files files;
  const KeyPair a{files.path("a.pem"), files.path("a.key")};
  const std::string message = fault({.certificates = {a, {files.path("b.pem"), files.path("b.key")}},
                                     .client_auth = ClientAuth::kRequest,
                                     .trusted = files.path("c")});
  for (const char* name : {"a.pem", "a.key", "b.pem", "b.key", "-c:"}) EXPECT_THAT(message, HasSubstr(name));
}

TEST(Credentials, ACertificateThatIsCutOffIsDamaged) {
  const Files files;
  const testkit::IssuedCertificate issued = files.authority.issue({});
  const KeyPair pair = files.store("cut", issued);
  write_file(pair.certificate, issued.certificate + files.authority.certificate().substr(0, 300));
  EXPECT_THAT(fault({.certificates = {pair}}), HasSubstr("certificate number 2 in " + pair.certificate + " is damaged"));
}

TEST(Credentials, AnEncryptedKeyAsksNobody) {
  const Files files;
  const KeyPair pair = files.server();
  write_file(pair.key,
             "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
             "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgSqUq/US994gICCAAw\n"
             "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEED5v+9jzkxdrB2s9xhzbrAIEgZCZ\n"
             "Ogclh5+CufetLkfQYuFQCor5bT6CSImnJse1FrU8J4oo+UMfruiFFwQaQJjpBCRQ\n"
             "09Nopy2Byf7DbByfgoddXmI7pfcjy+DT26TTzxjBupHTSMPu7kobp+VuP7m8QjCR\n"
             "TjpY/TRWL4MRpB2Lns/PpXKaQrcskhv/7gkTA0uTD6vwHCvS6FpvtVtDEBmH1xI=\n"
             "-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_THAT(fault({.certificates = {pair}}), HasSubstr("is encrypted"));
}

TEST(Credentials, AClientsFaults) {
  const Files files;
  EXPECT_TRUE(ClientCredentials::load({})) << "the authorities of the system";
  const auto fault_of = [](ClientOptions options) { return ClientCredentials::load(std::move(options)).error().message(); };
  EXPECT_THAT(fault_of({.trusted = files.path("nowhere")}), HasSubstr("trusted authorities: cannot read"));
  EXPECT_THAT(fault_of({.certificate = {.certificate = files.server().certificate, .key = ""}}), HasSubstr("both"));
}

TEST(Credentials, ReadAgainWhenAFileHasChanged) {
  const Files files;
  const KeyPair pair = files.server();
  const auto credentials =
      load(ServerOptions{.certificates = {pair}, .client_auth = ClientAuth::kRequest, .trusted = files.trusted()});
  EXPECT_THAT(credentials->files(), ElementsAre(pair.certificate, pair.key, files.trusted()));
  const auto first = credentials->snapshot();
  EXPECT_FALSE(credentials->reload().value()) << "nothing has changed";
  EXPECT_EQ(credentials->snapshot(), first);
  files.server();
  EXPECT_TRUE(credentials->reload().value());
  EXPECT_NE(credentials->snapshot(), first);
  EXPECT_FALSE(credentials->reload().value());
}

TEST(Credentials, BrokenNewFilesLeaveTheOldInUse) {
  const Files files;
  const KeyPair pair = files.server();
  const auto credentials = load(ServerOptions{.certificates = {pair}});
  const auto first = credentials->snapshot();
  const testkit::IssuedCertificate next = files.authority.issue({.alternative_names = {"DNS:localhost"}});
  write_file(pair.certificate, next.certificate);  // the key is to follow
  Result<bool> reloaded = credentials->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message(), HasSubstr("does not belong"));
  EXPECT_EQ(credentials->snapshot(), first);
  EXPECT_FALSE(credentials->reload()) << "is not forgotten";
  ::unlink(pair.key.c_str());
  EXPECT_FALSE(credentials->reload());
  write_file(pair.key, next.key);
  EXPECT_TRUE(credentials->reload().value());
  EXPECT_NE(credentials->snapshot(), first);
}

class Reports final : public ReloadObserver {
 public:
  void on_reloaded(const Credentials&) override { lines.push_back("reloaded"); }
  void on_reload_failed(const Credentials&, const Error& error) override { lines.push_back(error.message()); }
  std::vector<std::string> lines;
};

TEST(Reloader, TellsAFaultThatStaysOnce) {
  const Files files;
  const KeyPair pair = files.server();
  const auto credentials = load(ServerOptions{.certificates = {pair}});
  Reports reports;
  Reloader reloader(reports);
  reloader.add(credentials);
  Loop loop;
  const auto look = [&] { block_on(loop, reloader.look()); };
  look();
  EXPECT_THAT(reports.lines, ElementsAre());
  const testkit::IssuedCertificate next = files.authority.issue({});
  write_file(pair.certificate, next.certificate);
  look();
  EXPECT_THAT(reports.lines, ElementsAre()) << "the key may be on its way";
  look();
  look();
  EXPECT_THAT(reports.lines, ElementsAre(HasSubstr("does not belong")));
  write_file(pair.key, next.key);
  look();
  EXPECT_THAT(reports.lines, ElementsAre(HasSubstr("does not belong"), "reloaded"));
  // Replaced piece by piece, but in time.
  const testkit::IssuedCertificate third = files.authority.issue({});
  write_file(pair.certificate, third.certificate);
  look();
  write_file(pair.key, third.key);
  look();
  EXPECT_THAT(reports.lines, ElementsAre(HasSubstr("does not belong"), "reloaded", "reloaded"));
}

TEST(Reloader, EndsWithItsContext) {
  Reports reports;
  Reloader reloader(reports);
  Loop loop;
  Context life;
  life.cancel(cancelled("the end"));
  block_on(loop, reloader.run(life, std::chrono::hours(1)));
}

TEST(ClientAuth, HasNames) {
  EXPECT_EQ(parse_client_auth("require").value(), ClientAuth::kRequire);
  EXPECT_EQ(to_string(ClientAuth::kRequest), "request");
  EXPECT_THAT(parse_client_auth("always").error().message(), HasSubstr("none, request or require"));
}

}  // namespace
}  // namespace micro::tls
