// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/blocking_link.hpp>

#include "support.hpp"

#include <atomic>
#include <thread>

#include <sys/socket.h>

using namespace wire_test;

namespace {

struct socket_pair {
  int fd[2];
  socket_pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0); }
  ~socket_pair() {
    for (int each : fd)
      if (each >= 0) ::close(each);
  }
  void close_peer() { ::close(std::exchange(fd[1], -1)); }
};

}  // namespace

TEST_CASE("a link and a channel understand each other") {
  asio::io_context io(1);
  socket_pair pair;
  end agent;
  agent.wire = channel::over(
      asio::local::stream_protocol::socket(io, asio::local::stream_protocol(), std::exchange(pair.fd[0], -1)));
  shared_bytes large = pattern(20 << 20, 4);
  std::exception_ptr failed;
  std::thread worker([&] {
    try {
      blocking_link link(pair.fd[1]);
      frame_reader reader;
      message got;
      for (;;) {
        while (reader.next(got)) {
          link.append(message_type::result, bytes("head"), got.body);
          if (got.type == message_type::shutdown) return link.flush();
        }
        link.flush();
        link.receive(reader, -1);
      }
    } catch (...) {
      failed = std::current_exception();
    }
  });
  agent.wire->start(agent.recording());
  for (int i = 0; i < 1000; ++i) agent.wire->send(message_type::call, shared("12345678 small"));
  agent.wire->send(message_type::call, large);
  agent.wire->send(message_type::shutdown, shared("last"));
  run_until(io, [&] { return agent.got.size() == 1002; });
  worker.join();
  CHECK(what_of(failed) == "");
  CHECK(text(agent.got[999].body) == "head12345678 small");
  CHECK(same(agent.got[1000].body.slice(4), large));
  CHECK(text(agent.got[1001].body) == "headlast");
}

TEST_CASE("two threads may write to a link") {
  socket_pair pair;
  blocking_link link(pair.fd[0]);
  constexpr int each = 20'000;
  std::atomic<bool> done{false};
  std::thread main_thread([&] {
    for (int i = 0; i < each; ++i) {
      link.append(message_type::result, bytes_of(std::uint64_t{1}), shared("r"));
      if (i % 7 == 0) link.flush();
    }
    link.flush();
    done = true;
  });
  std::thread helper([&] {
    for (int i = 0; i < each; ++i) {
      link.append(message_type::started, bytes_of(std::uint64_t{2}));
      link.try_flush();
    }
    link.flush();
  });
  blocking_link peer(pair.fd[1]);
  frame_reader reader;
  message got;
  int results = 0, starts = 0;
  while (results + starts < 2 * each) {
    REQUIRE(peer.receive(reader, 60'000));
    while (reader.next(got)) ++(got.type == message_type::result ? results : starts);
  }
  main_thread.join();
  helper.join();
  CHECK(results == each);
  CHECK(starts == each);
  CHECK(link.queued_bytes() == 0);
}

TEST_CASE("a link waits no longer than it is told") {
  socket_pair pair;
  blocking_link link(pair.fd[0]);
  frame_reader reader;
  CHECK_FALSE(link.receive(reader, 0));
  CHECK_FALSE(link.receive(reader, 5));
}

TEST_CASE("a link says when its peer is gone, without a signal") {
  socket_pair pair;
  blocking_link link(pair.fd[0]);
  frame_reader reader;
  pair.close_peer();
  auto code = [](auto&& action) {
    try {
      action();
    } catch (...) {
      return code_of(std::current_exception());
    }
    return errc{};
  };
  CHECK(code([&] { link.receive(reader, -1); }) == errc::peer_closed);
  link.append(message_type::result, bytes("x"));
  CHECK(code([&] { link.flush(); }) == errc::peer_closed);
}
