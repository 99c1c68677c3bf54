// SPDX-License-Identifier: Apache-2.0
// What a failed call looks like, and how often it is tried.
#include <corolith/corolith.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

double root(double x) {
  if (x < 0) throw std::domain_error("no root of " + std::to_string(x));
  return x / 2;
}
int flaky() {
  if (cl::this_call().attempt() < 3) throw std::runtime_error("not yet");
  return static_cast<int>(cl::this_call().attempt());
}
void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(1s);
}
void crash() { std::abort(); }

cl::task<int> run(cl::executor& ex) {
  try {
    co_await ex.call<root>(-1.0);
  } catch (const cl::remote_error& e) {
    std::cout << "it threw a " << e.type_name() << " on " << e.origin().host << ": " << e.message() << '\n';
  }
  const int attempts = co_await ex.with({.retries = 5}).call<flaky>();
  std::cout << "it worked at attempt " << attempts << '\n';
  try {
    co_await ex.with({.timeout = 100ms}).call<sleep_for_ever>();
  } catch (const cl::call_timeout& e) {
    std::cout << "it took too long\n";
  }
  try {
    co_await ex.call<crash>();
  } catch (const cl::worker_lost& e) {
    std::cout << "it killed its workers\n";
  }
  // All outcomes of a batch, whether they failed or not.
  const std::vector<double> squares{4, -4, 9};
  int good = 0;
  for (const cl::result<double>& each : co_await cl::as_result(ex.map<root>(squares))) good += each.has_value();
  std::cout << good << " of 3 have a value\n";
  co_return attempts == 3 && good == 2 ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
