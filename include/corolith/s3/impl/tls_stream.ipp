// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/tls_stream.hpp>
#include <corolith/s3/transport_error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

struct tls_release {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
  void operator()(BIO_METHOD* method) const noexcept { BIO_meth_free(method); }
};
template <class T>
using tls_owned = std::unique_ptr<T, tls_release>;

struct tls_shared {
  tls_options options;
  tls_owned<SSL_CTX> context;
  std::map<std::string, std::vector<tls_owned<SSL_SESSION>>> sessions;  // by origin; what is taken is used once
};

namespace secure {

/// What is received at once. OpenSSL decrypts 16 KiB at a time.
inline constexpr std::size_t input_size = 128 * 1024;
inline constexpr std::size_t most_sessions = 16;

inline std::string text_of(unsigned long code) {
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

inline bool is_numbers(const std::string& host) {
  std::array<unsigned char, 16> room{};
  return ::inet_pton(AF_INET, host.c_str(), room.data()) == 1 || ::inet_pton(AF_INET6, host.c_str(), room.data()) == 1;
}

}  // namespace secure

/// OpenSSL's side: it reads from `input` and writes to `output`.
struct tls_stream::state {
  std::shared_ptr<tls_shared> shared;
  origin to;
  std::string name;  // whom the certificate must be for
  tls_owned<SSL> ssl;
  byte_buffer input;
  std::size_t input_begin = 0;
  std::size_t input_end = 0;
  byte_buffer output;
  std::size_t output_begin = 0;
  bool socket_ended = false;
  bool at_end = false;
  bool said_so = false;

  static BIO_METHOD* method() {
    static const tls_owned<BIO_METHOD> made = [] {
      tls_owned<BIO_METHOD> fresh(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "corolith s3"));
      if (!fresh) throw std::bad_alloc();
      BIO_meth_set_read(fresh.get(), &read);
      BIO_meth_set_write(fresh.get(), &write);
      BIO_meth_set_ctrl(fresh.get(), &control);
      return fresh;
    }();
    return made.get();
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static int write(BIO* bio, const char* data, int size) {
    try {
      auto& self = *static_cast<state*>(BIO_get_data(bio));
      self.output.append(std::as_bytes(std::span(data, static_cast<std::size_t>(size))));
    } catch (...) {
      return -1;
    }
    return size;
  }
  static int read(BIO* bio, char* data, int size) {
    auto& self = *static_cast<state*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::size_t there = self.input_end - self.input_begin;
    if (there == 0) {
      if (self.socket_ended) return 0;
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count = std::min(there, static_cast<std::size_t>(size));
    std::memcpy(data, self.input.data() + self.input_begin, count);
    self.input_begin += count;
    return static_cast<int>(count);
  }
  /// OpenSSL gives a session that the server would know again.
  static int keep_session(SSL* ssl, SSL_SESSION* session) {
    auto& self = *static_cast<state*>(SSL_get_app_data(ssl));
    try {
      auto& kept = self.shared->sessions[self.to.to_string()];
      if (kept.size() >= secure::most_sessions) kept.erase(kept.begin());
      kept.emplace_back(session);
    } catch (...) {
      return 0;
    }
    return 1;
  }

  void set_up();
  void use_session();
  [[noreturn]] void fail(errc code, const std::string& what) const {
    throw transport_error(code, to.to_string() + ": " + what);
  }
  [[noreturn]] void refuse_certificate(long problem) const;
  [[noreturn]] void fail_handshake(unsigned long code) const;
  bool read_on(int result);
};

COROLITH_DECL std::shared_ptr<tls_shared> share_tls(const tls_options& options) {
  auto made = std::make_shared<tls_shared>();
  made->options = options;
  made->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made->context.get();
  const char* const good = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context, good) != 1)
    throw error(errc::config, "OpenSSL cannot do TLS here: " + secure::text_of(ERR_get_error()));
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, secure::input_size);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &tls_stream::state::keep_session);
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  ERR_clear_error();
  if (!options.ca_file.empty() && SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1)
    throw error(errc::config, "the authorities to trust cannot be read from the file " + options.ca_file + ": " +
                                  secure::text_of(ERR_get_error()));
  if (!options.ca_path.empty() && SSL_CTX_load_verify_dir(context, options.ca_path.c_str()) != 1)
    throw error(errc::config, "the authorities to trust cannot be read from the folder " + options.ca_path + ": " +
                                  secure::text_of(ERR_get_error()));
  if (options.ca_file.empty() && options.ca_path.empty()) SSL_CTX_set_default_verify_paths(context);
  return made;
}

inline void tls_stream::state::set_up() {
  SSL* raw = ssl.get();
  BIO* bio = raw != nullptr ? BIO_new(method()) : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(raw, bio, bio);
  SSL_set_app_data(raw, this);
  SSL_set_connect_state(raw);
  static constexpr unsigned char http[] = "\x08http/1.1";
  bool good = SSL_set_alpn_protos(raw, http, sizeof http - 1) == 0;
  name = shared->options.server_name.empty() ? to.host : shared->options.server_name;
  if (secure::is_numbers(name)) {
    good = good && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), name.c_str()) == 1;
  } else {
    SSL_set_hostflags(raw, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    good = good && SSL_set_tlsext_host_name(raw, name.c_str()) == 1 && SSL_set1_host(raw, name.c_str()) == 1;
  }
  if (!good) fail(errc::misuse, "'" + name + "' cannot be the name of a server");
}

