// SPDX-License-Identifier: Apache-2.0
#include <corolith/pool/leases.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <random>

using namespace corolith::pool;

namespace {

constexpr std::uint64_t n1 = 1, n2 = 2, a = 11, b = 12, c = 13;

pool_state two_nodes(std::uint32_t slots = 4) {
  pool_state state;
  state.nodes[n1].slots = slots;
  state.nodes[n2].slots = slots;
  return state;
}

driver_state driver(std::uint64_t open, std::uint32_t cpus = 1) {
  driver_state made;
  made.open = open;
  made.cpus = cpus;
  return made;
}

/// Does what the plan says, as a head whose agents end as soon as they may.
struct simulated {
  pool_state state;
  std::uint64_t next = 100;
  int moves = 0;

  void step(bool drained_end = true) {
    const lease_plan plan = plan_leases(state);
    for (const std::uint64_t id : plan.drains) {
      REQUIRE(state.leases.contains(id));
      REQUIRE_FALSE(state.leases.at(id).draining);
      state.leases.at(id).draining = true;
    }
    for (const grant& each : plan.grants) {
      lease_state made;
      made.node = each.node;
      made.driver = each.driver;
      made.slots = each.slots;
      made.gpus = each.gpus;
      made.memory = each.memory;
      state.leases[next++] = made;
    }
    moves += static_cast<int>(plan.drains.size() + plan.grants.size());
    check_sums();
    if (drained_end) std::erase_if(state.leases, [](const auto& each) { return each.second.draining; });
  }
  void settle() {
    for (int i = 0; i < 20; ++i) step();
  }
  void check_sums() const {
    for (const auto& [id, node] : state.nodes) {
      std::uint64_t slots = 0, gpus = 0, memory = 0;
      for (const auto& [lease, each] : state.leases)
        if (each.node == id) {
          slots += each.slots;
          gpus += each.gpus;
          memory += each.memory;
        }
      REQUIRE(slots <= node.slots);
      REQUIRE(gpus <= node.gpus);
      REQUIRE(memory <= node.memory);
    }
  }
  std::uint64_t held(std::uint64_t who) const {
    std::uint64_t slots = 0;
    for (const auto& [id, each] : state.leases)
      if (each.driver == who && !each.draining) slots += each.slots;
    return slots;
  }
};

}  // namespace

TEST_CASE("one driver with much work gets all") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(100);
  pool.step();
  CHECK(pool.held(a) == 8);
  pool.moves = 0;
  pool.settle();
  CHECK(pool.moves == 0);
}

TEST_CASE("a driver with little work gets what it needs, on one node") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(3);
  pool.settle();
  CHECK(pool.held(a) == 3);
  for (const auto& [id, each] : pool.state.leases) CHECK(each.node == pool.state.leases.begin()->second.node);
}

TEST_CASE("a second driver gets half, and then nothing moves any more") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(100);
  pool.settle();
  for (auto& [id, each] : pool.state.leases) each.busy = true;
  pool.state.drivers[b] = driver(100);
  pool.settle();
  CHECK(pool.held(a) == 4);
  CHECK(pool.held(b) == 4);
  pool.moves = 0;
  pool.settle();
  CHECK(pool.moves == 0);

  SECTION("a third one gets its part") {
    pool.state.drivers[c] = driver(100);
    pool.settle();
    CHECK(pool.held(c) >= 2);
    CHECK(pool.held(a) + pool.held(b) + pool.held(c) == 8);
  }
  SECTION("what one leaves the other takes") {
    pool.state.drivers.erase(b);
    std::erase_if(pool.state.leases, [](const auto& each) { return each.second.driver == b; });
    pool.settle();
    CHECK(pool.held(a) == 8);
  }
}

TEST_CASE("what is asked back is not given away before it is there") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(100);
  pool.settle();
  pool.state.drivers[b] = driver(100);
  pool.step(false);
  CHECK(pool.held(b) == 0);
  const int moves = pool.moves;
  pool.step(false);
  CHECK(pool.moves == moves);  // and no more is asked back meanwhile
}

