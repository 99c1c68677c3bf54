// SPDX-License-Identifier: Apache-2.0
// A program with a mistake: its main does not serve, so it cannot be an agent or a worker.
#include <corolith/run/executor.hpp>

#include <exception>
#include <iostream>

int main() {
  try {
    corolith::executor ex(corolith::options{.relaunch = 1, .log_level = "off"});
    std::cout << ex.call([] { return 1; }).get() << '\n';
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
  return 0;
}
