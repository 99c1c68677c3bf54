// SPDX-License-Identifier: Apache-2.0
// Somebody's program, header-only, of two translation units: it calls a function of the other one remotely.
#include <corolith/corolith.hpp>

#include <cstdio>
#include <string>

namespace cl = corolith;

std::string greeting(std::string from);

cl::task<int> run(cl::executor& ex) {
  const std::string said = co_await ex.call<greeting>("a program that uses corolith");
  std::printf("corolith %d.%d.%d: %s\n", COROLITH_VERSION_MAJOR, COROLITH_VERSION_MINOR, COROLITH_VERSION_PATCH,
              said.c_str());
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
