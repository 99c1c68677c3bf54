// SPDX-License-Identifier: Apache-2.0
// Somebody's program, header-only, of two translation units.
#include <corolith/core/log.hpp>
#include <corolith/core/version.hpp>
#if __has_include(<corolith/corolith.hpp>)
#include <corolith/corolith.hpp>
#endif

#include <cstdio>

const char* greeting();

int main() {
  corolith::log::info("not shown at the default level");
  std::printf("corolith %d.%d.%d: %s\n", COROLITH_VERSION_MAJOR, COROLITH_VERSION_MINOR, COROLITH_VERSION_PATCH, greeting());
  return 0;
}
