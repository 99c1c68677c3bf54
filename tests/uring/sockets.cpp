// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>
#include <corolith/uring/io_thread.hpp>
#include <corolith/uring/network.hpp>

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace cl = corolith;
namespace ur = corolith::uring;
using namespace std::chrono_literals;
using namespace uring_test;

namespace {

cl::task<std::string> receives(ur::io_loop* io, int fd, std::size_t most) {
  std::string text(most, '\0');
  const std::size_t got = co_await ur::recv(*io, fd, room_in(text));
  text.resize(got);
  co_return text;
}

cl::task<std::size_t> sends(ur::io_loop* io, int fd, std::string text) {
  co_return co_await ur::send(*io, fd, bytes_of(text));
}

cl::task<void> sends_all(ur::io_loop* io, int fd, const std::vector<std::byte>* from) {
  const std::size_t sent = co_await ur::send_all(*io, fd, std::span<const std::byte>(*from));
  if (sent != from->size()) throw std::runtime_error("not all was sent");
  ::shutdown(fd, SHUT_WR);
}

cl::task<std::vector<std::byte>> receives_all(ur::io_loop* io, int fd, std::size_t most) {
  std::vector<std::byte> into(most);
  const std::size_t got = co_await ur::recv_all(*io, fd, std::span(into));
  into.resize(got);
  co_return into;
}

cl::task<std::string> echo_server(ur::io_loop* io, int listener) {
  cl::unique_fd peer = co_await ur::accept(*io, listener);
  std::string seen, text(100, '\0');
  for (;;) {
    const std::size_t got = co_await ur::recv(*io, peer.get(), room_in(text));
    if (got == 0) co_return seen;
    seen.append(text, 0, got);
    co_await ur::send_all(*io, peer.get(), bytes_of(text).first(got));
  }
}

cl::task<std::string> echo_client(ur::io_loop* io, ur::socket_address to, std::string text) {
  cl::unique_fd fd = ur::stream_socket(to);
  co_await ur::connect(*io, fd.get(), to);
  co_await ur::send_all(*io, fd.get(), bytes_of(text));
  std::string back(text.size(), '\0');
  const std::size_t got = co_await ur::recv_all(*io, fd.get(), room_in(back));
  back.resize(got);
  co_return back;
}

cl::task<std::pair<std::string, std::string>> both_ends(ur::io_loop* io, int listener, ur::socket_address to,
                                                        std::string text) {
  auto [client, server] = co_await cl::when_all(echo_client(io, to, text), echo_server(io, listener));
  co_return std::pair(std::move(client), std::move(server));
}

cl::task<std::error_code> connects(ur::io_loop* io, ur::socket_address to) {
  cl::unique_fd fd = ur::stream_socket(to);
  try {
    co_await ur::connect(*io, fd.get(), to);
  } catch (const std::system_error& failure) {
    co_return failure.code();
  }
  co_return std::error_code();
}

cl::task<int> ping(ur::io_loop* io, int fd, int rounds) {
  int done = 0;
  std::array<std::byte, 64> buffer{};
  for (; done < rounds; ++done) {
    co_await ur::send_all(*io, fd, std::span<const std::byte>(buffer));
    if (co_await ur::recv_all(*io, fd, std::span(buffer)) != buffer.size()) break;
  }
  co_return done;
}

cl::task<int> pong(ur::io_loop* io, int fd, int rounds) {
  int done = 0;
  std::array<std::byte, 64> buffer{};
  for (; done < rounds; ++done) {
    if (co_await ur::recv_all(*io, fd, std::span(buffer)) != buffer.size()) break;
    co_await ur::send_all(*io, fd, std::span<const std::byte>(buffer));
  }
  co_return done;
}

cl::task<std::pair<int, int>> ping_pong(ur::io_loop* io, int a, int b, int rounds) {
  auto [pings, pongs] = co_await cl::when_all(ping(io, a, rounds), pong(io, b, rounds));
  co_return std::pair(pings, pongs);
}

cl::task<std::size_t> sends_pieces(ur::io_loop* io, int fd, std::vector<std::string>* pieces) {
  std::vector<::iovec> buffers;
  for (std::string& piece : *pieces) buffers.push_back(::iovec{piece.data(), piece.size()});
  const std::size_t sent = co_await ur::send_all(*io, fd, std::span(buffers));
  ::shutdown(fd, SHUT_WR);
  co_return sent;
}

cl::task<std::pair<std::size_t, std::vector<std::byte>>> sends_and_receives_pieces(ur::io_loop* io, int from, int to,
                                                                                   std::vector<std::string>* pieces,
                                                                                   std::size_t most) {
  auto [sent, got] = co_await cl::when_all(sends_pieces(io, from, pieces), receives_all(io, to, most));
  co_return std::pair(sent, std::move(got));
}

cl::task<std::thread::id> resumes_on(ur::io_loop* io, int fd) {
  std::array<std::byte, 8> into{};
  co_await ur::recv(*io, fd, std::span(into));
  co_return std::this_thread::get_id();
}

cl::task<bool> readable_then(ur::io_loop* io, int fd) {
  co_await ur::wait_readable(*io, fd);
  std::string one(1, '\0');
  co_return co_await ur::recv(*io, fd, room_in(one)) == 1;
}

cl::task<void> writable(ur::io_loop* io, int fd) { co_await ur::wait_writable(*io, fd); }

std::error_code code_of(cl::task<std::string> work) {
  try {
    (void)cl::sync_wait(std::move(work));
  } catch (const std::system_error& failure) {
    return failure.code();
  }
  return {};
}

}  // namespace

