// expect: error: .*more arguments are bound than the function takes
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/bind.hpp>

double half(double x) { return x / 2; }

int main() { corolith::codec::bind<half>(1.0, 2.0); }
