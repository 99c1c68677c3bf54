// SPDX-License-Identifier: Apache-2.0
// A program whose calls write, or start processes.
//   talker lines | children FILE | fail | status N
#include <corolith/corolith.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;

int talk(int x) {
  std::cout << "out " << x << "\nsecond " << x << std::endl;
  std::cerr << "err " << x << '\n';
  return x;
}

// Starts two children that outlive it, if they are let, and hangs.
void leave_children(const std::string& file) {
  if (std::system("sleep 3600 & sleep 3600 &") != 0) throw std::runtime_error("no shell");
  std::ofstream(file) << ::getpid() << std::endl;
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "lines") {
    const std::vector<int> elements{0, 1, 2};
    co_await ex.with({.chunk = 1}).map<talk>(elements);
    std::cout << "the driver's own output\n";
    co_return 0;
  }
  if (what == "children") co_await ex.call<leave_children>(arguments.at(1));
  if (what == "fail") throw std::runtime_error("the driver's own error");
  if (what == "status") co_return std::stoi(arguments.at(1));
  co_return 3;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
