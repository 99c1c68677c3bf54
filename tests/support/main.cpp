// SPDX-License-Identifier: Apache-2.0
// The main function of every test program. It may be started again as an agent or a worker of itself.
#include <corolith/run/main.hpp>

int run_tests(int argc, char** argv);  // by Catch2

int main(int argc, char** argv) {
  if (auto code = corolith::serve_role(argc, argv)) return *code;
  return run_tests(argc, argv);
}
