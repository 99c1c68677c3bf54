// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
namespace s3 = corolith::s3;
using namespace std::chrono_literals;
using namespace s3_test;
using s3::detail::connection_pool;
using s3::detail::exchange;
using s3::detail::origin;
using s3::detail::pool_counters;

namespace {

cl::task<pool_counters> counters(connection_pool* pool) { co_return pool->counters(); }

cl::task<void> closes_idle(connection_pool* pool) {
  pool->close_idle();
  co_return;
}

cl::task<void> all_at_once(connection_pool* pool, origin to, int count, std::vector<std::string>* bodies) {
  std::vector<cl::task<answer>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(ask(pool, to, request("GET", "/" + std::to_string(i))));
  for (answer& each : co_await cl::when_all(std::move(tasks))) bodies->push_back(std::move(each.body));
}

void echo_targets(peer& client, int) {
  for (;;) {
    const std::string head = client.head();
    const std::size_t from = head.find(' ') + 1;
    client.answer(head.substr(from, head.find(' ', from) - from));
  }
}

}  // namespace

TEST_CASE("a pool makes no more connections than it may", "[s3]") {
  std::atomic<int> now{0}, most{0};
  scripted_server server([&](peer& client, int) {
    for (;;) {
      const std::string head = client.head();
      int seen = ++now;
      int before = most;
      while (before < seen && !most.compare_exchange_weak(before, seen)) {
      }
      std::this_thread::sleep_for(1ms);
      --now;
      const std::size_t from = head.find(' ') + 1;
      client.answer(head.substr(from, head.find(' ', from) - from));
    }
  });
  s3::transport_options options;
  options.most_connections = 3;
  pool_on_thread here(options);
  std::vector<std::string> bodies;
  here.run(all_at_once(&here.pool, plain(server), 30, &bodies));
  for (int i = 0; i < 30; ++i) CHECK(bodies[static_cast<std::size_t>(i)] == "/" + std::to_string(i));
  CHECK(server.connections() <= 3);
  CHECK(most <= 3);
  const pool_counters seen = here.run(counters(&here.pool));
  CHECK(seen.opened == static_cast<std::uint64_t>(server.connections()));
  CHECK(seen.reused == 30 - seen.opened);
  CHECK(seen.idle == seen.open);
}

TEST_CASE("idle connections give way to those of another host", "[s3]") {
  scripted_server one(echo_targets), two(echo_targets);
  s3::transport_options options;
  options.most_connections = 2;
  pool_on_thread here(options);
  std::vector<std::string> bodies;
  here.run(all_at_once(&here.pool, plain(one), 2, &bodies));
  here.run(all_at_once(&here.pool, plain(two), 2, &bodies));
  CHECK(here.run(counters(&here.pool)).open <= 2);
  CHECK(here.run(ask(&here.pool, plain(two), request("GET"))).reused);
}

TEST_CASE("a connection that the server closed meanwhile is not used again", "[s3]") {
  std::atomic<bool> closed{false};
  scripted_server server([&](peer& client, int) {
    client.head();
    client.answer("");
    client.close();
    closed = true;
  });
  pool_on_thread here;
  here.run(ask(&here.pool, plain(server), request("GET")));
  while (!closed) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(10ms);
  CHECK_FALSE(here.run(ask(&here.pool, plain(server), request("GET"))).reused);
  CHECK(server.connections() == 2);
}

TEST_CASE("a connection that ends under a request says that nothing was received", "[s3]") {
  const bool resets = GENERATE(false, true);
  scripted_server server([&](peer& client, int) {
    client.head();
    client.answer("");
    client.head();
    resets ? client.reset() : client.close();
  });
  pool_on_thread here;
  here.run(ask(&here.pool, plain(server), request("GET")));
  try {
    here.run(ask(&here.pool, plain(server), request("GET")));
    FAIL("there was an answer");
  } catch (const s3::transport_error& problem) {
    CHECK(problem.code() == cl::errc::unreachable);
    CHECK(problem.nothing_received());
  }
  CHECK(here.run(counters(&here.pool)).open == 0);
}

