// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/wire/handshake.hpp>
#include <corolith/wire/impl/transport.ipp>
#include <corolith/wire/tls.hpp>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>

namespace corolith::inline v0::wire {

namespace detail {

inline constexpr std::string_view tls_identity_prefix = "corolith-";
/// OpenSSL wants one wherever peers are verified and a session is taken up, and that is what it takes a shared key for.
inline constexpr unsigned char tls_session_context[] = {'c', 'o', 'r', 'o', 'l', 'i', 't', 'h'};
inline constexpr std::size_t tls_record = 16 * 1024;
inline constexpr std::size_t tls_read_buffer = 128 * 1024;
/// AES-GCM keys are good for 2^24.5 full records; new ones are made long before.
inline constexpr std::uint64_t records_per_key = std::uint64_t{1} << 22;

struct free_ssl {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
  void operator()(BIO_METHOD* method) const noexcept { BIO_meth_free(method); }
};

inline std::string openssl_text(unsigned long code) {
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

/// What all connections with one secret share.
struct tls_state {
  explicit tls_state(secret given)
      : shared(std::move(given)), identity(std::string(tls_identity_prefix) + shared.fingerprint()) {
    context.reset(SSL_CTX_new(TLS_method()));
    bool good = context != nullptr;
    SSL_CTX* raw = context.get();
    good = good && SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1;
    good = good && SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) == 1;
    good = good && SSL_CTX_set_ciphersuites(raw, "TLS_AES_128_GCM_SHA256") == 1;
    good = good && SSL_CTX_set_num_tickets(raw, 0) == 1;
    if (!good) throw error(errc::config, "OpenSSL cannot do TLS 1.3 here: " + openssl_text(ERR_get_error()));
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(raw, 0);
    // No certificate is trusted: a peer is known by the secret or not at all.
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_id_context(raw, tls_session_context, sizeof tls_session_context);
    SSL_CTX_set_psk_use_session_callback(raw, &use_session);
    SSL_CTX_set_psk_find_session_callback(raw, &find_session);
    SSL_CTX_set_read_ahead(raw, 1);
    SSL_CTX_set_default_read_buffer_len(raw, tls_read_buffer);
    SSL_CTX_set_app_data(raw, this);
  }
  tls_state(const tls_state&) = delete;
  tls_state& operator=(const tls_state&) = delete;

  static tls_state& of(SSL* ssl) { return *static_cast<tls_state*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))); }

  SSL_SESSION* make_session(SSL* ssl) const {
    constexpr unsigned char aes_128_gcm_sha256[] = {0x13, 0x01};
    std::unique_ptr<SSL_SESSION, free_ssl> session(SSL_SESSION_new());
    const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl, aes_128_gcm_sha256);
    if (!session || cipher == nullptr) return nullptr;
    auto key = reinterpret_cast<const unsigned char*>(shared.bytes().data());
    if (SSL_SESSION_set1_master_key(session.get(), key, secret::size) != 1 ||
        SSL_SESSION_set1_id_context(session.get(), tls_session_context, sizeof tls_session_context) != 1 ||
        SSL_SESSION_set_cipher(session.get(), cipher) != 1 ||
        SSL_SESSION_set_protocol_version(session.get(), TLS1_3_VERSION) != 1)
      return nullptr;
    return session.release();
  }

  // The client names its secret by fingerprint ...
  static int use_session(SSL* ssl, const EVP_MD*, const unsigned char** id, std::size_t* id_size,
                         SSL_SESSION** session) {
    tls_state& state = of(ssl);
    *session = state.make_session(ssl);
    *id = reinterpret_cast<const unsigned char*>(state.identity.data());
    *id_size = state.identity.size();
    return *session != nullptr;
  }
  // ... and the server looks whether it has it. TLS goes on either way and refuses by itself.
  static int find_session(SSL* ssl, const unsigned char* id, std::size_t id_size, SSL_SESSION** session) {
    tls_state& state = of(ssl);
    std::string_view named(reinterpret_cast<const char*>(id), id_size);
    *session = named == state.identity ? state.make_session(ssl) : nullptr;
    if (*session == nullptr) note_identity(ssl, named);
    return 1;
  }
  static void note_identity(SSL* ssl, std::string_view named);

  /// How to find out what is wrong with the secret.
  std::string advice() const {
    std::string where = shared.source().empty() ? "the secret here" : "the secret file here, " + shared.source() + ",";
    return where + " has the fingerprint " + shared.fingerprint() + "; both ends need the same one";
  }

  secret shared;
  std::string identity;
  std::unique_ptr<SSL_CTX, free_ssl> context;
};

