// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/unique_fd.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/socket_address.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace s3_test {

/// What crossed a socket is ordered by it; this says so to the thread sanitizer, which cannot see into a ring.
inline std::atomic<int>& order_of_sockets() {
  static std::atomic<int> order{0};
  return order;
}
struct in_order_of_sockets {
  in_order_of_sockets() noexcept { ++order_of_sockets(); }
  ~in_order_of_sockets() { ++order_of_sockets(); }
  in_order_of_sockets(const in_order_of_sockets&) = delete;
  in_order_of_sockets& operator=(const in_order_of_sockets&) = delete;
};

/// corolith's, after which the test sees what the scripts did before they answered.
template <class T>
T sync_wait(corolith::task<T> work, std::stop_token stop = {}) {
  const in_order_of_sockets ordered;
  return corolith::sync_wait(std::move(work), std::move(stop));
}

struct peer_gone : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct free_ssl {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};

/// One connection as a server sees it; everything blocks.
class peer {
 public:
  explicit peer(corolith::unique_fd socket) : socket_(std::move(socket)) {
    const int yes = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  void start_tls(SSL_CTX* tls) {
    ssl_.reset(SSL_new(tls));
    SSL_set_fd(ssl_.get(), socket_.get());
    if (SSL_accept(ssl_.get()) != 1) throw peer_gone("no TLS");
  }

  /// The head of a request with the empty line behind it.
  std::string head() {
    for (;;) {
      if (const std::size_t end = seen_.find("\r\n\r\n"); end != std::string::npos) return take(end + 4);
      if (!more()) throw peer_gone("no request");
    }
  }
  std::string body(std::size_t size) {
    while (seen_.size() < size)
      if (!more()) throw peer_gone("half a body");
    return take(size);
  }
  /// Everything until the client closes.
  std::string rest() {
    while (more()) {
    }
    return std::exchange(seen_, {});
  }

  void write(std::string_view text) {
    ++order_of_sockets();
    while (!text.empty()) {
      const auto moved =
          ssl_ ? SSL_write(ssl_.get(), text.data(), static_cast<int>(std::min<std::size_t>(text.size(), 1 << 20)))
               : ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (moved <= 0) throw peer_gone("nobody reads");
      text.remove_prefix(static_cast<std::size_t>(moved));
    }
  }
  /// The usual answer.
  void answer(std::string_view body, const std::string& more_headers = {}, const std::string& status = "200 OK") {
    std::string text =
        "HTTP/1.1 " + status + "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n" + more_headers + "\r\n";
    write(text.append(body));
  }
  /// The end as it should be: with TLS it says so.
  void close() {
    if (ssl_) SSL_shutdown(ssl_.get());
    drop();
  }
  /// The connection just ends.
  void drop() {
    ssl_.reset();
    ++order_of_sockets();
    std::lock_guard lock(mutex_);
    socket_ = corolith::unique_fd();
  }
  /// Whatever the script waits for on this connection comes to its end. Any thread.
  void end() {
    std::lock_guard lock(mutex_);
    if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
  }
  /// The connection ends with an error on the other side.
  void reset() {
    const ::linger now{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    drop();
  }
  int fd() const { return socket_.get(); }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

 private:
  bool more() {
    char buffer[65536];
    const auto got =
        ssl_ ? SSL_read(ssl_.get(), buffer, sizeof buffer) : ::recv(socket_.get(), buffer, sizeof buffer, 0);
    ++order_of_sockets();
    if (got <= 0) return false;
    seen_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  std::string take(std::size_t count) {
    std::string taken = seen_.substr(0, count);
    seen_.erase(0, count);
    return taken;
  }

  std::mutex mutex_;  // the closing of the socket
  corolith::unique_fd socket_;
  std::unique_ptr<SSL, free_ssl> ssl_;
  std::string seen_;
};

/// A server that does what a test tells it to: `script` runs on a thread of its own for each connection, the first is 0.
class scripted_server {
 public:
  using script = std::function<void(peer& client, int connection)>;

  explicit scripted_server(script does, SSL_CTX* tls = nullptr)
      : script_(std::move(does)),
        tls_(tls),
        listener_(corolith::uring::listening_socket(corolith::uring::socket_address::of_ip("127.0.0.1", 0))),
        port_(corolith::uring::socket_address::local(listener_.get()).port()),
        accepts_([this] { accept(); }) {}
  ~scripted_server() { stop(); }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  /// Ends all connections; no script runs any more.
  void stop() {
    if (!accepts_.joinable()) return;
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepts_.join();
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
      for (peer* each : peers_) each->end();
    }
    for (std::thread& each : threads_) each.join();
  }

  std::uint16_t port() const noexcept { return port_; }
  int connections() const noexcept { return connections_.load(); }
  /// What went wrong in the scripts, but for clients that left.
  std::string problems() {
    std::lock_guard lock(mutex_);
    return problems_;
  }

 private:
  void accept() {
    for (;;) {
      corolith::unique_fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      const int number = connections_++;
      threads_.emplace_back([this, number, taken = std::make_shared<corolith::unique_fd>(std::move(socket))] {
        serve(std::move(*taken), number);
      });
    }
  }
  void serve(corolith::unique_fd socket, int number) {
    ::sigset_t pipe;  // OpenSSL writes to who has left; on this thread alone that is no signal
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    peer client(std::move(socket));
    const known_here here(*this, client);
    try {
      if (tls_ != nullptr) client.start_tls(tls_);
      script_(client, number);
    } catch (const peer_gone&) {
    } catch (const std::exception& problem) {
      std::lock_guard lock(mutex_);
      problems_ += std::string(problem.what()) + "\n";
    }
  }
  struct known_here {
    known_here(scripted_server& server, peer& client) : of(server), who(client) {
      std::lock_guard lock(of.mutex_);
      of.peers_.push_back(&who);
      if (of.ending_) who.end();
    }
    ~known_here() {
      std::lock_guard lock(of.mutex_);
      std::erase(of.peers_, &who);
    }
    scripted_server& of;
    peer& who;
  };

  script script_;
  SSL_CTX* tls_;
  corolith::unique_fd listener_;
  std::uint16_t port_;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  bool ending_ = false;
  std::vector<peer*> peers_;
  std::string problems_;
  std::vector<std::thread> threads_;
  std::thread accepts_;
};

}  // namespace s3_test
