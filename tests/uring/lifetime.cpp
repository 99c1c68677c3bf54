// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/files.hpp>
#include <corolith/uring/io_loop.hpp>
#include <corolith/uring/io_thread.hpp>
#include <corolith/uring/network.hpp>

#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace cl = corolith;
namespace ur = corolith::uring;
using namespace uring_test;

namespace {

// A coroutine whose frame its owner may destroy at any time, with a home and a stop token like a task.
class owned {
 public:
  struct promise_type : cl::coro_context {
    owned get_return_object() { return owned(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { failed = std::current_exception(); }
    std::exception_ptr failed;
  };

  owned(owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  owned& operator=(owned&&) = delete;
  ~owned() {
    if (handle_) handle_.destroy();
  }
  void begin(cl::loop& home, std::stop_token stop = {}) {
    handle_.promise().home = &home;
    handle_.promise().stop = std::move(stop);
    handle_.resume();
  }
  bool done() const { return handle_.done(); }

 private:
  explicit owned(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

struct mark {
  int* destroyed;
  explicit mark(int* counter) : destroyed(counter) {}
  mark(const mark&) = delete;
  mark& operator=(const mark&) = delete;
  ~mark() { ++*destroyed; }
};

owned receives(ur::io_loop* io, int fd, int* destroyed, int* got) {
  mark here(destroyed);
  std::vector<std::byte> into(1000);  // freed with the frame: a kernel that still wrote to it would be caught
  *got = static_cast<int>(co_await ur::recv(*io, fd, std::span(into)));
}

owned accepts(ur::io_loop* io, int fd) { cl::unique_fd peer = co_await ur::accept(*io, fd); }

owned opens(ur::io_loop* io, std::string path) {
  cl::unique_fd file = co_await ur::openat(*io, AT_FDCWD, path, O_RDONLY);
}

struct job : cl::loop::work {
  explicit job(std::function<void()> given) : action(std::move(given)) {
    run = [](cl::loop::work* item) noexcept { static_cast<job*>(item)->action(); };
  }
  std::function<void()> action;
};

// Runs `steps` on the loop, each in a turn of its own.
void in_turns(ur::io_loop& loop, const std::vector<std::function<void()>>& steps) {
  std::size_t at = 0;
  std::optional<job> next;
  next.emplace([&] {
    if (at < steps.size()) steps[at]();
    if (++at > steps.size()) {
      loop.stop();
    } else {
      loop.post(*next);
    }
  });
  loop.post(*next);
  loop.run();
}

}  // namespace

TEST_CASE("a coroutine may be destroyed while its operation is under way") {
  int destroyed = 0, got = -1;
  two_ends pair = socket_pair();
  ur::io_loop loop;
  std::optional<owned> waits;
  waits.emplace(receives(&loop, pair.a.get(), &destroyed, &got));
  std::stop_source stop;
  SECTION("that was submitted in an earlier turn") {
    in_turns(loop, {[&] { waits->begin(loop, stop.get_token()); }, [] {}, [&] { waits.reset(); }});
  }
  SECTION("that was submitted just now") {
    in_turns(loop, {[&] {
               waits->begin(loop, stop.get_token());
               waits.reset();
             }});
  }
  SECTION("whose stop request is on its way") {
    in_turns(loop, {[&] { waits->begin(loop, stop.get_token()); },
                    [&] {
                      stop.request_stop();
                      waits.reset();
                    }});
  }
  SECTION("that was only posted to a loop that never ran") {
    waits->begin(loop, stop.get_token());
    waits.reset();
  }
  SECTION("after the loop has stopped") {
    in_turns(loop, {[&] { waits->begin(loop, stop.get_token()); }, [] {}});
    waits.reset();
  }
  REQUIRE(destroyed == 1);
  REQUIRE(got == -1);
  // What comes now is for others.
  REQUIRE(::send(pair.b.get(), "x", 1, 0) == 1);
  std::array<char, 2> into{};
  REQUIRE(::recv(pair.a.get(), into.data(), into.size(), 0) == 1);
}

TEST_CASE("a coroutine may be destroyed by another thread than that of its operation") {
  two_ends pair = socket_pair();
  int destroyed = 0, got = -1;
  cl::run_loop home;
  for (int i = 0; i < 100; ++i) {
    ur::io_thread io;
    owned waits = receives(&io.loop(), pair.a.get(), &destroyed, &got);
    waits.begin(home);
  }
  REQUIRE(destroyed == 100);
  REQUIRE(got == -1);
}

TEST_CASE("what an operation opened for a destroyed coroutine is closed") {
  temporary_folder folder;
  const std::size_t before = open_descriptors();
  {
    ur::io_loop loop;
    cl::unique_fd listener = ur::listening_socket(ur::socket_address::of_path(folder / "socket"));
    cl::unique_fd client = ur::stream_socket(ur::socket_address::of_path(folder / "socket"));
    const auto at = ur::socket_address::of_path(folder / "socket");
    REQUIRE(::connect(client.get(), at.data(), at.size()) == 0);
    std::optional<owned> accepting, opening;
    accepting.emplace(accepts(&loop, listener.get()));
    opening.emplace(opens(&loop, "/dev/null"));
    in_turns(loop, {[&] {
               accepting->begin(loop);
               opening->begin(loop);
               accepting.reset();
               opening.reset();
             }});
  }
  REQUIRE(open_descriptors() == before);
}

TEST_CASE("a loop may be destroyed with operations under way") {
  int destroyed = 0, got = -1;
  two_ends pair = socket_pair();
  auto loop = std::make_unique<ur::io_loop>();
  owned waits = receives(loop.get(), pair.a.get(), &destroyed, &got);
  in_turns(*loop, {[&] { waits.begin(*loop); }, [] {}});
  loop.reset();
  REQUIRE_FALSE(waits.done());
  REQUIRE(destroyed == 0);
  REQUIRE(got == -1);
}