/// TLS over a non-blocking socket: OpenSSL reads from the socket and writes to a buffer of ours, so that encrypting
/// never blocks and many records leave in one system call.
class tls_transport final : public transport {
 public:
  tls_transport(asio::ip::tcp::socket socket, std::shared_ptr<tls_state> state, tls_side side)
      : socket_(std::move(socket)), state_(std::move(state)), description_(describe_socket(socket_) + " with TLS") {
    std::error_code ignored;
    socket_.non_blocking(true, ignored);
    ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    ssl_.reset(SSL_new(state_->context.get()));
    BIO* bio = ssl_ ? BIO_new(bio_method()) : nullptr;
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    side == tls_side::client ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
  }

  asio::any_io_executor get_executor() override { return socket_.get_executor(); }

  outcome read_some(mutable_byte_span into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      ERR_clear_error();
      std::size_t got = 0;
      int result = SSL_read_ex(ssl_.get(), into.data() + filled, into.size() - filled, &got);
      filled += got;
      if (result == 1) continue;
      if (filled != 0) break;  // what stopped it will stop the next call again
      return explain(result);
    }
    return {status::done, filled, nullptr};
  }

  outcome write_some(std::span<const byte_span> parts) override {
    outcome before = flush();
    if (before.what != status::done) return before;
    std::size_t taken = 0;
    std::array<std::byte, tls_record> record;  // small parts travel together
    std::size_t filled = 0;
    for (byte_span part : parts) {
      taken += part.size();
      while (!part.empty()) {
        if (filled == 0 && part.size() >= tls_record) {
          if (outcome put = encrypt(part); put.what != status::done) return put;
          break;
        }
        std::size_t now = std::min(part.size(), tls_record - filled);
        std::memcpy(record.data() + filled, part.data(), now);
        filled += now;
        part = part.subspan(now);
        if (filled < tls_record) continue;
        if (outcome put = encrypt({record.data(), filled}); put.what != status::done) return put;
        filled = 0;
      }
    }
    if (filled != 0)
      if (outcome put = encrypt({record.data(), filled}); put.what != status::done) return put;
    outcome sent = flush();
    if (sent.what == status::failed) return sent;
    return {status::done, taken, nullptr};
  }

  outcome flush() override {
    while (out_sent_ < out_.size()) {
      byte_span rest = out_.span().subspan(out_sent_);
      outcome sent = send_some(socket_.native_handle(), {&rest, 1}, MSG_DONTWAIT);
      if (sent.what != status::done) return sent;
      out_sent_ += sent.bytes;
    }
    out_.clear();
    out_sent_ = 0;
    return {};
  }

  bool has_pending_input() override { return SSL_has_pending(ssl_.get()) == 1; }

  void async_wait_readable(std::shared_ptr<transport_waiter> waiter) override {
    socket_.async_wait(asio::ip::tcp::socket::wait_read,
                       [waiter = std::move(waiter)](std::error_code error) { waiter->on_readable(error); });
  }
  void async_wait_writable(std::shared_ptr<transport_waiter> waiter) override {
    socket_.async_wait(asio::ip::tcp::socket::wait_write,
                       [waiter = std::move(waiter)](std::error_code error) { waiter->on_writable(error); });
  }
  void shutdown_write() override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    flush();
    std::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
  void close() noexcept override {
    std::error_code ignored;
    socket_.close(ignored);
  }
  std::string describe() const override { return description_; }

  /// One step of the handshake; done when both ends are proven.
  outcome handshake() {
    ERR_clear_error();
    int result = SSL_do_handshake(ssl_.get());
    outcome sent = flush();
    if (result != 1) {
      outcome why = explain_handshake(result);
      // An alert for the peer may be in the buffer: it left with the flush, or the peer does not listen anyway.
      return why.what == status::would_block && sent.what == status::failed ? sent : why;
    }
    if (SSL_session_reused(ssl_.get()) != 1) return refuse("it did not prove that it knows the secret");
    return sent.what == status::failed ? sent : outcome{};
  }
  bool has_pending_output() const noexcept { return out_sent_ < out_.size(); }
  void note_identity(std::string_view named) { foreign_identity_ = std::string(named.substr(0, 64)); }

 private:
  static BIO_METHOD* bio_method() {
    static const std::unique_ptr<BIO_METHOD, free_ssl> method = [] {
      std::unique_ptr<BIO_METHOD, free_ssl> made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "corolith"));
      if (!made) throw std::bad_alloc();
      BIO_meth_set_read(made.get(), &bio_read);
      BIO_meth_set_write(made.get(), &bio_write);
      BIO_meth_set_ctrl(made.get(), &bio_ctrl);
      return made;
    }();
    return method.get();
  }
  static long bio_ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static int bio_write(BIO* bio, const char* data, int size) {
    auto self = static_cast<tls_transport*>(BIO_get_data(bio));
    try {
      self->out_.append(std::as_bytes(std::span(data, static_cast<std::size_t>(size))));
    } catch (...) {
      return -1;
    }
    return size;
  }
  static int bio_read(BIO* bio, char* data, int size) {
    auto self = static_cast<tls_transport*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    outcome got = receive_some(self->socket_.native_handle(),
                               std::as_writable_bytes(std::span(data, static_cast<std::size_t>(size))));
    switch (got.what) {
      case status::done: return static_cast<int>(got.bytes);
      case status::would_block: BIO_set_retry_read(bio); return -1;
      case status::end: self->ended_ = true; return 0;
      case status::failed: self->failure_ = got.failure; return -1;
    }
    return -1;
  }

  outcome encrypt(byte_span bytes) {
    ERR_clear_error();
    records_ += bytes.size() / tls_record + 1;
    if (records_ >= records_per_key) {
      records_ = 0;
      SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
    }
    std::size_t written = 0;
    int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    if (result == 1 && written == bytes.size()) return {};
    return explain(result);
  }

  outcome explain(int result) {
    int what = SSL_get_error(ssl_.get(), result);
    if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) return {status::would_block, 0, nullptr};
    if (what == SSL_ERROR_ZERO_RETURN || ended_) return {status::end, 0, nullptr};
    if (failure_) return {status::failed, 0, failure_};
    return {status::failed, 0,
            std::make_exception_ptr(error(errc::protocol, "the TLS connection with the peer (" + description_ +
                                                              ") broke: " + openssl_text(ERR_peek_error())))};
  }

  outcome refuse(const std::string& why, refusal kind = refusal::stranger) const {
    return {
        status::failed, 0,
        std::make_exception_ptr(handshake_error("no connection with the peer (" + description_ + "): " + why, kind))};
  }

  outcome explain_handshake(int result) {
    unsigned long code = ERR_peek_error();
    outcome plain = explain(result);
    if (plain.what == status::would_block) return plain;
    if (foreign_identity_) return refuse(describe_foreign_secret() + "; " + state_->advice());
    int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    switch (reason) {
      case SSL_R_BINDER_DOES_NOT_VERIFY:
        return refuse("it names the right secret and does not have it; " + state_->advice());
      case SSL_AD_REASON_OFFSET + SSL_AD_HANDSHAKE_FAILURE:
      case SSL_AD_REASON_OFFSET + SSL_AD_ILLEGAL_PARAMETER:
      case SSL_AD_REASON_OFFSET + SSL_AD_DECRYPT_ERROR:
      case SSL_AD_REASON_OFFSET + TLS1_AD_UNKNOWN_PSK_IDENTITY:
        return refuse("it refuses this end's secret; " + state_->advice());
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_UNEXPECTED_MESSAGE:
      case SSL_R_BAD_RECORD_TYPE:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
        return refuse("it does not speak TLS 1.3: a plain-text client or server, or another service");
      default: break;
    }
    if (plain.what == status::end)
      return refuse("it closed the connection during the TLS handshake: it may have another secret, or be busy; " +
                        state_->advice(),
                    refusal::silent);
    if (failure_) return {status::failed, 0, failure_};
    return refuse("the TLS handshake failed (" + openssl_text(code) + "); " + state_->advice());
  }

  std::string describe_foreign_secret() const {
    std::string_view named = *foreign_identity_;
    bool ours = named.starts_with(tls_identity_prefix) &&
                named.find_first_not_of(hex_digits, tls_identity_prefix.size()) == std::string_view::npos;
    if (!ours) return "it does not have the secret";
    return "it has another secret, with the fingerprint " + std::string(named.substr(tls_identity_prefix.size()));
  }

  asio::ip::tcp::socket socket_;
  std::shared_ptr<tls_state> state_;
  std::string description_;
  std::unique_ptr<SSL, free_ssl> ssl_;
  byte_buffer out_;  // encrypted, not sent yet
  std::size_t out_sent_ = 0;
  std::uint64_t records_ = 0;
  bool ended_ = false;
  std::exception_ptr failure_;
  std::optional<std::string> foreign_identity_;
};

