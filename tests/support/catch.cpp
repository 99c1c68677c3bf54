// SPDX-License-Identifier: Apache-2.0
// All of Catch2 but its main function, which is ours.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

int run_tests(int argc, char** argv) { return Catch::Session().run(argc, argv); }
