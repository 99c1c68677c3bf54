// SPDX-License-Identifier: Apache-2.0
// The main function of every test program. It may be started again as an agent or a worker of itself.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#if __has_include(<corolith/run/main.hpp>)
#include <corolith/run/main.hpp>
#endif

int main(int argc, char** argv) {
#if __has_include(<corolith/run/main.hpp>)
  if (auto code = corolith::serve_role(argc, argv)) return *code;
#endif
  return Catch::Session().run(argc, argv);
}
