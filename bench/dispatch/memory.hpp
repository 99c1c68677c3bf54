// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "noop.hpp"

#include <corolith/corolith.hpp>

#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

/// What the driver holds of calls that wait.
namespace bench::dispatch {

inline double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// Keeps its slot until it is cancelled.
inline void occupy(int) {
  while (!corolith::this_call().stop_token().stop_requested())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// Growth of the driver for each of `calls` calls of an int that cannot start. To be measured in a young process: what earlier maps have left
/// free is used again.
inline double bytes_per_queued_call(corolith::executor& ex, std::size_t slots, std::uint32_t calls) {
  std::vector<corolith::future<void>> occupants;
  for (std::size_t i = 0; i < slots; ++i) occupants.push_back(ex.call<occupy>(0));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // until they have begun
  std::vector<int> elements(calls);
  std::iota(elements.begin(), elements.end(), 0);
  ::malloc_trim(0);
  const double before = resident_bytes();
  auto queued = ex.map<nothing>(elements);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // until the driver has sorted them in
  const double grown = resident_bytes() - before;
  for (auto& each : occupants) each.cancel();
  if (queued.get().size() != calls) throw std::runtime_error("wrong results");
  return grown / calls;
}

}  // namespace bench::dispatch
