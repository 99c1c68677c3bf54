// expect: error: .*the result of this remote function cannot be sent; make its type a plain aggregate
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

#include <fstream>

std::ifstream open(int) { return {}; }

int main() { corolith::codec::single_call<corolith::codec::fixed<open>, int>::key(); }
