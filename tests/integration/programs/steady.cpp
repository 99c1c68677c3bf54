// SPDX-License-Identifier: Apache-2.0
// A map whose results are checked one by one, for tests of what happens to its agents meanwhile.
//   steady CALLS MILLISECONDS [FILE]
// With FILE it begins once the file is there. Prints how many results came, and on how many nodes they were made.
#include <corolith/corolith.hpp>

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;

int slow_square(int x, int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return x * x;
}

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  const int calls = std::stoi(arguments.at(0)), milliseconds = std::stoi(arguments.at(1));
  if (arguments.size() > 2)
    while (::access(arguments[2].c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::vector<int> elements(static_cast<std::size_t>(calls));
  std::iota(elements.begin(), elements.end(), 0);
  cl::batch<int> batch = ex.map<slow_square>(elements, milliseconds);
  std::set<int> seen;
  std::set<std::string> hosts;
  while (const auto each = co_await batch.next()) {
    if (!seen.insert(static_cast<int>(each->index)).second) throw std::runtime_error("a result came twice");
    const int x = static_cast<int>(each->index);
    if (each->value != x * x) throw std::runtime_error("a wrong result");
    hosts.insert(each->stats.host);
  }
  std::cout << seen.size() << " results";
  for (const std::string& host : hosts) std::cout << ' ' << host;
  std::cout << '\n';
  co_return seen.size() == static_cast<std::size_t>(calls) ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