TEST_CASE("what is sent is received, and then the end") {
  ur::io_thread io;
  for (int flags : {0, static_cast<int>(SOCK_NONBLOCK)}) {
    two_ends pair = socket_pair(flags);
    REQUIRE(cl::sync_wait(sends(&io.loop(), pair.a.get(), "hello")) == 5);
    REQUIRE(cl::sync_wait(receives(&io.loop(), pair.b.get(), 100)) == "hello");
    REQUIRE(cl::start(io.loop(), sends(&io.loop(), pair.b.get(), "world")).get() == 5);
    REQUIRE(cl::start(io.loop(), receives(&io.loop(), pair.a.get(), 3)).get() == "wor");
    REQUIRE(cl::start(io.loop(), receives(&io.loop(), pair.a.get(), 3)).get() == "ld");
    pair.a = cl::unique_fd();
    REQUIRE(cl::sync_wait(receives(&io.loop(), pair.b.get(), 10)).empty());
  }
}

TEST_CASE("no bytes are moved at once") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  const std::vector<std::byte> nothing;
  REQUIRE(cl::sync_wait(receives(&io.loop(), pair.a.get(), 0)).empty());
  REQUIRE(cl::sync_wait(receives_all(&io.loop(), pair.a.get(), 0)).empty());
  cl::sync_wait(sends_all(&io.loop(), pair.a.get(), &nothing));
}

TEST_CASE("a receive waits for what comes later") {
  ur::io_thread io;
  for (int flags : {0, static_cast<int>(SOCK_NONBLOCK)}) {
    two_ends pair = socket_pair(flags);
    auto text = cl::start(io.loop(), receives(&io.loop(), pair.b.get(), 10));
    REQUIRE_FALSE(text.wait_for(5ms));
    REQUIRE(::send(pair.a.get(), "late", 4, 0) == 4);
    REQUIRE(text.get() == "late");
  }
}

TEST_CASE("clients and servers over TCP, IPv4 and IPv6, and Unix sockets") {
  ur::io_thread io;
  temporary_folder folder;
  std::vector<ur::socket_address> places{ur::socket_address::of_ip("127.0.0.1", 0),
                                         ur::socket_address::of_path(folder / "socket")};
  if (std::filesystem::exists("/proc/sys/net/ipv6")) places.push_back(ur::socket_address::of_ip("::1", 0));
  for (const ur::socket_address& place : places) {
    cl::unique_fd listener = ur::listening_socket(place);
    const ur::socket_address at = ur::socket_address::local(listener.get());
    const std::string text(10'000, 'x');
    auto [client, server] = cl::start(io.loop(), both_ends(&io.loop(), listener.get(), at, text)).get();
    REQUIRE(client == text);
    REQUIRE(server == text);
  }
}

TEST_CASE("a connection that nobody accepts is refused") {
  ur::io_thread io;
  ur::socket_address at;
  {
    cl::unique_fd listener = ur::listening_socket(ur::socket_address::of_ip("127.0.0.1", 0));
    at = ur::socket_address::local(listener.get());
  }
  REQUIRE(cl::sync_wait(connects(&io.loop(), at)) == std::errc::connection_refused);
  REQUIRE(cl::sync_wait(connects(&io.loop(), ur::socket_address::of_path("/nowhere/at/all"))) ==
          std::errc::no_such_file_or_directory);
}

TEST_CASE("errors of sockets are thrown with the system's code") {
  ur::io_thread io;
  REQUIRE(code_of(receives(&io.loop(), -1, 10)) == std::errc::bad_file_descriptor);
  two_ends ends = pipe_ends();
  REQUIRE(code_of(receives(&io.loop(), ends.a.get(), 10)) == std::errc::not_a_socket);
  two_ends pair = socket_pair();
  pair.b = cl::unique_fd();
  REQUIRE_THROWS_AS(cl::sync_wait(sends(&io.loop(), pair.a.get(), "x")), std::system_error);  // and no signal
}

TEST_CASE("large transfers arrive whole, both ways at once") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  const std::vector<std::byte> there = pattern(20'000'000, 1), back = pattern(10'000'001, 2);
  auto sent_there = cl::start(io.loop(), sends_all(&io.loop(), pair.a.get(), &there));
  auto sent_back = cl::start(io.loop(), sends_all(&io.loop(), pair.b.get(), &back));
  auto got_there = cl::start(io.loop(), receives_all(&io.loop(), pair.b.get(), there.size() + 1));
  auto got_back = cl::start(io.loop(), receives_all(&io.loop(), pair.a.get(), back.size()));
  sent_there.get();
  sent_back.get();
  REQUIRE(got_there.get() == there);
  REQUIRE(got_back.get() == back);
}

