// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/log.hpp>

const char* greeting() {
  corolith::log::set_level(corolith::log::parse_level("error"));
  corolith::log::warning("not shown either");
  return "hello from a program that uses corolith";
}
