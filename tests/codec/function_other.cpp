// SPDX-License-Identifier: Apache-2.0
#include "function_other.hpp"

#include "call_here.hpp"

namespace {

int who() { return 2; }  // function.cpp has another one

auto lambda() {
  return [] { return 20; };
}

}  // namespace

namespace other {

corolith::codec::function_key key_of_who() { return corolith::codec::single_call<corolith::codec::fixed<who>>::key(); }
int call_who() { return here::call<who>(); }
corolith::codec::function_key key_of_lambda() { return corolith::codec::single_call<decltype(lambda())>::key(); }
int call_lambda() { return here::call(lambda()); }

}  // namespace other
