// SPDX-License-Identifier: Apache-2.0
#include <corolith/agent/slots.hpp>

#include <catch2/catch.hpp>

using corolith::agent::node_capacity;
using corolith::agent::slots;

TEST_CASE("slots hand out cpus until none are left", "[agent]") {
  slots books(node_capacity{4, 0, {}, {}});
  const auto big = books.acquire(3, 0);
  REQUIRE(big);
  CHECK(big->cpus == 3);
  CHECK(big->pinned.empty());
  CHECK_FALSE(books.acquire(2, 0));
  const auto small = books.acquire(1, 0);
  REQUIRE(small);
  CHECK_FALSE(books.acquire(1, 0));
  books.release(*big);
  CHECK(books.acquire(3, 0));
}

TEST_CASE("a request larger than the node gets the node", "[agent]") {
  slots books(node_capacity{2, 0, {}, {}});
  const auto all = books.acquire(64, 3);
  REQUIRE(all);
  CHECK(all->cpus == 2);
  CHECK(all->gpus.empty());
}

TEST_CASE("workers are pinned to processors of their own", "[agent]") {
  slots books(node_capacity{4, 0, {2, 3, 6, 7}, {}});
  const auto a = books.acquire(2, 0), b = books.acquire(1, 0), c = books.acquire(1, 0);
  CHECK(a->pinned == std::vector<int>{2, 3});
  CHECK(b->pinned == std::vector<int>{6});
  CHECK(c->pinned == std::vector<int>{7});
  books.release(*b);
  CHECK(books.acquire(1, 0)->pinned == std::vector<int>{6});
  slots few(node_capacity{4, 0, {0, 1}, {}});
  CHECK(few.acquire(1, 0)->pinned.empty());
}

TEST_CASE("each gpu has one worker", "[agent]") {
  slots books(node_capacity{8, 0, {}, {"4", "GPU-abc"}});
  const auto one = books.acquire(1, 1), two = books.acquire(1, 1);
  CHECK(one->gpus == std::vector<std::string>{"4"});
  CHECK(two->gpus == std::vector<std::string>{"GPU-abc"});
  CHECK_FALSE(books.acquire(1, 1));
  CHECK(books.acquire(1, 0)->gpus.empty());
}

TEST_CASE("a blocked worker's share can be used twice for a while", "[agent]") {
  slots books(node_capacity{1, 0, {}, {}});
  const auto first = books.acquire(1, 0);
  books.release(*first);
  const auto second = books.acquire(1, 0);
  REQUIRE(second);
  CHECK_FALSE(books.over_committed());
  books.take_back(*first);
  CHECK(books.over_committed());
  books.release(*second);
  CHECK_FALSE(books.over_committed());
}

TEST_CASE("memory is reserved by calls", "[agent]") {
  slots books(node_capacity{4, 1000, {}, {}});
  CHECK(books.reserve_memory(600));
  CHECK_FALSE(books.reserve_memory(600));
  CHECK(books.reserve_memory(0));
  books.release_memory(600);
  CHECK(books.reserve_memory(5000));  // more than there is: all of it
  CHECK_FALSE(books.memory_fits(1));
  books.release_memory(5000);
  CHECK(books.memory_fits(1000));
  CHECK(slots(node_capacity{1, 0, {}, {}}).reserve_memory(1ULL << 60U));
}