inline void tls_state::note_identity(SSL* ssl, std::string_view named) {
  static_cast<tls_transport*>(SSL_get_app_data(ssl))->note_identity(named);
}

/// Drives the handshake of one connection. Owned by its waits.
class tls_handshake final : public transport_waiter, public std::enable_shared_from_this<tls_handshake> {
 public:
  tls_handshake(std::unique_ptr<tls_transport> stream, tls_side side, tls_callback done)
      : stream_(std::move(stream)), timer_(stream_->get_executor()), side_(side), done_(std::move(done)) {}

  void run(std::chrono::milliseconds deadline) {
    timer_.expires_after(deadline);
    timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (error || !self->done_) return;
      self->finish(std::make_exception_ptr(handshake_error("no connection with the peer (" + self->stream_->describe() +
                                                               "): it did not finish the TLS handshake in time",
                                                           refusal::silent)));
    });
    // OpenSSL makes its buffers at the first step: for a client that says nothing there are none.
    if (side_ == tls_side::server) return stream_->async_wait_readable(shared_from_this());
    asio::post(stream_->get_executor(), [self = shared_from_this()] { self->step(); });
  }

  void on_readable(std::error_code) override { step(); }
  void on_writable(std::error_code) override { step(); }

 private:
  void step() {
    if (!done_) return;
    transport::outcome went = stream_->handshake();
    if (went.what == transport::status::failed) return finish(went.failure);
    if (stream_->has_pending_output()) return stream_->async_wait_writable(shared_from_this());
    if (went.what == transport::status::would_block) return stream_->async_wait_readable(shared_from_this());
    finish(nullptr);
  }

  void finish(std::exception_ptr error) {
    timer_.cancel();
    auto done = std::exchange(done_, nullptr);
    if (!error) return done(nullptr, std::move(stream_));
    stream_->close();
    done(std::move(error), nullptr);
  }

  std::unique_ptr<tls_transport> stream_;
  asio::steady_timer timer_;
  tls_side side_;
  tls_callback done_;
};

}  // namespace detail

COROLITH_DECL tls_context::tls_context(secret shared)
    : state_(std::make_shared<detail::tls_state>(std::move(shared))) {}

COROLITH_DECL void async_tls(asio::ip::tcp::socket socket, const tls_context& context, tls_side side, tls_callback done,
                             std::chrono::milliseconds deadline) {
  auto stream = std::make_unique<detail::tls_transport>(std::move(socket), context.state(), side);
  std::make_shared<detail::tls_handshake>(std::move(stream), side, std::move(done))->run(deadline);
}

}  // namespace corolith::inline v0::wire
