#include "mask.hpp"

#include <cstring>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace micro::websocket {
namespace {

void fill_random(void* out, std::size_t size) {
  if (RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(size)) != 1)
    throw std::runtime_error("OpenSSL's random generator has no entropy to give");
}

// Asking the generator for each frame costs more than masking a small one.
struct KeyStore {
  std::array<MaskKey, 128> keys;
  std::size_t next = keys.size();
};

}  // namespace

void apply_mask(MaskKey key, std::size_t offset, std::string_view in, char* out) noexcept {
  std::array<char, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % 4];
  std::uint64_t wide;
  std::memcpy(&wide, turned.data(), 8);
  std::size_t at = 0;
  for (; at + 8 <= in.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, in.data() + at, 8);
    word ^= wide;
    std::memcpy(out + at, &word, 8);
  }
  for (; at < in.size(); ++at) out[at] = static_cast<char>(in[at] ^ turned[at % 8]);
}

MaskKey random_mask() {
  thread_local KeyStore store;
  if (store.next == store.keys.size()) {
    fill_random(store.keys.data(), sizeof(store.keys));
    store.next = 0;
  }
  return store.keys[store.next++];
}

std::array<char, 24> random_key() {
  std::array<unsigned char, 16> bytes;
  fill_random(bytes.data(), bytes.size());
  std::array<unsigned char, 25> text;
  EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  std::array<char, 24> key;
  std::memcpy(key.data(), text.data(), key.size());
  return key;
}

}  // namespace micro::websocket
