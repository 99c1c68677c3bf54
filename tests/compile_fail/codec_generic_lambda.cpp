// expect: error: .*the callable cannot be called with these arguments
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

int main() {
  auto lambda = [](auto x, int n) { return x * n; };
  corolith::codec::map_call<decltype(lambda), double>::function::key();
}
