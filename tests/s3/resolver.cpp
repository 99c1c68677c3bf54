// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/when_all.hpp>
#include <corolith/s3/detail/resolver.hpp>
#include <corolith/s3/transport_error.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;
namespace s3 = corolith::s3;
using namespace std::chrono_literals;
using cl::uring::socket_address;
using s3::detail::resolver;

namespace {

std::atomic<int> lookups{0};

resolver::addresses three(const std::string&, std::uint16_t port) {
  ++lookups;
  std::this_thread::sleep_for(5ms);
  return {socket_address::of_ip("10.0.0.1", port), socket_address::of_ip("10.0.0.2", port),
          socket_address::of_ip("::1", port)};
}

resolver::addresses once_only(const std::string& host, std::uint16_t port) {
  if (host == "unknown" || lookups > 0) throw std::runtime_error("nobody knows it");
  return three(host, port);
}

resolver::addresses slow(const std::string& host, std::uint16_t port) {
  std::this_thread::sleep_for(50ms);
  return three(host, port);
}

std::vector<std::string> texts(const resolver::addresses& all) {
  std::vector<std::string> made;
  for (const socket_address& each : all) made.push_back(each.to_string());
  return made;
}

cl::task<std::vector<std::string>> asks(resolver* names, std::string host) {
  const resolver::addresses all = co_await names->resolve(host, 80);
  co_return texts(all);
}

cl::task<void> asks_many(resolver* names) {
  std::vector<cl::task<std::vector<std::string>>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(asks(names, "host"));
  const std::vector<std::vector<std::string>> all = co_await cl::when_all(std::move(tasks));
  std::set<std::string> firsts;
  for (const auto& each : all) {
    CHECK(std::set<std::string>(each.begin(), each.end()) ==
          std::set<std::string>{"10.0.0.1:80", "10.0.0.2:80", "[::1]:80"});
    firsts.insert(each.front());
  }
  CHECK(firsts.size() == 3);
}

}  // namespace

TEST_CASE("a name is looked up once for all who wait, and its addresses take turns", "[s3]") {
  lookups = 0;
  resolver names(&three, 1h);
  cl::sync_wait(asks_many(&names));
  cl::sync_wait(asks_many(&names));
  CHECK(lookups == 1);
}

TEST_CASE("numbers are not looked up", "[s3]") {
  lookups = 0;
  resolver names(&three, 1h);
  CHECK(cl::sync_wait(asks(&names, "192.0.2.7")) == std::vector<std::string>{"192.0.2.7:80"});
  CHECK(cl::sync_wait(asks(&names, "2001:db8::1")) == std::vector<std::string>{"[2001:db8::1]:80"});
  CHECK(lookups == 0);
}

TEST_CASE("an address that failed comes last, and when all have failed the name is looked up again", "[s3]") {
  lookups = 0;
  resolver names(&three, 1h);
  cl::sync_wait(asks(&names, "host"));
  names.failed("host", 80, socket_address::of_ip("10.0.0.2", 80));
  for (int i = 0; i < 5; ++i) CHECK(cl::sync_wait(asks(&names, "host")).back() == "10.0.0.2:80");
  CHECK(lookups == 1);
  names.failed("host", 80, socket_address::of_ip("10.0.0.1", 80));
  names.failed("host", 80, socket_address::of_ip("::1", 80));
  CHECK(cl::sync_wait(asks(&names, "host")).size() == 3);
  CHECK(lookups == 2);
}

TEST_CASE("what was known of a name stays when it cannot be looked up again", "[s3]") {
  lookups = 0;
  resolver names(&once_only, 0s);
  CHECK(cl::sync_wait(asks(&names, "host")).size() == 3);
  CHECK(cl::sync_wait(asks(&names, "host")).size() == 3);
  try {
    cl::sync_wait(asks(&names, "unknown"));
    FAIL("it was found");
  } catch (const s3::transport_error& problem) {
    CHECK(problem.code() == cl::errc::unreachable);
    CHECK_THAT(problem.what(), Catch::Contains("'unknown'") && Catch::Contains("nobody knows it"));
  }
}

TEST_CASE("who waits for a name can be stopped, and the resolver be gone before the answer", "[s3]") {
  lookups = 0;
  {
    resolver names(&slow, 1h);
    std::stop_source stop;
    std::thread stopper([&] {
      std::this_thread::sleep_for(5ms);
      stop.request_stop();
    });
    CHECK_THROWS_AS(cl::sync_wait(asks(&names, "host"), stop.get_token()), cl::cancelled);
    stopper.join();
  }
  while (lookups == 0) std::this_thread::sleep_for(1ms);  // its thread is still there
}
