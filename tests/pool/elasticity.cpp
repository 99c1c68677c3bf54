// SPDX-License-Identifier: Apache-2.0
#include <corolith/pool/elasticity.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <vector>

using namespace corolith::pool;
using namespace std::chrono_literals;

namespace {

/// A cluster in virtual time: jobs come up after a while and do the work that there is.
struct cluster {
  elasticity policy;
  std::chrono::nanoseconds startup = 10s;
  std::uint64_t slots_of_node = 4;
  double work = 0;  // slot-seconds
  double mean = 1;  // seconds a call

  elasticity::time_point now{};
  std::uint64_t last = 0;
  struct running {
    elasticity::time_point started{};
    elasticity::time_point used{};
    bool up = false;
  };
  std::map<std::uint64_t, running> jobs{};
  int starts = 0, stops = 0;
  std::size_t most = 0;

  explicit cluster(elastic_settings settings) : policy(settings) {}

  std::uint32_t per_job() const { return policy.settings().nodes_per_job; }
  std::uint64_t slots() const {
    std::uint64_t sum = 0;
    for (const auto& [id, each] : jobs) sum += each.up ? slots_of_node * per_job() : 0;
    return sum;
  }
  std::uint64_t wanted() const { return static_cast<std::uint64_t>(work / mean + 0.999); }

  void step(std::chrono::nanoseconds by = 100ms) {
    now += by;
    std::vector<elastic_job> seen;
    std::uint64_t left = wanted();
    for (auto& [id, each] : jobs) {
      if (!each.up && now - each.started >= startup) {
        each.up = true;
        each.used = now;
        policy.started_within(startup);
      }
      const bool used = each.up ? left != 0 : wanted() != 0;
      if (each.up) left -= std::min(left, slots_of_node * per_job());
      if (used) each.used = now;
      seen.push_back({id, per_job(), each.up ? slots_of_node * per_job() : 0, each.up, false, now - each.used});
    }
    const elastic_plan plan = policy.decide({wanted(), work}, seen, now);
    for (std::uint32_t i = 0; i < plan.start; ++i) jobs[++last] = {now, now, false};
    for (const std::uint64_t id : plan.stop) REQUIRE(jobs.erase(id) == 1);
    starts += static_cast<int>(plan.start);
    stops += static_cast<int>(plan.stop.size());
    most = std::max(most, jobs.size());
    const double busy = static_cast<double>(std::min(slots(), wanted()));
    if (work < 1e-3 * mean) work = 0;  // of that nobody would make a call
    work = std::max(0.0, work - busy * std::chrono::duration<double>(by).count());
    const std::size_t nodes = jobs.size() * per_job();
    if (plan.start != 0 && nodes > policy.settings().max_nodes) FAIL(nodes << " nodes are too many");
  }
  void run(std::chrono::nanoseconds time) {
    for (const auto end = now + time; now < end;) step();
  }
  void run_until(const std::function<bool()>& reached) {
    for (int i = 0; i < 1'000'000 && !reached(); ++i) step();
    REQUIRE(reached());
  }
};

elastic_settings from_to(std::uint32_t least, std::uint32_t most, std::chrono::nanoseconds idle = 30s) {
  elastic_settings settings;
  settings.min_nodes = least;
  settings.max_nodes = most;
  settings.idle = idle;
  return settings;
}

}  // namespace

TEST_CASE("without work a pool has its least number of nodes") {
  cluster none(from_to(0, 8));
  none.run(10min);
  CHECK(none.starts == 0);
  cluster two(from_to(2, 8));
  two.run(10min);
  CHECK(two.jobs.size() == 2);
  CHECK(two.starts == 2);
}

TEST_CASE("a pool without nodes gets one for any work, and gives it back") {
  cluster pool(from_to(0, 8));
  pool.work = 1;
  pool.run(1s);
  CHECK(pool.jobs.size() == 1);
  pool.run(10min);
  CHECK(pool.jobs.empty());
  CHECK(pool.starts == 1);
  CHECK(pool.stops == 1);
}

