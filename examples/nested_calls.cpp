// SPDX-License-Identifier: Apache-2.0
// Calls that make calls, as deep as they like, even on one slot: a call that waits for others lends its slot to them.
#include <corolith/corolith.hpp>

#include <iostream>

namespace cl = corolith;

// A remote function may be a coroutine.
cl::task<long> fibonacci(int n) {
  if (n < 2) co_return n;
  cl::executor ex = cl::this_call().executor();
  cl::future<long> a = ex.call<fibonacci>(n - 1);
  cl::future<long> b = ex.call<fibonacci>(n - 2);
  const long first = co_await a;
  co_return first + co_await b;
}

cl::task<int> run(cl::executor& ex) {
  const long value = co_await ex.call<fibonacci>(7);
  std::cout << "fibonacci(7) = " << value << ", every addend a remote call\n";
  co_return value == 13 ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
