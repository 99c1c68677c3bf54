// expect: error: .*a parameter of this remote function cannot be sent; make its type a plain aggregate
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

#include <thread>

struct job {
  int id;
  std::thread runner;
};
int run(const job& what) { return what.id; }

int main() { corolith::codec::single_call<corolith::codec::fixed<run>, job>::key(); }
