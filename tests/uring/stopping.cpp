// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_any.hpp>
#include <corolith/uring/files.hpp>
#include <corolith/uring/io_thread.hpp>
#include <corolith/uring/network.hpp>

#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
namespace ur = corolith::uring;
using namespace std::chrono_literals;
using namespace uring_test;

namespace {

ur::op_options within(std::chrono::nanoseconds limit) {
  ur::op_options options;
  options.timeout = limit;
  return options;
}

cl::task<std::size_t> receives(ur::io_loop* io, int fd, std::chrono::nanoseconds limit = ur::no_timeout) {
  std::array<std::byte, 16> into{};
  co_return co_await ur::recv(*io, fd, std::span(into), within(limit));
}

cl::task<std::size_t> receives_16(ur::io_loop* io, int fd, std::chrono::nanoseconds limit = ur::no_timeout) {
  std::array<std::byte, 16> into{};
  co_return co_await ur::recv_all(*io, fd, std::span(into), within(limit));
}

cl::task<std::size_t> reads(ur::io_loop* io, int fd, std::chrono::nanoseconds limit = ur::no_timeout) {
  std::array<std::byte, 16> into{};
  co_return co_await ur::read(*io, fd, std::span(into), ur::current_position, within(limit));
}

cl::task<void> accepts(ur::io_loop* io, int fd, std::chrono::nanoseconds limit = ur::no_timeout) {
  cl::unique_fd peer = co_await ur::accept(*io, fd, within(limit));
}

cl::task<std::size_t> sends(ur::io_loop* io, int fd, std::size_t size,
                            std::chrono::nanoseconds limit = ur::no_timeout) {
  std::vector<std::byte> from(size);
  co_return co_await ur::send_all(*io, fd, std::span<const std::byte>(from), within(limit));
}

cl::task<void> splices(ur::io_loop* io, int from, int to) {
  co_await ur::splice(*io, from, ur::current_position, to, ur::current_position, 100);
}

cl::task<std::error_code> receives_nothrow(ur::io_loop* io, int fd, std::chrono::nanoseconds limit = ur::no_timeout) {
  std::array<std::byte, 16> into{};
  auto [failure, count] = co_await ur::recv(*io, fd, std::span(into), within(limit)).nothrow();
  co_return failure;
}

cl::task<int> counts_cancellations(ur::io_loop* io, int fd, int rounds) {
  int cancelled = 0;
  for (int i = 0; i < rounds; ++i) {
    try {
      co_await receives(io, fd);
    } catch (const cl::cancelled&) {
      ++cancelled;
    }
  }
  co_return cancelled;
}

template <class T>
std::error_code code_of(cl::task<T> work) {
  try {
    (void)cl::sync_wait(std::move(work));
  } catch (const std::system_error& failure) {
    return failure.code();
  }
  return {};
}

cl::task<void> notes_its_end(cl::task<std::size_t> work, std::atomic<int>* cancelled) {
  try {
    co_await std::move(work);
  } catch (const cl::cancelled&) {
    ++*cancelled;
  }
}

cl::task<std::size_t> first_of(ur::io_loop* io, int one, int other) {
  auto first = co_await cl::when_any(receives(io, one), receives(io, other));
  co_return first.index;
}

}  // namespace

TEST_CASE("an operation that takes longer than its timeout fails with timed_out") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  two_ends pipe = pipe_ends();
  cl::unique_fd listener = ur::listening_socket(ur::socket_address::of_ip("127.0.0.1", 0));
  REQUIRE(code_of(receives(&io.loop(), pair.a.get(), 2ms)) == std::errc::timed_out);
  REQUIRE(code_of(receives_16(&io.loop(), pair.a.get(), 2ms)) == std::errc::timed_out);
  REQUIRE(code_of(receives(&io.loop(), pair.a.get(), 0ms)) == std::errc::timed_out);
  REQUIRE(code_of(receives(&io.loop(), pair.a.get(), -1h)) == std::errc::timed_out);
  REQUIRE(code_of(reads(&io.loop(), pipe.a.get(), 2ms)) == std::errc::timed_out);
  REQUIRE(code_of(accepts(&io.loop(), listener.get(), 2ms)) == std::errc::timed_out);
  REQUIRE(code_of(sends(&io.loop(), pair.a.get(), 50'000'000, 20ms)) == std::errc::timed_out);
  REQUIRE(cl::sync_wait(receives_nothrow(&io.loop(), pair.a.get(), 2ms)) == std::errc::timed_out);
}

