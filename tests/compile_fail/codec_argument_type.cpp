// expect: error: .*an argument does not convert to the type of the function.s parameter
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

#include <string>

double half(double x) { return x / 2; }

int main() { corolith::codec::map_call<corolith::codec::fixed<half>, std::string>::function::key(); }
