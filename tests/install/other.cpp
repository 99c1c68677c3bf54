// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/log.hpp>

#include <string>

std::string greeting(std::string from) {
  corolith::log::info("not shown at the default level");
  return "hello from " + from;
}
