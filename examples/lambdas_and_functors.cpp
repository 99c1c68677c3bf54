// SPDX-License-Identifier: Apache-2.0
// Lambdas without captures, function objects whose members travel with them, and functions with their first arguments bound.
#include <corolith/corolith.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace cl = corolith;

// A plain struct needs no code to be sent. Its members go to each agent once, not with every call.
struct polynomial {
  std::vector<double> coefficients;
  double operator()(double x) const {
    double value = 0;
    for (auto c = coefficients.rbegin(); c != coefficients.rend(); ++c) value = value * x + *c;
    return value;
  }
};

std::string join(std::string greeting, std::string name) { return greeting + ", " + name; }

cl::task<int> run(cl::executor& ex) {
  const std::vector<double> xs{0, 1, 2, 3};
  // A lambda that captures would not compile: what it needs comes after the range.
  for (double y : co_await ex.map([](double x, double scale) { return x * scale; }, xs, 0.5)) std::cout << y << ' ';
  std::cout << '\n';
  const polynomial parabola{{1, 2, 3}};  // 1 + 2x + 3x²
  const std::vector<double> ys = co_await ex.map(parabola, xs);
  for (double y : ys) std::cout << y << ' ';
  std::cout << '\n';
  const std::vector<std::string> names{"Ada", "Grace"};
  for (const std::string& line : co_await ex.map(cl::codec::bind<join>(std::string("hello")), names))
    std::cout << line << '\n';
  co_return ys[2] == 17 ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
