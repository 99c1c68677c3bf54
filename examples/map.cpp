// SPDX-License-Identifier: Apache-2.0
// One function over many elements: the values come back in the order of the elements.
#include <corolith/corolith.hpp>

#include <cstdint>
#include <iostream>
#include <numeric>
#include <utility>
#include <vector>

namespace cl = corolith;

// The length of the Collatz sequence that starts at `n`.
long collatz(std::uint64_t n) {
  long steps = 0;
  for (; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

// A pair is spread over the parameters; `base` is shared by all calls.
long weighted(int value, int weight, long base) { return base + static_cast<long>(value) * weight; }

cl::task<int> run(cl::executor& ex) {
  std::vector<std::uint64_t> starts(1000);
  std::iota(starts.begin(), starts.end(), 1);
  const std::vector<long> steps = co_await ex.map<collatz>(starts);
  std::cout << "collatz(27) takes " << steps[26] << " steps\n";

  const std::vector<std::pair<int, int>> pairs{{1, 10}, {2, 20}, {3, 30}};
  for (long value : co_await ex.map<weighted>(pairs, 1000L)) std::cout << value << '\n';
  co_return steps[26] == 111 ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
