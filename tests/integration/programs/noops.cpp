// SPDX-License-Identifier: Apache-2.0
// A map of no-ops, whose instructions bench/instructions.py counts: noops CALLS
#include <corolith/corolith.hpp>

#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace cl = corolith;

int nothing(int x) { return x; }

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  const int calls = std::stoi(arguments.at(0));
  // Always as many at once, however fast the machine is.
  const cl::executor by_groups = ex.with({.chunk = 256});
  const std::vector<int> values = co_await by_groups.map<nothing>(std::views::iota(0, calls));
  if (static_cast<int>(values.size()) != calls || values.back() != calls - 1) throw std::runtime_error("wrong results");
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
