// expect: error: .*by non-const reference, .*return the result
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

#include <vector>

void fill(int n, std::vector<double>& out) { out.assign(static_cast<std::size_t>(n), 0.0); }

int main() { corolith::codec::single_call<corolith::codec::fixed<fill>, int, std::vector<double>>::key(); }
