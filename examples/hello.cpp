// SPDX-License-Identifier: Apache-2.0
// The smallest program: one function, run in a worker process, and its value.
#include <corolith/corolith.hpp>

#include <unistd.h>

#include <iostream>
#include <string>

namespace cl = corolith;

std::string greet(std::string name) { return "hello " + name + ", from process " + std::to_string(::getpid()); }

cl::task<int> run(cl::executor& ex) {
  std::cout << co_await ex.call<greet>("world") << ", to process " << ::getpid() << '\n';
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
