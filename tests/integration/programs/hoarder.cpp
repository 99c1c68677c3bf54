// SPDX-License-Identifier: Apache-2.0
// Has objects and large values in its store, and then waits to be ended.
//   hoarder FILE
// FILE is there when the objects are.
#include <corolith/corolith.hpp>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;

cl::task<void> hold(std::vector<char> large, std::string file) {
  co_await cl::this_call().store().put_temporary("an intermediate result");
  std::ofstream(file) << large.size();
  while (!cl::this_call().stop_token().stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  const std::vector<char> large(std::size_t{10} << 20);
  co_await ex.call<hold>(large, arguments.at(0));
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
