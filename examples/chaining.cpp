// SPDX-License-Identifier: Apache-2.0
// A remote function may return futures: whoever called it gets what they will hold.
#include <corolith/corolith.hpp>

#include <iostream>
#include <vector>

namespace cl = corolith;

long square(long x) { return x * x; }

// Hands its work on and is done; the caller's future holds the value of the second call.
cl::future<long> square_elsewhere(long x) { return cl::this_call().executor().call<square>(x); }

std::vector<cl::future<long>> first_squares(long count) {
  std::vector<cl::future<long>> futures;
  for (long x = 1; x <= count; ++x) futures.push_back(cl::this_call().executor().call<square>(x));
  return futures;
}

cl::task<int> run(cl::executor& ex) {
  const long one = co_await ex.call<square_elsewhere>(12);
  std::cout << "12² = " << one << '\n';
  const std::vector<long> many = co_await ex.call<first_squares>(5);
  for (long value : many) std::cout << value << ' ';
  std::cout << '\n';
  co_return one == 144 && many.back() == 25 ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
