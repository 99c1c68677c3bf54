// SPDX-License-Identifier: Apache-2.0
// Results as they come: from a batch one by one, and from single futures by waiting for any or some of them.
#include <corolith/corolith.hpp>

#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

int doze(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  return ms;
}

cl::task<int> run(cl::executor& ex) {
  cl::batch<int> batch = ex.map<doze>(std::vector<int>{80, 10, 40, 20});
  while (auto done = co_await batch.next())
    std::cout << "element " << done->index << " slept " << done->value << " ms\n";

  std::vector<cl::future<int>> futures;
  for (int ms : {5, 10, 15, 2000}) futures.push_back(ex.call<doze>(ms));
  const auto first = co_await cl::wait(futures, cl::when::any);
  std::cout << first.done.size() << " of 4 is there\n";
  const auto most = co_await cl::wait(futures, cl::when::fraction(0.75), 10s);
  std::cout << most.done.size() << " of 4 are there\n";
  futures[3].cancel();
  const cl::result<int> last = co_await cl::as_result(futures[3]);
  std::cout << (last.has_value() ? "the last one was faster than its cancellation\n" : "the last one was cancelled\n");
  co_return last.has_value() ? 1 : 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
