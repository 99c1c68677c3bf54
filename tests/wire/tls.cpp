// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/tls.hpp>

#include <corolith/wire/frame_format.hpp>
#include <corolith/wire/handshake.hpp>

#include "support.hpp"

#include <asio/ip/tcp.hpp>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <optional>
#include <thread>

using namespace wire_test;
using asio::ip::tcp;

namespace {

/// Two TCP sockets that are connected to each other.
struct tcp_pair {
  asio::io_context io{1};
  tcp::socket client{io}, server{io};
  tcp_pair() {
    tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
    client.connect(acceptor.local_endpoint());
    server = acceptor.accept();
  }
};

/// What came of a TLS handshake on one end.
struct outcome {
  std::exception_ptr error;
  std::shared_ptr<transport> stream;
  bool done = false;
  tls_callback callback() {
    return [this](std::exception_ptr failed, std::unique_ptr<transport> made) {
      error = std::move(failed);
      stream = std::move(made);
      done = true;
    };
  }
};

/// Two channels over TLS.
struct tls_pair : tcp_pair {
  end a, b;
  tls_pair() {
    tls_context context(secret::make());
    outcome one, two;
    async_tls(std::move(client), context, tls_side::client, one.callback());
    async_tls(std::move(server), context, tls_side::server, two.callback());
    run_until(io, [&] { return one.done && two.done; });
    REQUIRE(what_of(one.error) == "");
    REQUIRE(what_of(two.error) == "");
    a.wire = channel::over(one.stream);
    b.wire = channel::over(two.stream);
  }
};

/// OpenSSL in its usual, blocking way with certificates, as a stranger would use it.
class stranger {
 public:
  stranger(tcp::socket socket, bool server) : socket_(std::move(socket)) {
    socket_.native_non_blocking(false);
    thread_ = std::thread([this, server] { run(server); });
  }
  ~stranger() { thread_.join(); }

