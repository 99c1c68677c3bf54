// SPDX-License-Identifier: Apache-2.0
// The scheduler against simulated agents in virtual time, schedule after schedule. A model that knows nothing of how
// the scheduler decides says after every event whether a promise was broken.
//
//   COROLITH_SIMULATIONS=N       how many schedules (50,000; 5,000 under a sanitizer)
//   COROLITH_SIMULATION_SEED=S   the seed of the first, the others follow; "random" for any
//   COROLITH_SIMULATION_TRACE=1  says what happens, for a single schedule
#include "world.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <random>
#include <string>

#if defined(COROLITH_TEST_SANITIZED)
inline constexpr std::uint64_t usual_count = 5'000;
#else
inline constexpr std::uint64_t usual_count = 50'000;
#endif

void* operator new(std::size_t size) {
  void* place = std::malloc(size == 0 ? 1 : size);
  if (place == nullptr) throw std::bad_alloc();
  if (simulation::memory::counting) simulation::memory::live += malloc_usable_size(place);
  return place;
}
void operator delete(void* place) noexcept {
  if (simulation::memory::counting && place != nullptr) simulation::memory::live -= malloc_usable_size(place);
  std::free(place);
}
void operator delete(void* place, std::size_t) noexcept { operator delete(place); }

namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == 0) return otherwise;
  if (std::string(text) == "random") return std::random_device()() * std::uint64_t{1'000'000};
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (*end == 0) return value;
  std::fprintf(stderr, "%s is no number: '%s'\n", name, text);
  std::exit(2);
}

struct totals {
  std::uint64_t events = 0, delivered = 0, failed = 0, sent = 0, returned = 0;
  std::int64_t longest_turn = 0;
  double fullest = 0;
};

std::uint64_t simulate(std::uint64_t seed, bool trace, totals& sum) {
  std::uint64_t digest = 0;
  {
    simulation::world w(seed, trace);
    try {
      w.run();
    } catch (const std::exception& broken) {
      std::printf("schedule %llu, event %llu: this promise was broken: %s\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(w.events), broken.what());
      throw;
    }
    digest = w.digest;
    sum.events += w.events;
    sum.delivered += w.delivered;
    sum.failed += w.failed;
    sum.sent += w.sent;
    sum.returned += w.returned;
    sum.fullest = std::max(sum.fullest, w.fullest());
    sum.longest_turn = std::max(sum.longest_turn, w.longest_turn());
  }
  simulation::must(simulation::memory::live == 0, "a scheduler that is gone holds no memory");
  return digest;
}

}  // namespace

int main(int, char** argv) {
  const std::uint64_t count = number("COROLITH_SIMULATIONS", usual_count);
  const std::uint64_t first = number("COROLITH_SIMULATION_SEED", 1);
  const bool trace = number("COROLITH_SIMULATION_TRACE", 0) != 0;
  const auto began = std::chrono::steady_clock::now();
  std::printf("%llu schedules from seed %llu\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(first));
  std::fflush(stdout);
  totals sum;
  std::uint64_t seed = first;
  try {
    for (; seed - first < count; ++seed) {
      const std::uint64_t digest = simulate(seed, trace, sum);
      totals again;
      if (seed % 1000 == 0)
        simulation::must(simulate(seed, false, again) == digest, "the same seed gives the same schedule");
    }
  } catch (const std::exception& broken) {
    std::printf(
        "%s\nto see it again: COROLITH_SIMULATION_SEED=%llu COROLITH_SIMULATIONS=1 COROLITH_SIMULATION_TRACE=1 %s\n",
        broken.what(), static_cast<unsigned long long>(seed), argv[0]);
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf(
      "passed in %.1f s: %llu events; calls sent %llu, delivered %llu, failed %llu, given back %llu; "
      "longest turn %.3f s, fullest %.2f\n",
      took.count(), static_cast<unsigned long long>(sum.events), static_cast<unsigned long long>(sum.sent),
      static_cast<unsigned long long>(sum.delivered), static_cast<unsigned long long>(sum.failed),
      static_cast<unsigned long long>(sum.returned), static_cast<double>(sum.longest_turn) / 1e9, sum.fullest);
  return 0;
}
