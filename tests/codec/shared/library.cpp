// SPDX-License-Identifier: Apache-2.0
#include "library.hpp"

namespace library {
namespace {

// Has a namesake in each of the program's sources.
int who() { return 3; }

}  // namespace

std::string greet(const std::string& name) { return "hello " + name; }

own_function hidden() {
  using function = corolith::codec::single_call<corolith::codec::fixed<who>>;
  return {function::key(), &function::invoke};
}

}  // namespace library
