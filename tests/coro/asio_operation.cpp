// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/asio.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/when_all.hpp>
#include <corolith/coro/when_any.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;
using asio::local::stream_protocol;

namespace {

// An io_context with a thread that runs it: the I/O thread, which is not the thread of any task here.
class io_thread {
 public:
  io_thread() : guard_(context_.get_executor()), thread_([this] { context_.run(); }) {}
  ~io_thread() {
    guard_.reset();
    thread_.join();
  }
  asio::any_io_executor executor() { return context_.get_executor(); }

 private:
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::thread thread_;
};

cl::task<std::thread::id> waits(asio::any_io_executor on, std::chrono::nanoseconds duration) {
  asio::steady_timer timer(on, duration);
  co_await timer.async_wait(cl::use_task);
  co_return std::this_thread::get_id();
}

cl::task<std::string> echo_over_tcp(asio::any_io_executor on, std::string text) {
  using asio::ip::tcp;
  tcp::acceptor acceptor(on, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(on);
  co_await client.async_connect(acceptor.local_endpoint(), cl::use_task);
  tcp::socket server = co_await acceptor.async_accept(cl::use_task);
  std::size_t written = co_await asio::async_write(client, asio::buffer(text), cl::use_task);
  std::string read(written, '\0');
  co_await asio::async_read(server, asio::buffer(read), cl::use_task);
  client.close();
  char more;
  auto [failure, count] = co_await server.async_read_some(asio::buffer(&more, 1), cl::use_task_as_tuple);
  co_return read + " " + (failure == asio::error::eof && count == 0 ? "eof" : failure.message());
}

cl::task<void> reads_from_closed(asio::any_io_executor on) {
  stream_protocol::socket closed(on);
  char byte;
  co_await closed.async_read_some(asio::buffer(&byte, 1), cl::use_task);
}

cl::task<std::size_t> reads_forever(std::shared_ptr<stream_protocol::socket> from) {
  std::array<char, 64> bytes;
  std::size_t total = 0;
  for (;;) total += co_await asio::async_read(*from, asio::buffer(bytes), cl::use_task);
  co_return total;
}

cl::task<int> many_posts(asio::any_io_executor on, int count) {
  for (int i = 0; i < count; ++i) co_await asio::post(on, cl::use_task);
  co_return count;
}

asio::awaitable<int> theirs(bool fail) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1us);
  co_await timer.async_wait(asio::use_awaitable);
  if (fail) throw std::range_error("theirs");
  co_return 6;
}
cl::task<int> awaits_theirs(asio::any_io_executor on, bool fail) {
  co_return co_await asio::co_spawn(on, theirs(fail), cl::use_task);
}

template <class... Args>
auto complete_with(std::optional<std::tuple<Args...>> values) {
  return asio::async_initiate<const cl::use_task_t, void(Args...)>(
      [values = std::move(values)](auto handler) mutable {
        if (values) std::apply(std::move(handler), std::move(*values));
      },
      cl::use_task);
}
cl::task<int> awaits_values() {
  int one = co_await complete_with(std::optional(std::tuple(1)));
  auto [two, three] = co_await complete_with(std::optional(std::tuple(std::error_code(), 2, 3)));
  co_await complete_with(std::optional(std::tuple(std::exception_ptr())));
  auto text = co_await complete_with(std::optional(std::tuple(std::error_code(), std::make_unique<int>(4))));
  co_return one + two + three + *text;
}
cl::task<void> awaits_dropped() { co_await complete_with(std::optional<std::tuple<int>>()); }
cl::task<void> awaits_error() {
  co_await complete_with(std::optional(std::tuple(std::make_error_code(std::errc::broken_pipe))));
}

}  // namespace

TEST_CASE("a task awaits a timer and resumes on its own loop") {
  io_thread io;
  REQUIRE(cl::sync_wait(waits(io.executor(), 100us)) == std::this_thread::get_id());
}

TEST_CASE("a task reads and writes sockets") {
  io_thread io;
  REQUIRE(cl::sync_wait(echo_over_tcp(io.executor(), "salve")) == "salve eof");
}

TEST_CASE("the error of an operation is thrown") {
  io_thread io;
  REQUIRE_THROWS_AS(cl::sync_wait(reads_from_closed(io.executor())), std::system_error);
  REQUIRE_THROWS_AS(cl::sync_wait(awaits_error()), std::system_error);
}

TEST_CASE("what a handler gets is what a task gets, also when it is called at once") {
  REQUIRE(cl::sync_wait(awaits_values()) == 10);
}

TEST_CASE("a task resumes when Asio drops its operation") {
  REQUIRE_THROWS_WITH(cl::sync_wait(awaits_dropped()), Catch::Contains("dropped"));
}

TEST_CASE("a task awaits Asio's own coroutines") {
  io_thread io;
  REQUIRE(cl::sync_wait(awaits_theirs(io.executor(), false)) == 6);
  REQUIRE_THROWS_WITH(cl::sync_wait(awaits_theirs(io.executor(), true)), "theirs");
}

TEST_CASE("a stop request cancels a timer") {
  io_thread io;
  std::stop_source source;
  SECTION("before it starts") {
    source.request_stop();
    REQUIRE_THROWS_AS(cl::sync_wait(waits(io.executor(), 1h), source.get_token()), cl::cancelled);
  }
  SECTION("from another thread") {
    std::thread other([source]() mutable { source.request_stop(); });
    REQUIRE_THROWS_AS(cl::sync_wait(waits(io.executor(), 1h), source.get_token()), cl::cancelled);
    other.join();
  }
}

TEST_CASE("a stop request and the end of an operation resume once") {
  io_thread io;
  int ended = 0;
  for (int i = 0; i < 500; ++i) {
    std::stop_source source;
    std::thread other([source]() mutable {
      std::this_thread::sleep_for(20us);
      source.request_stop();
    });
    try {
      cl::sync_wait(waits(io.executor(), 50us), source.get_token());
      ++ended;
    } catch (const cl::cancelled&) {
      ++ended;
    }
    other.join();
  }
  REQUIRE(ended == 500);
}

TEST_CASE("a stop request cancels a composed read, and only that") {
  io_thread io;
  auto ours = std::make_shared<stream_protocol::socket>(io.executor());
  stream_protocol::socket peer(io.executor());
  asio::local::connect_pair(*ours, peer);
  for (int i = 0; i < 50; ++i) {
    auto reading = cl::start(cl::background_loop(), reads_forever(ours));
    std::array<char, 100> some{};  // the first read completes, the second gets a part
    asio::write(peer, asio::buffer(some));
    reading.cancel();
    REQUIRE_THROWS_AS(reading.get(), cl::cancelled);
    REQUIRE(ours->is_open());
    ours->non_blocking(true);
    std::error_code drained;
    std::array<char, 256> rest;
    while (!drained) ours->read_some(asio::buffer(rest), drained);
  }
}

TEST_CASE("when_any stops the slower operation") {
  io_thread io;
  auto first = cl::sync_wait(cl::when_any(waits(io.executor(), 1h), waits(io.executor(), 50us)));
  REQUIRE(first.index == 1);
}

TEST_CASE("many operations in a row do not grow the stack") {
  io_thread io;
  REQUIRE(cl::sync_wait(many_posts(io.executor(), 20'000)) == 20'000);
  std::vector<cl::task<int>> all;
  for (int i = 0; i < 100; ++i) all.push_back(many_posts(io.executor(), 20));
  REQUIRE(cl::sync_wait(cl::when_all(std::move(all))).size() == 100);
}
