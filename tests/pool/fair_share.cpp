// SPDX-License-Identifier: Apache-2.0
#include <corolith/pool/fair_share.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

using corolith::pool::claim;
using corolith::pool::fair_share;
using shares = std::vector<std::uint64_t>;

TEST_CASE("nobody gets more than was wanted, and what one does not want goes to the others") {
  CHECK(fair_share(std::vector<claim>{}, 8) == shares{});
  CHECK(fair_share(std::vector<claim>{{3, 0}}, 8) == shares{3});
  CHECK(fair_share(std::vector<claim>{{100, 0}}, 8) == shares{8});
  CHECK(fair_share(std::vector<claim>{{100, 0}, {100, 0}}, 8) == shares{4, 4});
  CHECK(fair_share(std::vector<claim>{{100, 0}, {1, 0}, {100, 0}}, 9) == shares{4, 1, 4});
  CHECK(fair_share(std::vector<claim>{{2, 0}, {3, 0}}, 8) == shares{2, 3});
  CHECK(fair_share(std::vector<claim>{{0, 5}, {9, 0}}, 8) == shares{0, 8});
  CHECK(fair_share(std::vector<claim>{{9, 0}, {9, 0}}, 0) == shares{0, 0});
}

TEST_CASE("what does not divide stays with whoever has it") {
  CHECK(fair_share(std::vector<claim>{{9, 0}, {9, 0}}, 3) == shares{2, 1});
  CHECK(fair_share(std::vector<claim>{{9, 1}, {9, 2}}, 3) == shares{1, 2});
  CHECK(fair_share(std::vector<claim>{{9, 0}, {9, 0}, {9, 1}}, 2) == shares{1, 0, 1});
}

TEST_CASE("shares are max-min fair whatever is wanted") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<claim> claims(1 + random() % 7);
    for (claim& each : claims) each = {random() % 30, random() % 10};
    const std::uint64_t slots = random() % 60;
    const shares got = fair_share(claims, slots);
    std::uint64_t given = 0, wanted = 0;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      REQUIRE(got[i] <= claims[i].wanted);
      given += got[i];
      wanted += claims[i].wanted;
      // Whoever has more than an unsatisfied one has at most the one slot more that does not divide.
      for (std::size_t j = 0; j < claims.size(); ++j)
        if (got[j] < claims[j].wanted && got[i] > got[j] + 1) FAIL("driver " << i << " has more than driver " << j);
    }
    REQUIRE(given == std::min(slots, wanted));
  }
}
