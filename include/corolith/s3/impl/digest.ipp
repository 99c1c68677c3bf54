// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/digest.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>
#include <limits>
#include <new>

namespace corolith::inline v0::s3::detail {

struct free_digest_context {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using digest_context = std::unique_ptr<EVP_MD_CTX, free_digest_context>;

inline digest_context new_digest_context() {
  digest_context made(EVP_MD_CTX_new());
  if (!made) throw std::bad_alloc();
  return made;
}

// Looked up once: by name it takes longer than the hash of a header. OpenSSL lives until the process ends, and so may this.
inline const EVP_MD* sha256_method() {
  static const EVP_MD* const method = [] {
    const EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return fetched != nullptr ? fetched : EVP_sha256();
  }();
  return method;
}

inline void check_digest(int done) {
  if (done != 1) throw error(errc::config, "OpenSSL has no SHA-256 or MD5: its configuration forbids what S3 needs");
}

inline void hash_parts(EVP_MD_CTX* context, byte_span first, byte_span second, digest256& into) {
  check_digest(EVP_DigestInit_ex2(context, sha256_method(), nullptr));
  check_digest(EVP_DigestUpdate(context, first.data(), first.size()));
  check_digest(EVP_DigestUpdate(context, second.data(), second.size()));
  check_digest(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(into.data()), nullptr));
}

inline EVP_MD_CTX* context_of_thread() {
  thread_local const digest_context context = new_digest_context();
  return context.get();
}

COROLITH_DECL digest256 sha256(byte_span bytes) {
  digest256 made;
  hash_parts(context_of_thread(), bytes, {}, made);
  return made;
}

COROLITH_DECL digest256 hmac_sha256(byte_span key, byte_span text) {
  std::array<std::byte, 64> block{};
  const digest256 short_key = key.size() > block.size() ? sha256(key) : digest256{};
  if (key.size() > block.size()) key = short_key;
  if (!key.empty()) std::memcpy(block.data(), key.data(), key.size());
  digest256 made;
  for (std::byte& each : block) each ^= std::byte{0x36};
  hash_parts(context_of_thread(), block, text, made);
  for (std::byte& each : block) each ^= std::byte{0x36 ^ 0x5c};
  hash_parts(context_of_thread(), block, made, made);
  OPENSSL_cleanse(block.data(), block.size());
  return made;
}

COROLITH_DECL std::string to_hex(byte_span bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte each : bytes) {
    text += digits[std::to_integer<unsigned>(each >> 4)];
    text += digits[std::to_integer<unsigned>(each & std::byte{15})];
  }
  return text;
}

COROLITH_DECL std::string to_base64(byte_span bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) / 2)
    throw error(errc::misuse, "too many bytes for one line of Base64");
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // it ends with a zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

COROLITH_DECL std::string content_md5(byte_span body) {
  std::array<std::byte, 16> made;
  check_digest(
      EVP_Digest(body.data(), body.size(), reinterpret_cast<unsigned char*>(made.data()), nullptr, EVP_md5(), nullptr));
  return to_base64(made);
}

COROLITH_DECL running_sha256::running_sha256()
    : state_(new_digest_context().release(), [](void* state) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(state)); }) {
  check_digest(EVP_DigestInit_ex2(static_cast<EVP_MD_CTX*>(state_.get()), sha256_method(), nullptr));
}

COROLITH_DECL void running_sha256::update(byte_span bytes) {
  check_digest(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(state_.get()), bytes.data(), bytes.size()));
}

COROLITH_DECL digest256 running_sha256::digest() const {
  digest256 made;
  EVP_MD_CTX* copy = context_of_thread();
  check_digest(EVP_MD_CTX_copy_ex(copy, static_cast<const EVP_MD_CTX*>(state_.get())));
  check_digest(EVP_DigestFinal_ex(copy, reinterpret_cast<unsigned char*>(made.data()), nullptr));
  return made;
}

}  // namespace corolith::inline v0::s3::detail