TEST_CASE("a timeout that is not reached changes nothing") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  for (int i = 0; i < 200; ++i) {
    REQUIRE(::send(pair.b.get(), "x", 1, 0) == 1);
    REQUIRE(cl::sync_wait(receives(&io.loop(), pair.a.get(), 1h)) == 1);
  }
  auto later = cl::start(io.loop(), receives_16(&io.loop(), pair.a.get(), 1h));
  for (int i = 0; i < 16; ++i) REQUIRE(::send(pair.b.get(), "x", 1, 0) == 1);
  REQUIRE(later.get() == 16);
  REQUIRE_FALSE(cl::sync_wait(receives_nothrow(&io.loop(), pair.a.get(), 1ms)) == std::error_code());
}

TEST_CASE("a stop request cancels an operation") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  two_ends pipe = pipe_ends();
  two_ends pipe2 = pipe_ends();
  cl::unique_fd listener = ur::listening_socket(ur::socket_address::of_ip("127.0.0.1", 0));
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  SECTION("before it begins") {
    stop.request_stop();
    REQUIRE_THROWS_AS(cl::sync_wait(receives(&io.loop(), pair.a.get()), token), cl::cancelled);
    REQUIRE(cl::sync_wait(receives_nothrow(&io.loop(), pair.a.get()), token) == std::errc::operation_canceled);
    REQUIRE(cl::sync_wait(counts_cancellations(&io.loop(), pair.a.get(), 10'000), token) == 10'000);
  }
  SECTION("that has begun, of a task at home on the loop") {
    std::vector<cl::future<std::size_t>> all;
    all.push_back(cl::start(io.loop(), receives(&io.loop(), pair.a.get()), token));
    all.push_back(cl::start(io.loop(), receives_16(&io.loop(), pair.b.get()), token));
    all.push_back(cl::start(io.loop(), reads(&io.loop(), pipe.a.get()), token));
    all.push_back(cl::start(io.loop(), receives(&io.loop(), pair.a.get(), 1h), token));
    auto accepting = cl::start(io.loop(), accepts(&io.loop(), listener.get()), token);
    auto splicing = cl::start(io.loop(), splices(&io.loop(), pipe.a.get(), pipe2.b.get()), token);
    for (auto& each : all) REQUIRE_FALSE(each.wait_for(2ms));
    stop.request_stop();
    for (auto& each : all) REQUIRE_THROWS_AS(each.get(), cl::cancelled);
    REQUIRE_THROWS_AS(accepting.get(), cl::cancelled);
    REQUIRE_THROWS_AS(splicing.get(), cl::cancelled);
  }
  SECTION("that has begun, of a task that is at home elsewhere") {
    std::thread stopper([&] {
      std::this_thread::sleep_for(3ms);
      stop.request_stop();
    });
    REQUIRE_THROWS_AS(cl::sync_wait(receives(&io.loop(), pair.a.get()), token), cl::cancelled);
    stopper.join();
  }
  SECTION("of a send that has moved a part") {
    auto sending = cl::start(io.loop(), sends(&io.loop(), pair.a.get(), 50'000'000), token);
    REQUIRE_FALSE(sending.wait_for(10ms));
    stop.request_stop();
    REQUIRE_THROWS_AS(sending.get(), cl::cancelled);
  }
  // What was cancelled took nothing of what comes later.
  if (std::array<char, 1> left{}; ::recv(pair.b.get(), left.data(), 1, MSG_DONTWAIT | MSG_PEEK) < 0) {
    REQUIRE(::send(pair.b.get(), "x", 1, 0) == 1);
    REQUIRE(cl::sync_wait(receives(&io.loop(), pair.a.get())) == 1);
  }
}

TEST_CASE("the first of two ends the other") {
  ur::io_thread io;
  two_ends one = socket_pair(), other = socket_pair();
  for (int i = 0; i < 200; ++i) {
    const bool second = i % 2 == 1;
    REQUIRE(::send((second ? other : one).b.get(), "x", 1, 0) == 1);
    const std::size_t won = i % 3 == 0 ? cl::sync_wait(first_of(&io.loop(), one.a.get(), other.a.get()))
                                       : cl::start(io.loop(), first_of(&io.loop(), one.a.get(), other.a.get())).get();
    REQUIRE(won == (second ? 1 : 0));
  }
}

TEST_CASE("a stop request and a completion at the same time resume once, and lose no byte") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  int ended = 0, sent = 0;
  std::size_t got = 0;
  for (int i = 0; i < 600; ++i) {
    std::stop_source stop;
    const bool at_home = i % 2 == 0;
    auto work = at_home ? cl::start(io.loop(), receives(&io.loop(), pair.a.get()), stop.get_token())
                        : cl::start(cl::background_loop(), receives(&io.loop(), pair.a.get()), stop.get_token());
    std::thread stopper([&] { stop.request_stop(); });
    if (i % 3 != 0) sent += static_cast<int>(::send(pair.b.get(), "x", 1, 0));
    try {  // which of the two is first is not ours to say
      got += work.get();
    } catch (const cl::cancelled&) {
    }
    ++ended;
    stopper.join();
  }
  REQUIRE(ended == 600);
  for (std::array<char, 64> rest{};;) {
    const ssize_t left = ::recv(pair.a.get(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (left <= 0) break;
    got += static_cast<std::size_t>(left);
  }
  REQUIRE(got == static_cast<std::size_t>(sent));
}

TEST_CASE("a timeout and a stop request and a completion at the same time resume once") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  int values = 0, timeouts = 0, stops = 0;
  for (int i = 0; i < 400; ++i) {
    std::stop_source stop;
    auto work = cl::start(io.loop(), receives(&io.loop(), pair.a.get(), 100us), stop.get_token());
    std::thread stopper([&] {
      std::this_thread::sleep_for(60us);
      stop.request_stop();
    });
    if (i % 2 == 0) ::send(pair.b.get(), "x", 1, 0);
    try {
      values += work.get() > 0 ? 1 : 0;
    } catch (const cl::cancelled&) {
      ++stops;
    } catch (const std::system_error& failure) {
      timeouts += failure.code() == std::errc::timed_out ? 1 : 0;
    }
    stopper.join();
  }
  REQUIRE(values + timeouts + stops == 400);
}

TEST_CASE("an io_thread that ends cancels what is under way, wherever those who wait are at home") {
  std::atomic<int> cancelled = 0;
  std::vector<two_ends> pairs;
  std::vector<cl::future<void>> waiting;
  {
    ur::io_thread io;
    for (int i = 0; i < 50; ++i) {
      pairs.push_back(socket_pair());
      auto work =
          i % 2 == 0 ? receives(&io.loop(), pairs.back().a.get()) : receives(&io.loop(), pairs.back().a.get(), 1h);
      cl::loop& home = i % 3 == 0 ? cl::background_loop() : io.loop();
      waiting.push_back(cl::start(home, notes_its_end(std::move(work), &cancelled)));
    }
    // Until the last of each kind has surely begun.
    std::this_thread::sleep_for(5ms);
  }
  for (auto& each : waiting) each.get();
  REQUIRE(cancelled == 50);
}

TEST_CASE("an io_thread that ends lets nothing new begin") {
  two_ends pair = socket_pair();
  int cancelled = 0;
  cl::future<int> all;
  {
    ur::io_thread io;
    all = cl::start(io.loop(), counts_cancellations(&io.loop(), pair.a.get(), 1000));
  }
  cancelled = all.get();
  REQUIRE(cancelled == 1000);
}
