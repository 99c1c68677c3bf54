// SPDX-License-Identifier: Apache-2.0
// A map whose results meet in one remote call.
#include <corolith/corolith.hpp>

#include <iostream>
#include <numeric>
#include <ranges>
#include <vector>

namespace cl = corolith;

double term(int k) { return (k % 2 == 0 ? 4.0 : -4.0) / (2 * k + 1); }
double sum(const std::vector<double>& terms) { return std::accumulate(terms.begin(), terms.end(), 0.0); }

cl::task<int> run(cl::executor& ex) {
  const double pi = co_await ex.map_reduce<term, sum>(std::views::iota(0, 20'000));
  std::cout << "pi is about " << pi << '\n';
  co_return pi > 3.1415 && pi < 3.1416 ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