TEST_CASE("a connection that nobody uses is closed after a while", "[s3]") {
  std::atomic<int> ended{0};
  scripted_server server([&](peer& client, int) {
    client.head();
    client.answer("");
    client.rest();
    ++ended;
  });
  s3::transport_options options;
  options.keep_alive = 30ms;
  pool_on_thread here(options);
  here.run(ask(&here.pool, plain(server), request("GET")));
  while (ended == 0) std::this_thread::sleep_for(1ms);
  CHECK(here.run(counters(&here.pool)).open == 0);
}

TEST_CASE("idle connections are closed when asked", "[s3]") {
  scripted_server server(echo_targets);
  pool_on_thread here;
  here.run(ask(&here.pool, plain(server), request("GET")));
  CHECK(here.run(counters(&here.pool)).idle == 1);
  here.run(closes_idle(&here.pool));
  CHECK(here.run(counters(&here.pool)).open == 0);
  CHECK_FALSE(here.run(ask(&here.pool, plain(server), request("GET"))).reused);
}

TEST_CASE("who waits for a connection can be stopped", "[s3]") {
  std::atomic<int> heads{0};
  scripted_server server([&](peer& client, int) {
    client.head();
    ++heads;
    client.rest();
  });
  s3::transport_options options;
  options.most_connections = 1;
  pool_on_thread here(options);
  std::stop_source first_stop, second_stop;
  auto first = cl::start(here.io.loop(), ask(&here.pool, plain(server), request("GET")), first_stop.get_token());
  while (heads == 0) std::this_thread::sleep_for(1ms);
  auto second = cl::start(here.io.loop(), ask(&here.pool, plain(server), request("GET")), second_stop.get_token());
  second_stop.request_stop();
  CHECK_THROWS_AS(second.get(), cl::cancelled);
  CHECK_FALSE(first.ready());
  first_stop.request_stop();
  CHECK_THROWS_AS(first.get(), cl::cancelled);
  CHECK(server.connections() == 1);
}

TEST_CASE("an exchange outlives its pool", "[s3]") {
  scripted_server server(echo_targets);
  cl::uring::io_thread io;
  const auto outlives = [](cl::uring::io_loop* loop, origin to) -> cl::task<std::string> {
    auto pool = std::make_unique<connection_pool>(*loop, s3::transport_options());
    exchange with = co_await pool->open(to);
    pool.reset();
    co_await with.send(request("GET", "/still"));
    const s3::detail::http_response head = co_await with.receive_head();
    CHECK(head.status == 200);
    co_return co_await with.receive_text(100);
  };
  CHECK(cl::sync_wait(cl::run_on(io.loop(), outlives(&io.loop(), plain(server)))) == "/still");
}

TEST_CASE("nobody listens there", "[s3]") {
  std::uint16_t port = 0;
  {
    scripted_server gone(echo_targets);
    port = gone.port();
  }
  pool_on_thread here;
  const origin nowhere{false, GENERATE("127.0.0.1", "localhost"), port};
  try {
    here.run(ask(&here.pool, nowhere, request("GET")));
    FAIL("somebody answered");
  } catch (const s3::transport_error& problem) {
    CHECK(problem.code() == cl::errc::unreachable);
    CHECK_THAT(problem.what(), Catch::Contains("refused"));
    CHECK_FALSE(problem.nothing_received());
  }
  CHECK(here.run(counters(&here.pool)).open == 0);
}

TEST_CASE("a name is resolved, and each of its addresses tried", "[s3]") {
  scripted_server server(echo_targets);  // on 127.0.0.1 only, while localhost may be ::1 as well
  pool_on_thread here;
  for (int i = 0; i < 4; ++i) {
    here.run(closes_idle(&here.pool));
    CHECK(here.run(ask(&here.pool, plain(server, "localhost"), request("GET", "/x"))).body == "/x");
  }
  const origin nowhere{false, "no-such-host.invalid", 80};
  try {
    here.run(ask(&here.pool, nowhere, request("GET")));
    FAIL("somebody answered");
  } catch (const s3::transport_error& problem) {
    CHECK(problem.code() == cl::errc::unreachable);
    CHECK_THAT(problem.what(), Catch::Contains("no-such-host.invalid"));
  }
}