TEST_CASE("several buffers leave as one, in any sizes") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  std::vector<std::string> pieces{"", "head", std::string(3'000'000, 'a'), "", std::string(2'999'999, 'b'), "tail", ""};
  for (int i = 0; i < 3000; ++i) pieces.push_back(std::to_string(i));
  std::string expected;
  for (const std::string& piece : pieces) expected += piece;
  auto [sent, got] = cl::start(io.loop(), sends_and_receives_pieces(&io.loop(), pair.a.get(), pair.b.get(), &pieces,
                                                                    expected.size() + 10))
                         .get();
  REQUIRE(sent == expected.size());
  REQUIRE(std::string(reinterpret_cast<const char*>(got.data()), got.size()) == expected);
}

TEST_CASE("ping-pong between two tasks of one loop, and of two") {
  two_ends pair = socket_pair();
  ur::io_thread io;
  REQUIRE(cl::start(io.loop(), ping_pong(&io.loop(), pair.a.get(), pair.b.get(), 20'000)).get() ==
          std::pair(20'000, 20'000));
  ur::io_thread other;
  auto pongs = cl::start(other.loop(), pong(&other.loop(), pair.b.get(), 2000));
  REQUIRE(cl::start(io.loop(), ping(&io.loop(), pair.a.get(), 2000)).get() == 2000);
  REQUIRE(pongs.get() == 2000);
  REQUIRE(cl::sync_wait(ping_pong(&io.loop(), pair.a.get(), pair.b.get(), 500)) == std::pair(500, 500));
}

TEST_CASE("more operations than the ring has entries") {
  ur::io_options options;
  options.entries = 4;
  ur::io_thread io(options);
  std::vector<two_ends> pairs;
  std::vector<cl::future<std::string>> texts;
  for (int i = 0; i < 200; ++i) {
    pairs.push_back(socket_pair());
    texts.push_back(cl::start(io.loop(), receives(&io.loop(), pairs.back().b.get(), 10)));
  }
  std::vector<cl::future<std::size_t>> sent;
  for (int i = 0; i < 200; ++i)
    sent.push_back(
        cl::start(io.loop(), sends(&io.loop(), pairs[static_cast<std::size_t>(i)].a.get(), std::to_string(i))));
  for (auto& each : sent) REQUIRE(each.get() > 0);
  for (int i = 0; i < 200; ++i) REQUIRE(texts[static_cast<std::size_t>(i)].get() == std::to_string(i));
}

TEST_CASE("a task resumes at home, wherever the operation runs") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  REQUIRE(::send(pair.a.get(), "x", 1, 0) == 1);
  REQUIRE(cl::sync_wait(resumes_on(&io.loop(), pair.b.get())) == std::this_thread::get_id());
  REQUIRE(::send(pair.a.get(), "x", 1, 0) == 1);
  const auto there = cl::start(io.loop(), resumes_on(&io.loop(), pair.b.get())).get();
  REQUIRE(there != std::this_thread::get_id());
}

TEST_CASE("readiness without a transfer") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  auto ready = cl::start(io.loop(), readable_then(&io.loop(), pair.b.get()));
  REQUIRE_FALSE(ready.wait_for(2ms));
  REQUIRE(::send(pair.a.get(), "x", 1, 0) == 1);
  REQUIRE(ready.get());
  cl::sync_wait(writable(&io.loop(), pair.a.get()));
}

TEST_CASE("a loop that waits leaves no descriptor behind") {
  const std::size_t before = open_descriptors();
  {
    ur::io_thread io;
    two_ends pair = socket_pair();
    REQUIRE(cl::sync_wait(sends(&io.loop(), pair.a.get(), "hello")) == 5);
  }
  REQUIRE(open_descriptors() == before);
}

TEST_CASE("socket addresses") {
  REQUIRE(ur::socket_address::of_ip("127.0.0.1", 80).to_string() == "127.0.0.1:80");
  REQUIRE(ur::socket_address::of_ip("::1", 8080).to_string() == "[::1]:8080");
  REQUIRE(ur::socket_address::of_path("/tmp/x").to_string() == "/tmp/x");
  REQUIRE(ur::socket_address::of_ip("10.0.0.1", 7).port() == 7);
  REQUIRE_THROWS_AS(ur::socket_address::of_ip("localhost", 80), cl::error);
  REQUIRE_THROWS_AS(ur::socket_address::of_path(""), cl::error);
  REQUIRE_THROWS_AS(ur::socket_address::of_path(std::string(500, 'x')), cl::error);
  REQUIRE(ur::socket_address().family() == AF_UNSPEC);
}
