// SPDX-License-Identifier: Apache-2.0
// A map over the nodes of a Slurm cluster. The command line is all: there is no job script to write.
//   slurm_map --launcher slurm --nodes 3 --partition gp --time 10
// Without these flags it runs on this machine.
#include <corolith/corolith.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;

int square(int x) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return x * x;
}

cl::task<int> run(cl::executor& ex) {
  std::vector<int> numbers(300);
  std::iota(numbers.begin(), numbers.end(), 1);
  std::map<std::string, int> calls_on;
  long sum = 0;
  cl::batch<int> squares = ex.with({.chunk = 1}).map<square>(numbers);
  while (auto done = co_await squares.next()) {
    sum += done->value;
    ++calls_on[done->stats.host];
  }
  for (const auto& [host, calls] : calls_on) std::cout << host << " ran " << calls << " calls\n";
  std::cout << "the sum of the squares is " << sum << '\n';
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
