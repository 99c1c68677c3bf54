// expect: error: .*cannot take a pointer, .*take a value, a std::vector
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

double sum(const double* values, int count) {
  double total = 0;
  for (int i = 0; i < count; ++i) total += values[i];
  return total;
}

int main() { corolith::codec::single_call<corolith::codec::fixed<sum>, double*, int>::key(); }
