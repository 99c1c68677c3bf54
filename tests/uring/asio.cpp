// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <corolith/coro/asio.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/io_thread.hpp>
#include <corolith/uring/network.hpp>

#include <catch2/catch.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <string>
#include <thread>
#include <utility>

namespace cl = corolith;
namespace ur = corolith::uring;
using namespace uring_test;

namespace {

cl::task<std::string> echoes(ur::io_loop* io, asio::any_io_executor on, int a, int b, std::thread::id* resumed_on) {
  std::string text = "over a ring";
  co_await ur::send_all(*io, a, bytes_of(text));
  asio::steady_timer timer(on, std::chrono::milliseconds(1));
  co_await timer.async_wait(cl::use_task);
  std::string back(text.size(), '\0');
  co_await ur::recv_all(*io, b, room_in(back));
  *resumed_on = std::this_thread::get_id();
  co_return back;
}

asio::awaitable<std::string> an_asio_coroutine(ur::io_loop* io, int a, int b, std::thread::id* resumed_on) {
  asio::any_io_executor on = co_await asio::this_coro::executor;
  std::string said = co_await cl::co_spawn_task(on, echoes(io, on, a, b, resumed_on), asio::use_awaitable);
  co_return said + ", awaited by Asio";
}

}  // namespace

TEST_CASE("a task on an Asio loop awaits operations, and resumes there") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  asio::io_context context;
  std::thread::id resumed_on;
  std::string said;
  std::exception_ptr failed;
  cl::co_spawn_task(context.get_executor(),
                    echoes(&io.loop(), context.get_executor(), pair.a.get(), pair.b.get(), &resumed_on),
                    [&](std::exception_ptr error, std::string text) {
                      failed = error;
                      said = std::move(text);
                    });
  context.run();
  REQUIRE_FALSE(failed);
  REQUIRE(said == "over a ring");
  REQUIRE(resumed_on == std::this_thread::get_id());
}

TEST_CASE("so does one that an Asio coroutine awaits") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  asio::io_context context;
  std::thread::id resumed_on;
  auto said =
      asio::co_spawn(context, an_asio_coroutine(&io.loop(), pair.a.get(), pair.b.get(), &resumed_on), asio::use_future);
  context.run();
  REQUIRE(said.get() == "over a ring, awaited by Asio");
  REQUIRE(resumed_on == std::this_thread::get_id());
}
