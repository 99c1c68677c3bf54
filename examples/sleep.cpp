// SPDX-License-Identifier: Apache-2.0
// Many calls that only sleep: what is left of the wall time is what the library costs.
//   sleep [--calls N] [--ms N]
#include <corolith/corolith.hpp>

#include <chrono>
#include <iostream>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;

void doze(int, int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  int calls = 64, ms = 100;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] == "--calls") calls = std::stoi(arguments[i + 1]);
    if (arguments[i] == "--ms") ms = std::stoi(arguments[i + 1]);
  }
  co_await ex.call<doze>(0, 0);  // the agents are up
  const auto begin = std::chrono::steady_clock::now();
  co_await ex.map<doze>(std::views::iota(0, calls), ms);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::cout << calls << " sleeps of " << ms << " ms took " << seconds << " s\n";
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
