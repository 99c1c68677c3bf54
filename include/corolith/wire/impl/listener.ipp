// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/wire/detail/quiet_log.hpp>
#include <corolith/wire/listener.hpp>
#include <corolith/wire/tls.hpp>
#include <corolith/wire/transport.hpp>

#include <asio/connect.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <list>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace corolith::inline v0::wire {

namespace detail {

inline std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

inline config_error socket_error(const std::string& path, const std::string& why) {
  return config_error("unix socket " + path + ": " + why);
}

inline void check_socket_length(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    throw socket_error(path, "the path is longer than the " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                 " bytes that a socket may have; use a shorter folder");
}

// Who can reach the folder can reach the socket.
inline void check_private_folder(const std::string& path) {
  std::string folder = folder_of(path);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw socket_error(path, "its folder cannot be made: " + std::string(std::strerror(errno)));
  struct stat facts{};
  if (::lstat(folder.c_str(), &facts) != 0) throw socket_error(path, std::strerror(errno));
  if (!S_ISDIR(facts.st_mode)) throw socket_error(path, folder + " is no folder");
  if (facts.st_uid != ::geteuid()) throw socket_error(path, folder + " belongs to another user");
  if ((facts.st_mode & 077) != 0) throw socket_error(path, folder + " is open to others; chmod 700 it");
}

// A socket file that a dead process left is removed; one that somebody listens on is not.
inline void remove_stale_socket(asio::io_context& io, const std::string& path) {
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) return;
  if (!S_ISSOCK(facts.st_mode)) throw socket_error(path, "a file of that name is there, and it is no socket");
  asio::local::stream_protocol::socket probe(io);
  std::error_code answer;
  probe.open(asio::local::stream_protocol(), answer);
  probe.non_blocking(true, answer);
  probe.connect(asio::local::stream_protocol::endpoint(path), answer);
  if (answer != asio::error::connection_refused) throw socket_error(path, "another process listens there");
  ::unlink(path.c_str());
}

