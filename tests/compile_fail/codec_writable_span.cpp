// expect: error: .*std::span<T> that it may write to, .*take a std::span<const T>
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

#include <span>
#include <vector>

void negate(std::span<double> values) {
  for (double& value : values) value = -value;
}

int main() { corolith::codec::single_call<corolith::codec::fixed<negate>, std::vector<double>>::key(); }
