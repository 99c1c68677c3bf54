// expect: error: .*name it at compile time, as in ex.map<function>
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

int main() { corolith::codec::map_call<double (*)(double), double>::function::key(); }
