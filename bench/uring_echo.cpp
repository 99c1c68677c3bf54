// SPDX-License-Identifier: Apache-2.0
// What an operation on a socket costs a task: 64 bytes there and back over loopback TCP, both ends on one thread, one pair and
// many; and a stream in pieces of 256 KiB. The same by epoll (poll_...), and by bare liburing and no coroutines, which is the limit.
//   uring_echo [--pairs N] [--rounds N]
#include "flags.hpp"
#include "measure.hpp"
#include "report.hpp"

#include <corolith/core/error.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/io_thread.hpp>
#include <corolith/uring/network.hpp>

#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
namespace ur = corolith::uring;

namespace {

constexpr std::size_t message = 64, piece = 256 * 1024;
using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point begin) {
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

struct connection {
  cl::unique_fd client, server;
};

connection connect_to_self() {
  cl::unique_fd listener = ur::listening_socket(ur::socket_address::of_ip("127.0.0.1", 0));
  const ur::socket_address at = ur::socket_address::local(listener.get());
  connection made;
  made.client = ur::stream_socket(at);
  if (::connect(made.client.get(), at.data(), at.size()) != 0)
    throw std::system_error(errno, std::generic_category(), "connect");
  made.server = cl::unique_fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const int on = 1;
  for (int fd : {made.client.get(), made.server.get()}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

// --- tasks ---

cl::task<void> ping(ur::io_loop* io, int fd, std::size_t rounds) {
  std::array<std::byte, message> buffer{};
  for (std::size_t i = 0; i < rounds; ++i) {
    co_await ur::send_all(*io, fd, std::span<const std::byte>(buffer));
    if (co_await ur::recv_all(*io, fd, std::span(buffer)) != message) throw std::runtime_error("the echo ended early");
  }
}

cl::task<void> pong(ur::io_loop* io, int fd, std::size_t rounds) {
  std::array<std::byte, message> buffer{};
  for (std::size_t i = 0; i < rounds; ++i) {
    if (co_await ur::recv_all(*io, fd, std::span(buffer)) != message) throw std::runtime_error("the ping ended early");
    co_await ur::send_all(*io, fd, std::span<const std::byte>(buffer));
  }
}

cl::task<void> pour(ur::io_loop* io, int fd, std::size_t pieces) {
  const std::vector<std::byte> buffer(piece);
  for (std::size_t i = 0; i < pieces; ++i) co_await ur::send_all(*io, fd, std::span(buffer));
}

cl::task<void> drain(ur::io_loop* io, int fd, std::size_t pieces) {
  std::vector<std::byte> buffer(piece);
  for (std::size_t left = pieces * piece; left > 0;) {
    const std::size_t got = co_await ur::recv(*io, fd, std::span(buffer));
    if (got == 0) throw std::runtime_error("the stream ended early");
    left -= got;
  }
}

double by_tasks(ur::io_loop& loop, const std::vector<connection>& pairs, std::size_t rounds, bool bulk) {
  const auto begin = clock_type::now();
  std::vector<cl::future<void>> ends;
  for (const connection& pair : pairs) {
    ends.push_back(
        cl::start(loop, bulk ? drain(&loop, pair.server.get(), rounds) : pong(&loop, pair.server.get(), rounds)));
    ends.push_back(
        cl::start(loop, bulk ? pour(&loop, pair.client.get(), rounds) : ping(&loop, pair.client.get(), rounds)));
  }
  for (cl::future<void>& end : ends) end.get();
  return seconds_since(begin);
}

// --- bare liburing ---

class bare_ring {
 public:
  bare_ring() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int failure = io_uring_queue_init_params(256, &ring_, &params);
    if (failure == -EINVAL) failure = io_uring_queue_init(256, &ring_, 0);
    if (failure < 0) throw std::system_error(-failure, std::generic_category(), "io_uring_setup");
    io_uring_register_ring_fd(&ring_);
  }
  ~bare_ring() { io_uring_queue_exit(&ring_); }
  bare_ring(const bare_ring&) = delete;
  bare_ring& operator=(const bare_ring&) = delete;

  struct end {
    int fd;
    bool sends;  // what is under way, or else it receives
    bool echo;   // the one after the other, or else the same again
    std::size_t left;
    std::vector<std::byte> buffer;
    std::size_t at = 0;
  };

  void run(std::vector<end>& ends) {
    for (end& each : ends) queue(each);
    for (std::size_t active = ends.size(); active > 0;) {
      const int failure = io_uring_submit_and_wait(&ring_, 1);
      if (failure < 0) throw std::system_error(-failure, std::generic_category(), "io_uring_enter");
      unsigned head = 0, count = 0;
      io_uring_cqe* entry = nullptr;
      io_uring_for_each_cqe(&ring_, head, entry) {
        ++count;
        if (!goes_on(*static_cast<end*>(io_uring_cqe_get_data(entry)), entry->res)) --active;
      }
      io_uring_cq_advance(&ring_, count);
    }
  }

 private:
  void queue(end& of) {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (of.sends)
      io_uring_prep_send(entry, of.fd, of.buffer.data() + of.at, of.buffer.size() - of.at, MSG_NOSIGNAL);
    else
      io_uring_prep_recv(entry, of.fd, of.buffer.data() + of.at, of.buffer.size() - of.at, 0);
    io_uring_sqe_set_data(entry, &of);
  }
  bool goes_on(end& of, int result) {
    if (result <= 0) throw std::runtime_error("a bare operation failed");
    of.at += static_cast<std::size_t>(result);
    const bool whole = of.at == of.buffer.size();
    if (of.echo || of.sends ? whole : true) {
      of.left -= of.echo || of.sends ? 1 : static_cast<std::size_t>(result);
      of.at = 0;
      if (of.left == 0) return false;
      if (of.echo) of.sends = !of.sends;
    }
    queue(of);
    return true;
  }

  io_uring ring_{};
};

double by_hand(const std::vector<connection>& pairs, std::size_t rounds, bool bulk) {
  double seconds = 0;
  std::thread([&] {  // as the tasks, which are on another thread than this
    bare_ring ring;
    std::vector<bare_ring::end> ends;
    for (const connection& pair : pairs) {
      std::vector<std::byte> buffer(bulk ? piece : message);
      ends.push_back({pair.server.get(), false, !bulk, bulk ? rounds * piece : 2 * rounds, buffer});
      ends.push_back({pair.client.get(), true, !bulk, bulk ? rounds : 2 * rounds, buffer});
    }
    const auto begin = clock_type::now();
    ring.run(ends);
    seconds = seconds_since(begin);
  })
      .join();
  return seconds;
}

struct settings {
  std::size_t pairs = 64;
  std::size_t rounds = 20'000;
};

struct load {
  const char* name;
  const char* unit;
  std::vector<connection> pairs;
  std::size_t rounds;
  bool bulk;
  double amount;      // of what is measured, in one turn of all
  bool less_is_best;  // time for each, or else a rate
};

std::vector<load> loads_of(const settings& given) {
  std::vector<load> made;
  const std::size_t each = given.rounds / given.pairs + 1, pieces = 4000;
  made.push_back({"round_trip_us", "us", {}, given.rounds, false, static_cast<double>(given.rounds) / 1e6, true});
  made.push_back({"round_trips_per_s", "1/s", {}, each, false, static_cast<double>(each * given.pairs), false});
  made.push_back({"stream_mb_s", "MB/s", {}, pieces, true, static_cast<double>(pieces * piece) / 1e6, false});
  for (load& one : made) one.pairs.push_back(connect_to_self());
  while (made[1].pairs.size() < given.pairs) made[1].pairs.push_back(connect_to_self());
  return made;
}

double figure(const load& of, double seconds) { return of.less_is_best ? seconds / of.amount : of.amount / seconds; }

int run(const settings& given) {
  ur::io_options by_ring, by_poll;
  by_ring.backend = ur::io_backend::io_uring;
  by_poll.backend = ur::io_backend::poll;
  ur::io_thread ring(by_ring), poll(by_poll);
  const std::vector<load> loads = loads_of(given);
  bench::rounds seen;
  for (int repeat = 0; repeat < 7; ++repeat) {
    std::fprintf(stderr, "uring_echo: round %d of 7\n", repeat + 1);
    for (const load& each : loads) {
      const std::string name = each.name;
      seen.add("bare_" + name, figure(each, by_hand(each.pairs, each.rounds, each.bulk)));
      seen.add(name, figure(each, by_tasks(ring.loop(), each.pairs, each.rounds, each.bulk)));
      seen.add("poll_" + name, figure(each, by_tasks(poll.loop(), each.pairs, each.rounds, each.bulk)));
    }
  }
  for (const load& each : loads) {
    const std::string name = each.name, bare = "bare_" + name;
    bench::report("uring_echo", bare, seen.median(bare), each.unit);
    for (const std::string& ours : {name, "poll_" + name})
      bench::report("uring_echo", ours, seen.median(ours), each.unit, bench::comparison{seen.ratio(ours, bare), bare});
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    settings given;
    for (int i = 1; i < argc; i += 2) {
      const std::string flag = argv[i];
      if ((flag != "--pairs" && flag != "--rounds") || i + 1 == argc)
        throw cl::config_error("usage: uring_echo [--pairs N] [--rounds N]");
      const bench::flag_value value{argv[i + 1], "flag " + flag};
      (flag == "--pairs" ? given.pairs : given.rounds) =
          flag == "--pairs" ? bench::count_of(value, 100) : bench::count_of(value, 10'000'000);
    }
    return run(given);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "uring_echo: %s\n", failed.what());
    return 1;
  }
}