TEST_CASE("much work grows it step by step to the most, and back to nothing without thrash") {
  cluster pool(from_to(0, 8));
  pool.work = 32.0 * 600;  // ten minutes for all
  pool.run_until([&] { return pool.slots() == 32; });
  CHECK(pool.starts == 8);
  pool.run_until([&] { return pool.work == 0; });
  CHECK(pool.starts == 8);
  CHECK(pool.stops == 0);
  pool.run(10min);
  CHECK(pool.jobs.empty());
  CHECK(pool.starts == 8);
  CHECK(pool.stops == 8);
}

TEST_CASE("work that would be done before new nodes come starts none") {
  cluster pool(from_to(1, 8));
  pool.run(1min);
  pool.work = 4.0 * 15;  // 15 s for the node that there is; another one takes 10 s to come
  pool.mean = 0.1;
  pool.run(5min);
  CHECK(pool.starts == 1);
}

TEST_CASE("no more jobs are started than the work is for") {
  cluster pool(from_to(1, 100));
  pool.run(1min);
  pool.work = 4.0 * 60;  // a minute for one node: three do it in twice the time that they take to come
  pool.mean = 0.1;
  pool.run(5min);
  CHECK(pool.most <= 3);
  CHECK(pool.most >= 2);
}

TEST_CASE("few long calls start as many nodes as they can use") {
  cluster pool(from_to(1, 100));
  pool.run(1min);
  pool.mean = 36000;
  pool.work = 9.0 * 36000;  // nine calls: three nodes of four slots
  pool.run(10min);
  CHECK(pool.jobs.size() == 3);
}

TEST_CASE("short pauses between maps do not make nodes come and go") {
  cluster pool(from_to(0, 4, 30s));
  for (int map = 0; map < 20; ++map) {
    pool.work = 16.0 * 60;
    pool.run_until([&] { return pool.work == 0; });
    pool.run(10s);
  }
  CHECK(pool.starts == 4);
  CHECK(pool.stops == 0);
}

TEST_CASE("a job that takes long to come is kept for as long") {
  cluster pool(from_to(0, 4, 1s));
  pool.startup = 5min;
  pool.work = 1;
  pool.run_until([&] { return pool.slots() != 0; });
  pool.run(1min);
  CHECK(pool.jobs.size() == 1);
  pool.run(10min);
  CHECK(pool.jobs.empty());
}

TEST_CASE("a job that nobody waits for any more is taken out of the queue") {
  cluster pool(from_to(0, 4, 20s));
  pool.startup = 24h;
  pool.work = 100;
  pool.run(1min);
  CHECK(pool.jobs.size() == 1);
  pool.work = 0;
  pool.run(1min);
  CHECK(pool.jobs.empty());
}

TEST_CASE("jobs of several nodes stay within the limits") {
  elastic_settings settings = from_to(0, 7);
  settings.nodes_per_job = 3;
  cluster pool(settings);
  pool.work = 1e6;
  pool.run(10min);
  CHECK(pool.jobs.size() == 2);
}

TEST_CASE("new limits are kept, also downwards while there is work") {
  cluster pool(from_to(0, 8));
  pool.work = 1e9;
  pool.run(5min);
  CHECK(pool.jobs.size() == 8);
  pool.policy.limits(2, 2);
  pool.run(1min);
  CHECK(pool.jobs.size() == 2);
  pool.policy.limits(0, 0);
  pool.run(1min);
  CHECK(pool.jobs.empty());
  pool.policy.limits(3, 3);
  pool.run(1min);
  CHECK(pool.jobs.size() == 3);
}

TEST_CASE("a job that ends is replaced before it is gone") {
  elasticity policy(from_to(1, 4));
  const elastic_plan plan = policy.decide({0, 0}, {{7, 1, 4, true, true, 0s}}, elasticity::time_point{} + 1h);
  CHECK(plan.start == 1);
  CHECK(plan.stop.empty());
}

TEST_CASE("random work: within limits, all is done, and in the end nothing is left") {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    cluster pool(from_to(0, static_cast<std::uint32_t>(1 + random() % 9)));
    pool.startup = std::chrono::seconds(1 + random() % 60);
    for (int map = 0; map < 10; ++map) {
      pool.mean = 0.01 * static_cast<double>(1 + random() % 500);
      pool.work += static_cast<double>(random() % 20000);
      pool.run(std::chrono::seconds(random() % 300));
    }
    pool.run_until([&] { return pool.work == 0; });
    pool.run_until([&] { return pool.jobs.empty(); });
    CHECK(pool.starts == pool.stops);
  }
}