inline bool is_same_user(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

inline const char* foreign_user = "it belongs to another user of this machine";

inline tls_context need_tls(const address& where, std::optional<secret> shared) {
  if (!shared)
    throw config_error(where.to_string() + " needs a shared secret: connections over TCP are always encrypted");
  return tls_context(*std::move(shared));
}

class listener_core final : public std::enable_shared_from_this<listener_core> {
  using local = asio::local::stream_protocol;
  using tcp = asio::ip::tcp;

 public:
  listener_core(asio::io_context& io, hello mine, role expected, listener::events handlers, listener_limits limits)
      : io_(io), mine_(mine), expected_(expected), handlers_(std::move(handlers)), limits_(limits), timer_(io) {}

  void listen(const address& where, std::optional<secret> shared) {
    where_ = where;
    if (where.kind == address::family::unix_socket)
      listen_local(where.path);
    else
      listen_tcp(where, std::move(shared));
    accept();
  }

  const address& local_address() const noexcept { return where_; }
  std::size_t unauthenticated() const noexcept { return visitors_.size(); }

  void close() noexcept {
    if (std::exchange(closed_, true)) return;
    std::error_code ignored;
    if (local_) local_->close(ignored);
    if (tcp_) tcp_->close(ignored);
    timer_.cancel();
    if (auto line = refusals_.rest()) log::warning("connections were refused: " + *line);
    for (visitor& each : visitors_) ::shutdown(each.fd, SHUT_RDWR);
    struct stat facts{};
    if (local_ && ::lstat(where_.path.c_str(), &facts) == 0 && facts.st_ino == inode_) ::unlink(where_.path.c_str());
  }

 private:
  struct visitor {
    int fd;  // open for as long as the entry is in the list
    std::chrono::steady_clock::time_point since;
  };
  using entry = std::list<visitor>::iterator;

  void listen_local(const std::string& path) {
    check_socket_length(path);
    check_private_folder(path);
    remove_stale_socket(io_, path);
    local_.emplace(io_);
    local_->open();
    ::fcntl(local_->native_handle(), F_SETFD, FD_CLOEXEC);
    local_->bind(local::endpoint(path));
    ::chmod(path.c_str(), 0600);
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) == 0) inode_ = facts.st_ino;
    local_->listen(local::acceptor::max_listen_connections);
  }

  void listen_tcp(const address& where, std::optional<secret> shared) {
    tls_.emplace(need_tls(where, std::move(shared)));
    tcp::resolver resolver(io_);
    tcp::endpoint endpoint =
        *resolver
             .resolve(where.host, std::to_string(where.port), tcp::resolver::passive | tcp::resolver::numeric_service)
             .begin();
    tcp_.emplace(io_);
    tcp_->open(endpoint.protocol());
    ::fcntl(tcp_->native_handle(), F_SETFD, FD_CLOEXEC);
    tcp_->set_option(tcp::acceptor::reuse_address(true));
    tcp_->bind(endpoint);
    tcp_->listen(tcp::acceptor::max_listen_connections);
    where_.port = tcp_->local_endpoint().port();
  }

  void accept() {
    if (closed_ || accepting_) return;
    if (visitors_.size() >= limits_.max_unauthenticated) return arm_eviction();
    accepting_ = true;
    if (local_)
      local_->async_accept([self = shared_from_this()](std::error_code error, local::socket socket) {
        self->accepted(error, std::move(socket));
      });
    else
      tcp_->async_accept([self = shared_from_this()](std::error_code error, tcp::socket socket) {
        self->accepted(error, std::move(socket));
      });
  }

  template <class Socket>
  void accepted(std::error_code error, Socket socket) {
    accepting_ = false;
    if (closed_) return;
    if (!error) {
      welcome(std::move(socket));
    } else if (error != asio::error::connection_aborted) {
      // Out of descriptors, most likely: some come back when others close.
      warn(accept_trouble_, "accepting on " + where_.to_string() + ": " + error.message());
      return pause(std::chrono::milliseconds(100));
    }
    accept();
  }

  void welcome(local::socket socket) {
    if (!is_same_user(socket.native_handle())) {
      return refused(
          std::make_exception_ptr(handshake_error(std::string("no connection with a peer: ") + foreign_user)));
    }
    entry who = enter(socket.native_handle());
    introduce(who, make_transport(adopt_socket_t{}, std::move(socket)));
  }

  void welcome(tcp::socket socket) {
    entry who = enter(socket.native_handle());
    async_tls(
        std::move(socket), *tls_, tls_side::server,
        [self = shared_from_this(), who](std::exception_ptr error, std::unique_ptr<transport> stream) {
          if (error) return self->leave(who, std::move(error));
          self->introduce(who, std::move(stream));
        },
        limits_.deadline);
  }

  void introduce(entry who, std::shared_ptr<transport> stream) {
    auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - who->since);
    async_handshake_server(
        stream, mine_, expected_,
        [self = shared_from_this(), who, stream](std::exception_ptr error, hello peer) {
          bool late = self->closed_;
          self->leave(who, error);
          if (!error && !late && self->handlers_.on_accept) self->handlers_.on_accept(channel::over(stream), peer);
        },
        std::max(limits_.deadline - spent, std::chrono::milliseconds(1)));
  }

  entry enter(int fd) { return visitors_.insert(visitors_.end(), {fd, std::chrono::steady_clock::now()}); }

  void leave(entry who, std::exception_ptr error) {
    visitors_.erase(who);
    if (closed_) return;
    if (error) refused(std::move(error));
    accept();
  }

  void refused(std::exception_ptr why) {
    try {
      std::rethrow_exception(why);
    } catch (const std::exception& error) {
      log::debug("on " + where_.to_string() + ": " + error.what());
      warn(refusals_, "refused a connection on " + where_.to_string() + ": " + error.what());
    }
    if (handlers_.on_refused) handlers_.on_refused(std::move(why));
  }

  static void warn(quiet_log& about, std::string what) {
    if (auto line = about.note(std::chrono::steady_clock::now(), std::move(what))) log::warning(*line);
  }

  // All places are taken: those who have had one for long make room, once they had their chance.
  void arm_eviction() {
    const auto now = std::chrono::steady_clock::now();
    for (visitor& each : visitors_) {
      if (now - each.since < limits_.patience_when_full) break;
      ::shutdown(each.fd, SHUT_RDWR);
    }
    pause(std::chrono::milliseconds(20));
  }

  void pause(std::chrono::milliseconds time) {
    timer_.expires_after(time);
    timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error) self->accept();
    });
  }

  asio::io_context& io_;
  hello mine_;
  role expected_;
  listener::events handlers_;
  listener_limits limits_;
  address where_;
  std::optional<local::acceptor> local_;
  std::optional<tcp::acceptor> tcp_;
  std::optional<tls_context> tls_;
  asio::steady_timer timer_;
  std::list<visitor> visitors_;
  quiet_log refusals_, accept_trouble_;
  ino_t inode_ = 0;
  bool accepting_ = false;
  bool closed_ = false;
};

/// One attempt to connect. Owned by its waits.
class connector final : public std::enable_shared_from_this<connector> {
  using local = asio::local::stream_protocol;
  using tcp = asio::ip::tcp;
  using clock = std::chrono::steady_clock;

 public:
  connector(asio::io_context& io, const address& where, std::optional<secret> shared, hello mine, role expected,
            connect_callback done, std::chrono::milliseconds deadline)
      : io_(io),
        where_(where),
        shared_(std::move(shared)),
        mine_(mine),
        expected_(expected),
        done_(std::move(done)),
        until_(clock::now() + deadline),
        timer_(io),
        resolver_(io),
        local_(io),
        tcp_(io) {}

