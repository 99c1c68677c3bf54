// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <corolith/schedule/detail/call_table.hpp>
#include <corolith/schedule/detail/capacity_tree.hpp>
#include <corolith/schedule/detail/fair_heap.hpp>
#include <corolith/schedule/detail/slot_map.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace corolith::schedule;
using namespace corolith::schedule::detail;

TEST_CASE("slot_map does what std::map does") {
  std::mt19937_64 random(7);
  slot_map map;
  std::map<std::uint64_t, std::uint32_t> model;
  for (std::uint32_t step = 0; step < 20000; ++step) {
    // Few different keys, some of them with equal low bits, so that entries collide and runs have holes made in them.
    const std::uint64_t key = (random() % 64) << (random() % 2 * 32);
    if (model.contains(key)) {
      map.erase(key);
      model.erase(key);
    } else {
      map.insert(key, step);
      model[key] = step;
    }
    const std::uint64_t other = (random() % 64) << (random() % 2 * 32);
    REQUIRE(map.find(other) == (model.contains(other) ? model[other] : no_slot));
    REQUIRE(map.size() == model.size());
  }
}

TEST_CASE("call_table holds what is live and gives ended pages back") {
  std::mt19937 random(3);
  page_pool pool;
  call_table table;
  for (int life = 0; life < 3; ++life) {
    std::set<std::uint32_t> live;
    while (table.size() < 100'000) {
      const std::uint32_t more = static_cast<std::uint32_t>(random() % 700);
      for (std::uint32_t i = 0; i < more; ++i) live.insert(table.size() + i);
      table.append(more, pool);
      // The first call and one in a thousand stay until the end.
      for (auto at = live.begin(); at != live.end();) {
        if (*at == 0 || *at % 1000 == 5 || random() % 4 == 0) {
          ++at;
          continue;
        }
        table.end(*at, pool);
        at = live.erase(at);
      }
    }
    std::vector<std::uint32_t> forwards, backwards;
    for (auto i = table.next_live(0); i < table.size(); i = table.next_live(i + 1)) forwards.push_back(i);
    for (auto i = table.previous_live(table.size()); i != no_slot; i = table.previous_live(i)) backwards.push_back(i);
    std::reverse(backwards.begin(), backwards.end());
    REQUIRE(forwards == std::vector<std::uint32_t>(live.begin(), live.end()));
    REQUIRE(backwards == forwards);
    for (std::uint32_t i = 0; i < table.size(); ++i) REQUIRE((table.find(i) != nullptr) == live.contains(i));
    REQUIRE(table.find(table.size()) == nullptr);
    table.clear(pool);
    REQUIRE(table.find(0) == nullptr);
    REQUIRE(table.size() == 0);
  }
}

TEST_CASE("fair_heap gives the least share, whatever changes") {
  std::mt19937 random(11);
  fair_heap heap;
  std::vector<std::uint32_t> places(40, no_slot);
  std::vector<share> keys(40);
  for (int step = 0; step < 20000; ++step) {
    const std::uint32_t batch = static_cast<std::uint32_t>(random() % 40);
    const share key{static_cast<std::int64_t>(random() % 10), random() % 1000};
    if (places[batch] == no_slot) {
      heap.push(batch, keys[batch] = key, places[batch]);
    } else if (random() % 3 == 0) {
      heap.erase(places[batch]);
    } else {
      heap.update(places[batch], keys[batch] = key);
    }
    std::size_t inside = 0;
    for (std::uint32_t b = 0; b < 40; ++b) {
      if (places[b] == no_slot) continue;
      ++inside;
      REQUIRE(heap.top_share() <= keys[b]);
    }
    REQUIRE(heap.size() == inside);
    if (inside > 0) REQUIRE(heap.top_share() == keys[heap.top()]);
  }
}

TEST_CASE("capacity_tree finds an agent with room whenever there is one") {
  std::mt19937 random(5);
  capacity_tree tree;
  std::vector<capacity_tree::node> agents;
  const auto some = [&](int n) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(n)); };
  for (int step = 0; step < 5000; ++step) {
    const std::size_t slot = random() % (agents.size() + (agents.size() < 70));
    if (slot == agents.size()) agents.emplace_back();
    const charge free{some(8) - 1, some(4) - 1, some(8) - 1};
    agents[slot] = {free, some(5), {free.cpus + some(3), free.gpus + some(2), free.memory + some(3)}};
    tree.set(static_cast<std::uint32_t>(slot), agents[slot]);
    const charge need{some(8), some(4), some(8)};
    const charge whole{need.cpus + some(3), need.gpus + some(2), need.memory + some(3)};
    const std::uint32_t found = tree.find(need, whole);
    const auto fits = [&](const auto& agent) { return need.fits_in(agent.free) && whole.fits_in(agent.total); };
    REQUIRE((found != no_slot) == std::any_of(agents.begin(), agents.end(), fits));
    if (found != no_slot) REQUIRE(fits(agents[found]));
  }
}

TEST_CASE("a depth divides a slot exactly") {
  for (std::uint32_t depth = 1; depth <= deepest; ++depth) {
    charge free = capacity_of({3, 0, 0});
    const charge cost = charge_of({1, 0, 0}, depth);
    std::uint32_t fitted = 0;
    for (; cost.fits_in(free); free -= cost) ++fitted;
    REQUIRE(fitted == 3 * depth);
  }
}