TEST_CASE("idle leases are taken before busy ones") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(100);
  pool.settle();
  int number = 0;
  for (auto& [id, each] : pool.state.leases) each.busy = number++ % 2 == 0;
  pool.state.drivers[b] = driver(4);
  const lease_plan plan = plan_leases(pool.state);
  CHECK(plan.drains.size() == 4);
  for (const std::uint64_t id : plan.drains) CHECK_FALSE(pool.state.leases.at(id).busy);
}

TEST_CASE("what a driver does not use is given back once it has lingered, or at once when somebody wants it") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(100);
  pool.settle();
  pool.state.drivers[a] = driver(0);
  pool.state.drivers[a].lingers = true;
  pool.settle();
  CHECK(pool.held(a) == 8);
  SECTION("lingered") {
    pool.state.drivers[a].lingers = false;
    pool.settle();
    CHECK(pool.state.leases.empty());
  }
  SECTION("wanted") {
    pool.state.drivers[b] = driver(5);
    pool.settle();
    CHECK(pool.held(b) == 5);
    CHECK(pool.held(a) == 3);
  }
}

TEST_CASE("a node that ends gets nothing new, and is cleared") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(100);
  pool.settle();
  pool.state.nodes[n1].ending = true;
  pool.settle();
  CHECK(pool.held(a) == 4);
  for (const auto& [id, each] : pool.state.leases) CHECK(each.node == n2);
}

TEST_CASE("a lease is as large as the largest call") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(10, 3);
  pool.settle();
  REQUIRE_FALSE(pool.state.leases.empty());
  for (const auto& [id, each] : pool.state.leases) CHECK(each.slots >= 3);

  SECTION("room is made for it when others hold small parts of every node") {
    simulated crowded{two_nodes()};
    crowded.state.drivers[b] = driver(100);
    crowded.settle();
    crowded.state.drivers[a] = driver(1, 4);
    crowded.settle();
    CHECK(crowded.held(a) == 4);
    CHECK(crowded.held(b) == 4);
  }
}

TEST_CASE("gpus and memory go along with the slots") {
  simulated pool{two_nodes()};
  for (auto& [id, node] : pool.state.nodes) {
    node.gpus = 2;
    node.memory = 1000;
  }
  pool.state.drivers[a] = driver(100);
  pool.state.drivers[a].gpus = 1;
  pool.settle();
  std::uint64_t gpus = 0;
  for (const auto& [id, each] : pool.state.leases) gpus += each.gpus;
  CHECK(gpus == 4);
  CHECK(pool.held(a) >= 4);
}

TEST_CASE("a node that cannot run the program is not offered again") {
  simulated pool{two_nodes()};
  pool.state.drivers[a] = driver(100);
  pool.state.drivers[a].refused = {n1};
  pool.settle();
  CHECK(pool.held(a) == 4);
  for (const auto& [id, each] : pool.state.leases) CHECK(each.node == n2);
}

TEST_CASE("whatever comes and goes, nothing is given twice, nobody starves, and it comes to rest") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    simulated pool{{}};
    for (std::uint64_t id = 1; id <= 1 + random() % 4; ++id)
      pool.state.nodes[id].slots = static_cast<std::uint32_t>(1 + random() % 9);
    for (int event = 0; event < 30; ++event) {
      const std::uint64_t who = 11 + random() % 4;
      switch (random() % 4) {
        case 0: pool.state.drivers[who] = driver(random() % 40); break;
        case 1:
          pool.state.drivers.erase(who);
          std::erase_if(pool.state.leases, [&](const auto& each) { return each.second.driver == who; });
          break;
        case 2:
          for (auto& [id, each] : pool.state.leases) each.busy = random() % 2 != 0;
          break;
        default: pool.step(random() % 2 != 0);
      }
    }
    for (auto& [id, each] : pool.state.leases) each.busy = false;
    pool.settle();
    pool.settle();
    pool.moves = 0;
    pool.settle();
    CHECK(pool.moves == 0);
    const lease_plan plan = plan_leases(pool.state);
    for (const auto& [id, each] : pool.state.drivers)
      if (plan.shares.at(id) != 0) CHECK(pool.held(id) != 0);
  }
}
