// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace s3_test {

struct free_certificates {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using server_context = std::unique_ptr<SSL_CTX, free_certificates>;

/// Somebody who vouches for servers of tests.
class authority {
 public:
  explicit authority(const std::string& name = "authority of a test") : key_(EVP_EC_gen("P-256")) {
    certificate_ = make(name, key_.get(), "", -3600, 3600, true);
  }

  void write_to(const std::string& path) const {
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + path);
    PEM_write_X509(file, certificate_.get());
    std::fclose(file);
  }

  /// What a server shows: `names` as OpenSSL has it ("DNS:localhost,IP:127.0.0.1"), valid from and until so many seconds from now.
  server_context vouch_for(const std::string& names, long from = -3600, long until = 3600) const {
    std::unique_ptr<EVP_PKEY, free_certificates> key(EVP_EC_gen("P-256"));
    const auto shown = make("a server", key.get(), names, from, until, false);
    server_context made(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(made.get(), shown.get());
    SSL_CTX_use_PrivateKey(made.get(), key.get());
    return made;
  }

 private:
  using owned_certificate = std::unique_ptr<X509, free_certificates>;

  static void add(X509* to, X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    if (made == nullptr) throw std::runtime_error("OpenSSL does not take '" + value + "'");
    X509_add_ext(to, made, -1);
    X509_EXTENSION_free(made);
  }
  owned_certificate make(const std::string& subject, EVP_PKEY* key, const std::string& names, long from, long until,
                         bool vouches) const {
    static long serial = 1;
    owned_certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), from);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), until);
    X509_set_pubkey(made.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
    X509* issuer = vouches ? made.get() : certificate_.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
    add(made.get(), issuer, NID_basic_constraints, vouches ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!names.empty()) add(made.get(), issuer, NID_subject_alt_name, names);
    if (X509_sign(made.get(), key_.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign a certificate");
    return made;
  }

  std::unique_ptr<EVP_PKEY, free_certificates> key_;
  owned_certificate certificate_;
};

}  // namespace s3_test
