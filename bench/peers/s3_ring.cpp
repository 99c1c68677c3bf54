// SPDX-License-Identifier: Apache-2.0
// HTTP in as little as it takes: one thread, one io_uring, requests that are put together beforehand, bodies received where they
// are to be. It knows what the answers will be, and nothing of S3: the limit of what a client can reach.
//   s3_ring HOST PORT PATH      and lines as s3_peer.hpp says
#include "s3_peer.hpp"

#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

using namespace bench::s3_peer;

namespace {

struct server {
  std::string host;
  std::uint16_t port;
  std::string path;
};

int connected(const server& to) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(to.port);
  if (::inet_pton(AF_INET, to.host.c_str(), &at.sin_addr) != 1) throw std::runtime_error(to.host + " is no address");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
    throw std::system_error(errno, std::generic_category(), "connect");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

struct connection {
  int fd = -1;
  bool sends = false;
  std::string head;
  std::array<iovec, 2> parts{};
  msghdr message{};
  std::array<char, 16384> answer{};  // its head, and of the body what comes with it
  std::size_t answered = 0;
  bool in_body = false;
  std::byte* body = nullptr;
  std::size_t left = 0;  // of the body
};

class client {
 public:
  explicit client(server to) : server_(std::move(to)) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int failure = io_uring_queue_init_params(512, &ring_, &params);
    if (failure == -EINVAL) failure = io_uring_queue_init(512, &ring_, 0);
    if (failure < 0) throw std::system_error(-failure, std::generic_category(), "io_uring_setup");
    io_uring_register_ring_fd(&ring_);
  }
  ~client() {
    for (const connection& each : connections_) ::close(each.fd);
    io_uring_queue_exit(&ring_);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void prepare(const work& what) {
    memory_.prepare(what);
    while (connections_.size() < what.connections) connections_.emplace_back().fd = connected(server_);
  }

  void run(const work& what) {
    what_ = &what;
    begun_ = 0;
    std::size_t active = std::min(what.connections, what.requests);
    for (std::size_t i = 0; i < active; ++i) begin(i);
    while (active > 0) {
      const int failure = io_uring_submit_and_wait(&ring_, 1);
      if (failure < 0) throw std::system_error(-failure, std::generic_category(), "io_uring_enter");
      unsigned at = 0, count = 0;
      io_uring_cqe* entry = nullptr;
      io_uring_for_each_cqe(&ring_, at, entry) {
        ++count;
        const std::size_t index = io_uring_cqe_get_data64(entry);
        if (!ended(connections_[index], entry->res)) {
          next(index);
          continue;
        }
        if (begun_ < what.requests)
          begin(index);
        else
          --active;
      }
      io_uring_cq_advance(&ring_, count);
    }
  }

 private:
  void begin(std::size_t index) {
    connection& one = connections_[index];
    const std::string key = what_->key(begun_++);
    one.head = (what_->put ? "PUT " : "GET ") + server_.path + key + " HTTP/1.1\r\nhost: " + server_.host + "\r\n";
    if (what_->put) one.head += "content-length: " + std::to_string(what_->bytes) + "\r\n";
    one.head += "\r\n";
    one.parts[0] = {one.head.data(), one.head.size()};
    one.parts[1] = {what_->put ? memory_.source(what_->bytes) : nullptr, what_->put ? what_->bytes : 0};
    one.body = what_->put ? nullptr : memory_.target(index, what_->bytes);
    one.left = what_->put ? 0 : what_->bytes;
    one.sends = true;
    one.in_body = false;
    one.answered = 0;
    next(index);
  }

  void next(std::size_t index) {
    connection& one = connections_[index];
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (one.sends) {
      one.message.msg_iov = one.parts.data();
      one.message.msg_iovlen = what_->put ? 2 : 1;
      io_uring_prep_sendmsg(entry, one.fd, &one.message, MSG_NOSIGNAL | MSG_WAITALL);
    } else if (one.in_body) {
      io_uring_prep_recv(entry, one.fd, one.body, one.left, MSG_WAITALL);
    } else {
      io_uring_prep_recv(entry, one.fd, one.answer.data() + one.answered, one.answer.size() - one.answered, 0);
    }
    io_uring_sqe_set_data64(entry, index);
  }

  /// Whether the request has ended.
  static bool ended(connection& one, int result) {
    if (result <= 0) throw std::runtime_error(result == 0 ? "the server closed a connection" : std::strerror(-result));
    const auto moved = static_cast<std::size_t>(result);
    if (one.sends) {
      std::size_t sent = moved;
      for (iovec& part : one.parts) {
        const std::size_t of_this = std::min(sent, part.iov_len);
        part.iov_base = static_cast<std::byte*>(part.iov_base) + of_this;
        part.iov_len -= of_this;
        sent -= of_this;
      }
      one.sends = one.parts[0].iov_len + one.parts[1].iov_len > 0;
      return false;
    }
    if (one.in_body) {
      one.body += moved;
      one.left -= moved;
      return one.left == 0;
    }
    one.answered += moved;
    return head_ended(one);
  }
  static bool head_ended(connection& one) {
    const std::string_view answer(one.answer.data(), one.answered);
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    if (!answer.starts_with("HTTP/1.1 2")) throw std::runtime_error("answered: " + std::string(answer.substr(0, end)));
    const std::size_t with_it = std::min(answer.size() - end - 4, one.left);
    if (with_it > 0) std::memcpy(one.body, answer.data() + end + 4, with_it);
    one.body += with_it;
    one.left -= with_it;
    one.in_body = true;
    return one.left == 0;
  }

  server server_;
  io_uring ring_{};
  memory memory_;
  std::deque<connection> connections_;
  const work* what_ = nullptr;
  std::size_t begun_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: s3_ring HOST PORT PATH\n");
    return 2;
  }
  try {
    client one({argv[1], static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10)), argv[3]});
    return serve([&](const work& what) { one.prepare(what); }, [&](const work& what) { one.run(what); });
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "s3_ring: %s\n", failed.what());
    return 1;
  }
}
