#include <micro/testcerts/authority.hpp>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace micro::testkit {
namespace {

using CertificatePtr = std::unique_ptr<X509, decltype([](X509* c) { X509_free(c); })>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* k) { EVP_PKEY_free(k); })>;
using BioPtr = std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free(b); })>;

void check(bool good) {
  if (!good) throw std::runtime_error("OpenSSL cannot make a certificate for a test");
}

template <class Write>
std::string pem(Write write) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  check(write(out.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    for (const int nibble : {digest[i] >> 4, digest[i] & 15}) text += "0123456789abcdef"[nibble];
  }
  return text;
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  check(extension != nullptr);
  const int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  check(added == 1);
}

// A certificate with a new key, still without extensions and signature.
CertificatePtr blank(const std::string& name, long from, long until, const KeyPtr& key) {
  CertificatePtr made(X509_new());
  std::uint64_t serial = 0;
  check(made && RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), until);
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  check(X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1);
  check(X509_set_pubkey(made.get(), key.get()) == 1);
  return made;
}

}  // namespace

struct Authority::Impl {
  // `issuer` null: a root.
  Impl(const std::string& name, const Impl* issuer) : key(EVP_EC_gen("P-256")) {
    check(key != nullptr);
    constexpr long kYear = 365L * 24 * 3600;
    certificate = blank(name, -24 * 3600, kYear, key);
    X509* const by = issuer == nullptr ? certificate.get() : issuer->certificate.get();
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(by));
    extend(certificate.get(), by, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate.get(), by, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(certificate.get(), by, NID_subject_key_identifier, "hash");
    check(X509_sign(certificate.get(), issuer == nullptr ? key.get() : issuer->key.get(), EVP_sha256()) > 0);
    text = pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
    if (issuer != nullptr) chain = text + issuer->chain;
  }

  KeyPtr key;
  CertificatePtr certificate;
  std::string text;
  std::string chain;  // for those it signs
};

Authority::Authority(const std::string& name) : Authority(std::make_unique<Impl>(name, nullptr)) {}
Authority::Authority(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

const std::string& Authority::certificate() const noexcept { return impl_->text; }

Authority Authority::intermediate(const std::string& name) const { return Authority(std::make_unique<Impl>(name, impl_.get())); }

IssuedCertificate Authority::issue(const CertificateOptions& options) const {
  const KeyPtr key(EVP_EC_gen("P-256"));
  check(key != nullptr);
  const CertificatePtr made = blank(options.common_name, options.valid_from, options.valid_until, key);
  X509* const by = impl_->certificate.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(by));
  extend(made.get(), by, NID_basic_constraints, "critical,CA:FALSE");
  extend(made.get(), by, NID_subject_key_identifier, "hash");
  extend(made.get(), by, NID_authority_key_identifier, "keyid");
  if (!options.usage.empty()) extend(made.get(), by, NID_ext_key_usage, options.usage);
  std::string names;
  for (const std::string& name : options.alternative_names) names.append(names.empty() ? "" : ",").append(name);
  if (!names.empty()) extend(made.get(), by, NID_subject_alt_name, names);
  check(X509_sign(made.get(), impl_->key.get(), EVP_sha256()) > 0);
  return {.certificate = pem([&](BIO* out) { return PEM_write_bio_X509(out, made.get()); }),
          .chain = impl_->chain,
          .key = pem([&](BIO* out) { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); }),
          .fingerprint = fingerprint(made.get())};
}

}  // namespace micro::testkit
