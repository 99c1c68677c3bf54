// expect: error: .*cannot return a pointer, .*return a value
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

const char* name(int) { return "a"; }

int main() { corolith::codec::single_call<corolith::codec::fixed<name>, int>::key(); }
