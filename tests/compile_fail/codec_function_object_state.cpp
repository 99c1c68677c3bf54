// expect: error: .*write a function object with serialisable members
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

struct scale {
  double* factor;
  double operator()(double x) const { return *factor * x; }
};

int main() { corolith::codec::map_call<scale, double>::function::key(); }