  void run() {
    timer_.expires_at(until_);
    timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error) self->fail("it does not answer");
    });
    asio::post(io_, [self = shared_from_this()] {
      try {
        self->where_.kind == address::family::unix_socket ? self->connect_local() : self->connect_tcp();
      } catch (...) {
        self->finish(std::current_exception(), nullptr);
      }
    });
  }

 private:
  void connect_local() {
    if (!done_) return;
    check_socket_length(where_.path);
    local_.async_connect(local::endpoint(where_.path), [self = shared_from_this()](std::error_code error) {
      if (error == asio::error::try_again) return self->connect_again();
      if (error) return self->fail(error.message(), error);
      if (!is_same_user(self->local_.native_handle())) return self->fail(foreign_user);
      self->introduce(make_transport(adopt_socket_t{}, std::move(self->local_)));
    });
  }

  // The listener's queue is full just now.
  void connect_again() {
    auto wait = std::make_shared<asio::steady_timer>(io_, std::chrono::milliseconds(20));
    wait->async_wait([self = shared_from_this(), wait](std::error_code) {
      std::error_code ignored;
      self->local_.close(ignored);
      self->connect_local();
    });
  }

  void connect_tcp() {
    tls_.emplace(need_tls(where_, std::move(shared_)));
    resolver_.async_resolve(
        where_.host, std::to_string(where_.port), tcp::resolver::numeric_service,
        [self = shared_from_this()](std::error_code error, const tcp::resolver::results_type& found) {
          if (error) return self->fail(error.message(), error);
          if (self->done_) self->connect_to(found);
        });
  }

  void connect_to(const tcp::resolver::results_type& found) {
    asio::async_connect(tcp_, found, [self = shared_from_this()](std::error_code error, const tcp::endpoint&) {
      if (error) return self->fail(error.message(), error);
      async_tls(
          std::move(self->tcp_), *self->tls_, tls_side::client,
          [self](std::exception_ptr failed, std::unique_ptr<transport> stream) {
            if (failed) return self->finish(std::move(failed), nullptr);
            self->introduce(std::move(stream));
          },
          self->time_left());
    });
  }

  void introduce(std::shared_ptr<transport> stream) {
    async_handshake_client(
        stream, mine_, expected_,
        [self = shared_from_this(), stream](std::exception_ptr error, const hello&) {
          self->finish(std::move(error), stream);
        },
        time_left());
  }

  std::chrono::milliseconds time_left() const {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - clock::now());
    return std::max(left, std::chrono::milliseconds(1));
  }

  void fail(const std::string& why, std::error_code cause = {}) {
    // Asio's own category knows few of the system's conditions.
    if (cause.category() == asio::error::get_system_category()) cause = {cause.value(), std::generic_category()};
    finish(std::make_exception_ptr(connect_error("cannot connect to " + where_.to_string() + ": " + why, cause)),
           nullptr);
  }

  void finish(std::exception_ptr error, std::shared_ptr<transport> stream) {
    if (!done_) {
      if (stream) stream->close();
      return;
    }
    timer_.cancel();
    resolver_.cancel();
    std::error_code ignored;
    local_.close(ignored);
    tcp_.close(ignored);
    auto done = std::exchange(done_, nullptr);
    if (error)
      done(std::move(error), nullptr);
    else
      done(nullptr, channel::over(std::move(stream)));
  }

  asio::io_context& io_;
  address where_;
  std::optional<secret> shared_;
  hello mine_;
  role expected_;
  connect_callback done_;
  clock::time_point until_;
  asio::steady_timer timer_;
  tcp::resolver resolver_;
  local::socket local_;
  tcp::socket tcp_;
  std::optional<tls_context> tls_;
};

}  // namespace detail

COROLITH_DECL std::shared_ptr<listener> listener::listen(asio::io_context& io, const address& where,
                                                         std::optional<secret> shared, hello mine, role expected,
                                                         events handlers, listener_limits limits) {
  auto core = std::make_shared<detail::listener_core>(io, mine, expected, std::move(handlers), limits);
  core->listen(where, std::move(shared));
  return std::make_shared<listener>(std::move(core));
}

COROLITH_DECL listener::listener(std::shared_ptr<detail::listener_core> core) noexcept : core_(std::move(core)) {}
COROLITH_DECL listener::~listener() { core_->close(); }
COROLITH_DECL address listener::local_address() const { return core_->local_address(); }
COROLITH_DECL void listener::close() noexcept { core_->close(); }
COROLITH_DECL std::size_t listener::unauthenticated() const noexcept { return core_->unauthenticated(); }

COROLITH_DECL void async_connect(asio::io_context& io, const address& where, std::optional<secret> shared, hello mine,
                                 role expected, connect_callback done, std::chrono::milliseconds deadline) {
  std::make_shared<detail::connector>(io, where, std::move(shared), mine, expected, std::move(done), deadline)->run();
}

}  // namespace corolith::inline v0::wire
