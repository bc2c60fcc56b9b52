#include "certificate.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace micro::tls {
namespace {

// Larger files are something else: the authorities of a whole system take 250 KiB.
constexpr std::size_t kMostBytes = 4 * 1024 * 1024;

Error fault(std::string message) { return invalid_argument(std::move(message)).with_reason("TLS_FILES"); }

// The bytes of a file, overwritten when they are no longer needed: they may hold a key.
class FileBytes {
 public:
  FileBytes() = default;
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  // An errno; 0 when all is well.
  int read(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return errno;
    // Once and large enough: a buffer that grows would leave copies behind.
    bytes_.resize(64 * 1024);
    std::size_t size = 0;
    int error = 0;
    while (error == 0) {
      if (size == bytes_.size()) grow();
      const ssize_t count = size < bytes_.size() ? ::read(fd, bytes_.data() + size, bytes_.size() - size) : -1;
      if (count > 0) {
        size += static_cast<std::size_t>(count);
      } else if (count == 0) {
        break;
      } else if (size == bytes_.size()) {
        error = EFBIG;
      } else if (errno != EINTR) {
        error = errno;
      }
    }
    ::close(fd);
    size_ = size;
    return error;
  }
  BioPtr bio() const { return BioPtr(BIO_new_mem_buf(bytes_.data(), static_cast<int>(size_))); }

 private:
  void grow() {
    if (bytes_.size() >= kMostBytes) return;
    std::vector<char> larger(bytes_.size() * 4);
    std::ranges::copy(bytes_, larger.begin());
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
    bytes_ = std::move(larger);
  }
  std::vector<char> bytes_;
  std::size_t size_ = 0;
};

Error unreadable(const std::string& path, std::string_view what, int error) {
  return fault("cannot read the " + std::string(what) + " " + path + ": " + std::generic_category().message(error) +
               "; does it exist, and may this user read it?");
}

// OpenSSL would ask on the terminal for it.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<KeyPtr> read_key(const std::string& path) {
  FileBytes file;
  if (const int error = file.read(path)) return fail(unreadable(path, "key", error));
  ERR_clear_error();
  bool encrypted = false;
  KeyPtr key(PEM_read_bio_PrivateKey(file.bio().get(), nullptr, no_passphrase, &encrypted));
  ERR_clear_error();
  if (key) return key;
  if (encrypted)
    return fail(fault("the key " + path + " is encrypted; give one without a passphrase, readable by this user alone"));
  return fail(fault("no private key in " + path + "; expected PEM, \"-----BEGIN PRIVATE KEY-----\""));
}

std::string name_text(const X509_NAME* name) {
  BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string("(no name)");
}

// Names with control bytes are there to deceive whoever compares or reads them.
std::string clean_text(const ASN1_STRING* text) {
  const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                               static_cast<std::size_t>(ASN1_STRING_length(text)));
  const bool clean = std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  return clean ? std::string(bytes) : std::string();
}

std::string address_text(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(bytes);
  if (size != 4 && size != 16) return {};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return text.data();
}

void add(std::vector<std::string>& list, std::string text) {
  if (!text.empty()) list.push_back(std::move(text));
}

void alternative_names(const X509* certificate, PeerIdentity& identity) {
  const NamesPtr names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    switch (name->type) {
      case GEN_DNS:
        add(identity.dns_names, clean_text(name->d.dNSName));
        break;
      case GEN_URI:
        add(identity.uris, clean_text(name->d.uniformResourceIdentifier));
        break;
      case GEN_EMAIL:
        add(identity.emails, clean_text(name->d.rfc822Name));
        break;
      case GEN_IPADD:
        add(identity.ip_addresses, address_text(name->d.iPAddress));
        break;
      default:
        break;
    }
  }
}

}  // namespace

Result<std::vector<CertificatePtr>> read_certificates(const std::string& path) {
  FileBytes file;
  if (const int error = file.read(path)) return fail(unreadable(path, "certificate", error));
  ERR_clear_error();
  const BioPtr bio = file.bio();
  std::vector<CertificatePtr> all;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(certificate);
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  // The end of the file is told by failing to find another beginning.
  if (ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return fail(fault("certificate number " + std::to_string(all.size() + 1) + " in " + path +
                      " is damaged; was the file written to its end?"));
  }
  if (all.empty()) return fail(fault("no certificate in " + path + "; expected PEM, \"-----BEGIN CERTIFICATE-----\""));
  return all;
}

Result<Identity> read_identity(const KeyPair& files) {
  Result<std::vector<CertificatePtr>> certificates = read_certificates(files.certificate);
  Result<KeyPtr> key = read_key(files.key);
  if (!certificates && !key) {
    return fail(fault(certificates.error().message() + "; " + key.error().message()));
  }
  if (!certificates) return fail(std::move(certificates.error()));
  if (!key) return fail(std::move(key.error()));
  Identity identity;
  identity.certificate = std::move(certificates->front());
  for (std::size_t i = 1; i < certificates->size(); ++i) identity.chain.push_back(std::move((*certificates)[i]));
  identity.key = std::move(*key);
  const X509* leaf = identity.certificate.get();
  const bool belongs = X509_check_private_key(leaf, identity.key.get()) == 1;
  ERR_clear_error();
  if (!belongs) {
    return fail(fault("the key " + files.key + " does not belong to the certificate " + files.certificate + " (" +
                      subject_of(leaf) +
                      "); the file must begin with the certificate of that key, those of the authorities come after"));
  }
  if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) {
    return fail(fault("the certificate " + files.certificate + " (" + subject_of(leaf) + ") expired on " +
                      to_string(X509_get0_notAfter(leaf)) + "; renew it"));
  }
  return identity;
}

Result<StorePtr> read_trusted(const std::string& path) {
  Result<std::vector<CertificatePtr>> authorities = read_certificates(path);
  if (!authorities) return fail(std::move(authorities.error()).with_context("trusted authorities"));
  StorePtr store(X509_STORE_new());
  for (const CertificatePtr& each : *authorities) X509_STORE_add_cert(store.get(), each.get());
  // Whoever names an intermediate authority, or one server's own certificate, trusts that and not what is above it.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
  return store;
}

std::string subject_of(const X509* certificate) { return name_text(X509_get_subject_name(certificate)); }
std::string issuer_of(const X509* certificate) { return name_text(X509_get_issuer_name(certificate)); }

std::string to_string(const ASN1_TIME* time) {
  std::tm parts{};
  std::array<char, 32> text{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "a date that cannot be read";
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

void describe(const X509* certificate, PeerIdentity& identity) {
  identity.subject = subject_of(certificate);
  identity.issuer = issuer_of(certificate);
  alternative_names(certificate, identity);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (unsigned int i = 0; i < size; ++i) {
    identity.fingerprint += kDigits[digest[i] >> 4];
    identity.fingerprint += kDigits[digest[i] & 15];
  }
}

std::vector<std::string> server_names(const X509* certificate) {
  PeerIdentity identity;
  alternative_names(certificate, identity);
  std::vector<std::string> names = std::move(identity.dns_names);
  names.insert(names.end(), identity.ip_addresses.begin(), identity.ip_addresses.end());
  if (names.empty()) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) add(names, clean_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  for (std::string& name : names) {
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  }
  return names;
}

bool is_ip_address(std::string_view host) {
  std::array<unsigned char, 16> bytes{};
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

std::string last_failure() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "for a reason OpenSSL does not tell" : text;
}

}  // namespace micro::tls
