// SPDX-License-Identifier: Apache-2.0
// The Monte-Carlo benchmark of Lithops: pi from random points, many calls, and what the calls went through.
//   pi_estimation [--calls N] [--samples N]
#include <corolith/corolith.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace cl = corolith;

// The part of `samples` random points in the unit square that lies in the quarter circle, times four.
double area(std::uint64_t seed, long samples) {
  std::mt19937_64 random(seed);
  long inside = 0;
  for (long i = 0; i < samples; ++i) {
    const double x = static_cast<double>(random() >> 11) * 0x1p-53;
    const double y = static_cast<double>(random() >> 11) * 0x1p-53;
    inside += x * x + y * y < 1.0;
  }
  return 4.0 * static_cast<double>(inside) / static_cast<double>(samples);
}

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// Quartiles of what calls spent running, and how many each worker ran.
void describe(const std::vector<cl::call_stats>& stats) {
  std::vector<double> running;
  std::map<std::string, int> workers;
  for (const cl::call_stats& each : stats) {
    running.push_back(seconds(each.ended - each.started) * 1e3);
    ++workers[each.host + " pid " + std::to_string(each.pid)];
  }
  std::sort(running.begin(), running.end());
  std::cout << "a call ran for " << running.front() << " / " << running[running.size() / 2] << " / " << running.back()
            << " ms (least / median / most)\n";
  for (const auto& [worker, calls] : workers) std::cout << worker << " ran " << calls << " calls\n";
}

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  std::size_t calls = 1568;
  long samples = 200'000;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] == "--calls") calls = std::stoul(arguments[i + 1]);
    if (arguments[i] == "--samples") samples = std::stol(arguments[i + 1]);
  }
  std::vector<std::uint64_t> seeds(calls);
  std::iota(seeds.begin(), seeds.end(), 1);
  const auto begin = std::chrono::steady_clock::now();
  cl::batch<double> batch = ex.map<area>(seeds, samples).keep_stats();
  const std::vector<double> areas = co_await batch;
  const double wall = seconds(std::chrono::steady_clock::now() - begin);
  const double pi = std::accumulate(areas.begin(), areas.end(), 0.0) / static_cast<double>(areas.size());
  std::cout << std::setprecision(6) << "pi is about " << pi << " (" << calls << " calls of " << samples << " points)\n";
  std::cout << std::setprecision(4) << static_cast<double>(calls) / wall << " calls/s, " << wall
            << " s with the start of the agents\n";
  describe(batch.stats());
  const double deviation = 1.6421 / std::sqrt(static_cast<double>(calls) * static_cast<double>(samples));
  co_return std::abs(pi - 3.14159265) < 4 * deviation ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