// One of TLS 1.3 is good for one connection, lest observers know the client again; an older one is all there will be.
inline void tls_stream::state::use_session() {
  const auto found = shared->sessions.find(to.to_string());
  if (found == shared->sessions.end() || found->second.empty()) return;
  SSL_SESSION* session = found->second.back().get();
  SSL_set_session(ssl.get(), session);
  if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) found->second.pop_back();
}

inline void tls_stream::state::refuse_certificate(long problem) const {
  const std::string what = X509_verify_cert_error_string(problem);
  switch (problem) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      fail(errc::access_denied, "the server's certificate is not for '" + name + "': " + what);
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      fail(errc::access_denied,
           "the server's certificate is not valid at this time: " + what + " (is the clock here right?)");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      fail(errc::access_denied, "nobody who is trusted here vouches for the server's certificate: " + what +
                                    " (a file of authorities, ca_file, can name its issuer)");
    default: fail(errc::access_denied, "the server's certificate is not accepted: " + what);
  }
}

inline void tls_stream::state::fail_handshake(unsigned long code) const {
  const long problem = SSL_get_verify_result(ssl.get());
  if (problem != X509_V_OK && shared->options.verify) refuse_certificate(problem);
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
      fail(errc::protocol,
           "the server does not speak TLS there: is it plain http, or another port? (" + secure::text_of(code) + ")");
    default: break;
  }
  if (socket_ended) fail(errc::unreachable, "the server closed the connection while TLS was being set up");
  fail(errc::protocol, "TLS could not be set up: " + secure::text_of(code));
}

/// Whether the call that ended with `result` did something; false when it needs more or there is nothing more.
inline bool tls_stream::state::read_on(int result) {
  if (result == 1) return true;
  const int why = SSL_get_error(ssl.get(), result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  const unsigned long code = ERR_peek_error();
  if (why == SSL_ERROR_ZERO_RETURN) {
    at_end = said_so = true;
  } else if (socket_ended && input_begin == input_end) {
    at_end = true;
  } else {
    fail(errc::protocol, "what came over TLS is not what was sent: " + secure::text_of(code));
  }
  return false;
}

COROLITH_DECL tls_stream::tls_stream(std::shared_ptr<tls_shared> shared, const origin& to)
    : state_(std::make_unique<state>()) {
  state_->ssl.reset(SSL_new(shared->context.get()));
  state_->shared = std::move(shared);
  state_->to = to;
  state_->set_up();
  state_->use_session();
}
// Without a shutdown OpenSSL takes the session for a bad one.
COROLITH_DECL tls_stream::~tls_stream() {
  if (state_->ssl) SSL_set_shutdown(state_->ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

COROLITH_DECL mutable_byte_span tls_stream::room() {
  state& self = *state_;
  if (self.input_begin == self.input_end) self.input_begin = self.input_end = 0;
  if (self.input.capacity() == 0) self.input.reserve(secure::input_size);
  return {self.input.data() + self.input_end, self.input.capacity() - self.input_end};
}
COROLITH_DECL void tls_stream::received(std::size_t count) noexcept { state_->input_end += count; }
COROLITH_DECL void tls_stream::ended() noexcept { state_->socket_ended = true; }

COROLITH_DECL byte_span tls_stream::outgoing() const noexcept {
  return state_->output.span().subspan(state_->output_begin);
}
COROLITH_DECL void tls_stream::sent(std::size_t count) noexcept {
  state_->output_begin += count;
  if (state_->output_begin < state_->output.size()) return;
  state_->output.clear();
  state_->output_begin = 0;
}

COROLITH_DECL bool tls_stream::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(state_->ssl.get());
  if (result == 1) return true;
  const int why = SSL_get_error(state_->ssl.get(), result);
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) state_->fail_handshake(ERR_peek_error());
  return false;
}

COROLITH_DECL std::size_t tls_stream::decrypt(mutable_byte_span into) {
  std::size_t filled = 0;
  while (filled < into.size() && !state_->at_end) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_read_ex(state_->ssl.get(), into.data() + filled, into.size() - filled, &got);
    filled += got;
    if (result != 1 && filled > 0) break;  // what stopped it will stop the next call again
    if (!state_->read_on(result)) break;
  }
  return filled;
}

COROLITH_DECL bool tls_stream::at_end() const noexcept { return state_->at_end; }
COROLITH_DECL bool tls_stream::said_so() const noexcept { return state_->said_so; }

COROLITH_DECL bool tls_stream::waiting() {
  ERR_clear_error();
  char byte = 0;
  std::size_t there = 0;
  return !state_->at_end && state_->read_on(SSL_peek_ex(state_->ssl.get(), &byte, 1, &there));
}

COROLITH_DECL void tls_stream::encrypt(byte_span bytes) {
  if (bytes.empty()) return;
  ERR_clear_error();
  std::size_t written = 0;
  if (SSL_write_ex(state_->ssl.get(), bytes.data(), bytes.size(), &written) != 1 || written != bytes.size())
    state_->fail(errc::protocol, "TLS could not encrypt: " + secure::text_of(ERR_peek_error()));
}

COROLITH_DECL bool tls_stream::resumed() const noexcept { return SSL_session_reused(state_->ssl.get()) == 1; }

}  // namespace corolith::inline v0::s3::detail
