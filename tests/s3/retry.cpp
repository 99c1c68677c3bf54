// SPDX-License-Identifier: Apache-2.0
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/retry.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

using namespace corolith::s3;
using namespace std::chrono_literals;

TEST_CASE("what may pass is tried again, what will not is not") {
  REQUIRE(retryable(0, "") == retry_reason::transient);
  REQUIRE(retryable(500, "InternalError") == retry_reason::transient);
  REQUIRE(retryable(200, "InternalError") == retry_reason::transient);  // of a copy or a completion
  REQUIRE(retryable(502, "") == retry_reason::transient);
  REQUIRE(retryable(503, "ServiceUnavailable") == retry_reason::transient);
  REQUIRE(retryable(400, "RequestTimeout") == retry_reason::transient);
  REQUIRE(retryable(400, "BadDigest") == retry_reason::transient);
  REQUIRE(retryable(503, "SlowDown") == retry_reason::throttled);
  REQUIRE(retryable(429, "") == retry_reason::throttled);
  for (const int status : {200, 301, 304, 400, 403, 404, 405, 409, 411, 412, 416, 501})
    REQUIRE(retryable(status, "") == retry_reason::none);
  REQUIRE(retryable(403, "SignatureDoesNotMatch") == retry_reason::none);
  REQUIRE(retryable(404, "NoSuchKey") == retry_reason::none);
}

TEST_CASE("a budget ends the retries of an outage and recovers after it") {
  retry_budget budget(25);
  REQUIRE(budget.take(retry_reason::transient) == 10u);
  REQUIRE(budget.take(retry_reason::throttled) == 5u);
  REQUIRE(budget.take(retry_reason::transient) == 10u);
  REQUIRE(budget.left() == 0);
  REQUIRE_FALSE(budget.take(retry_reason::throttled));
  budget.give_back(10);
  REQUIRE(budget.left() == 10);
  budget.give_back(0);
  REQUIRE(budget.left() == 11);
  for (int i = 0; i < 100; ++i) budget.give_back(10);
  REQUIRE(budget.left() == 25);
  retry_budget none(0);
  for (int i = 0; i < 1000; ++i) REQUIRE(none.take(retry_reason::transient) == 0u);
  none.give_back(0);
}

TEST_CASE("a budget is shared by threads") {
  retry_budget budget(1000);
  std::vector<std::jthread> threads;
  std::vector<int> got(4);
  for (std::size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      while (budget.take(retry_reason::transient)) ++got[i];
    });
  threads.clear();
  REQUIRE(got[0] + got[1] + got[2] + got[3] == 100);
  REQUIRE(budget.left() == 0);
}

TEST_CASE("pauses are random between the base and three times the one before") {
  retry_options options;
  options.base = 50ms;
  options.cap = 2s;
  std::set<std::chrono::milliseconds> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    backoff pauses(options, seed);
    std::chrono::milliseconds previous = options.base;
    for (int attempt = 0; attempt < 12; ++attempt) {
      const auto pause = pauses.next();
      REQUIRE(pause >= options.base);
      REQUIRE(pause <= std::min<std::chrono::milliseconds>(options.cap, 3 * previous));
      previous = pause;
      seen.insert(pause);
    }
  }
  REQUIRE(seen.size() > 100);
  REQUIRE(*seen.rbegin() > 1s);
}

TEST_CASE("a pause is as long as the server asks, within reason") {
  retry_options options;
  options.cap = 100ms;
  backoff pauses(options, 1);
  REQUIRE(pauses.next(3s) == 3s);
  REQUIRE(pauses.next(10h) == 1min);
  REQUIRE(pauses.next(0s) <= 100ms);
  options.base = 5s;  // more than the cap
  backoff odd(options, 1);
  REQUIRE(odd.next() == 100ms);
  options.base = -5ms;
  backoff odder(options, 1);
  REQUIRE(odder.next() >= 0ms);
}

TEST_CASE("Retry-After is a number of seconds or a date") {
  const auto now = *detail::parse_http_date("Fri, 24 May 2013 00:00:00 GMT");
  REQUIRE(parse_retry_after("120", now) == 120s);
  REQUIRE(parse_retry_after("0", now) == 0s);
  REQUIRE(parse_retry_after("Fri, 24 May 2013 00:01:00 GMT", now) == 60s);
  REQUIRE(parse_retry_after("Thu, 23 May 2013 00:00:00 GMT", now) == 0s);
  for (const char* bad : {"", "soon", "-1", "1.5", "99999999999999999999"}) REQUIRE_FALSE(parse_retry_after(bad, now));
}