 private:
  void run(bool server) {
    SSL_CTX* context = SSL_CTX_new(TLS_method());
    if (server) be_certified(context);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, socket_.native_handle());
    if ((server ? SSL_accept(ssl) : SSL_connect(ssl)) == 1) {
      char byte = 0;
      SSL_read(ssl, &byte, 1);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    std::error_code ignored;
    socket_.close(ignored);
  }
  static void be_certified(SSL_CTX* context) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  tcp::socket socket_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("messages of all sizes go through TLS both ways") {
  tls_pair pair;
  std::vector<std::size_t> sizes{
      0, 1, 100, 16 * 1024 - 17, 16 * 1024, 16 * 1024 + 1, 100'000, chunk_size, chunk_size + 1, 3 << 20};
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(pair.b.recording());
  for (std::size_t size : sizes) {
    pair.a.wire->send(message_type::welcome, pattern(size, 1));
    pair.b.wire->send(message_type::welcome, pattern(size, 2));
  }
  run_until(pair.io, [&] { return pair.a.got.size() == sizes.size() && pair.b.got.size() == sizes.size(); });
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CHECK(same(pair.b.got[i].body, pattern(sizes[i], 1)));
    CHECK(same(pair.a.got[i].body, pattern(sizes[i], 2)));
  }
}

TEST_CASE("many small messages go through TLS") {
  tls_pair pair;
  constexpr std::size_t count = 50'000;
  std::size_t received = 0;
  channel::events b = pair.b.recording();
  b.on_message = [&](message&& m) { received += m.body.size() == 64; };
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(std::move(b));
  shared_bytes body = pattern(64, 1);
  for (std::size_t i = 0; i < count; ++i) pair.a.wire->send(message_type::call, body);
  run_until(pair.io, [&] { return received == count; });
  CHECK(pair.a.wire->queued_bytes() == 0);
}

TEST_CASE("a large message does not hold up small ones over TLS") {
  tls_pair pair;
  constexpr std::size_t size = 64 << 20;
  shared_bytes large = pattern(size, 1);
  std::size_t between = 0;
  std::optional<shared_bytes> arrived;
  channel::events b = pair.b.recording();
  b.on_message = [&](message&& m) {
    if (m.type == message_type::result) {
      arrived = std::move(m.body);
    } else if (!arrived) {
      ++between;
      pair.a.wire->send_urgent(message_type::started);
    }
  };
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(std::move(b));
  pair.a.wire->send(message_type::result, large);
  pair.a.wire->send_urgent(message_type::started);
  run_until(pair.io, [&] { return arrived.has_value(); });
  CHECK(same(*arrived, large));
  // What the system buffers of a TCP connection is a few megabytes, so fewer get through than over a unix socket.
  CHECK(between >= 3);
}

TEST_CASE("a TLS connection ends in order, or is a loss") {
  tls_pair pair;
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(pair.b.recording());
  pair.a.wire->send(message_type::call, pattern(5 << 20, 1));
  SECTION("in order") {
    pair.a.wire->close_when_sent();
    run_until(pair.io, [&] { return pair.a.closed == 1 && pair.b.closed == 1; });
    CHECK(pair.b.got.size() == 2);
    CHECK_FALSE(pair.a.reason);
    CHECK_FALSE(pair.b.reason);
  }
  SECTION("a loss") {
    pair.a.wire->flush();
    pair.a.wire->close();
    run_until(pair.io, [&] { return pair.a.closed == 1 && pair.b.closed == 1; });
    CHECK(pair.b.got.empty());
    CHECK(code_of(pair.b.reason) == errc::peer_closed);
  }
}

TEST_CASE("a stranger with certificates is refused whichever end it is") {
  tcp_pair pair;
  tls_context context(secret::make());
  outcome mine;
  std::optional<stranger> other;
  SECTION("as server, it cannot prove that it knows the secret") {
    other.emplace(std::move(pair.server), true);
    async_tls(std::move(pair.client), context, tls_side::client, mine.callback());
  }
  SECTION("as client, it offers none") {
    other.emplace(std::move(pair.client), false);
    async_tls(std::move(pair.server), context, tls_side::server, mine.callback());
  }
  run_until(pair.io, [&] { return mine.done; });
  CHECK(code_of(mine.error) == errc::refused);
  CHECK_THAT(what_of(mine.error), Catch::Contains("fingerprint"));
  CHECK_FALSE(mine.stream);
}

TEST_CASE("a changed byte on the way ends the connection") {
  tcp_pair front, back;  // front.client ... front.server, we copy, back.client ... back.server
  tls_context context(secret::make());
  outcome one, two;
  async_tls(std::move(front.client), context, tls_side::client, one.callback());
  async_tls(std::move(back.server), context, tls_side::server, two.callback());
  front.server.non_blocking(true);
  back.client.non_blocking(true);
  bool spoil = false;
  auto copy = [&](tcp::socket& from, tcp::socket& to) {
    std::array<char, 4096> buffer;
    std::error_code none;
    std::size_t size = from.read_some(asio::buffer(buffer), none);
    if (size == 0) return;
    if (spoil) buffer[size / 2] = static_cast<char>(buffer[size / 2] ^ 1);
    to.write_some(asio::buffer(buffer, size), none);
  };
  auto turn = [&] {
    copy(front.server, back.client);
    copy(back.client, front.server);
    for (asio::io_context* io : {&front.io, &back.io}) {
      io->restart();
      io->poll();
    }
  };
  while (!one.done || !two.done) turn();
  REQUIRE(what_of(one.error) == "");
  REQUIRE(what_of(two.error) == "");
  end a, b;
  a.wire = channel::over(one.stream);
  b.wire = channel::over(two.stream);
  a.wire->start(a.recording());
  b.wire->start(b.recording());
  a.wire->send(message_type::call, shared("12345678 good"));
  while (b.got.empty()) turn();
  spoil = true;
  a.wire->send(message_type::call, shared("12345678 spoiled"));
  while (b.closed == 0) turn();
  CHECK(b.got.size() == 1);
  CHECK(code_of(b.reason) == errc::protocol);
  CHECK_THAT(what_of(b.reason), Catch::Contains("TLS"));
}
