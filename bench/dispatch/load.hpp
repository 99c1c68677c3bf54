// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "noop.hpp"

#include <corolith/corolith.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <queue>
#include <random>
#include <vector>

/// Calls that compute for a given time: how much of the slots' time is theirs.
namespace bench::dispatch {

/// Computes for as long as it is told; returns for how long it did.
inline double spin(double seconds) {
  const auto begin = std::chrono::steady_clock::now();
  double spent = 0;
  while ((spent = seconds_since(begin)) < seconds) {
  }
  return spent;
}

/// The part of the slots' time that is spent inside the calls, when all take equally long.
inline double busy_fraction(corolith::executor& ex, std::size_t slots, double seconds_each, std::size_t calls) {
  const std::vector<double> each(calls, seconds_each);
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<double> spent = corolith::sync_wait(ex.map<spin>(each));
  const double wall = seconds_since(begin);
  double busy = 0;
  for (const double one : spent) busy += one;
  return busy / (wall * static_cast<double>(slots));
}

/// 99 of 100 calls take 1 ms, the others 1 s, in an order drawn from `seed`.
inline std::vector<double> mixed_load(std::size_t calls, unsigned seed) {
  std::vector<double> each(calls, 1e-3);
  for (std::size_t i = 0; i < calls; i += 100) each[i] = 1;
  std::shuffle(each.begin(), each.end(), std::mt19937(seed));
  return each;
}

/// How long it takes when each call goes, in this order and at once, to the slot that is free first.
inline double ideal_makespan(const std::vector<double>& each, std::size_t slots) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (std::size_t i = 0; i < slots; ++i) free_at.push(0);
  double last = 0;
  for (const double one : each) {
    const double end = free_at.top() + one;
    free_at.pop();
    free_at.push(end);
    last = std::max(last, end);
  }
  return last;
}

/// Time of the map over the ideal time.
inline double mixed_makespan_ratio(corolith::executor& ex, std::size_t slots, unsigned seed) {
  const std::vector<double> each = mixed_load(1000, seed);
  const auto begin = std::chrono::steady_clock::now();
  corolith::sync_wait(ex.map<spin>(each));
  return seconds_since(begin) / ideal_makespan(each, slots);
}

}  // namespace bench::dispatch
