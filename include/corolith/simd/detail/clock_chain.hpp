// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <chrono>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// The cycles per second of the core that this runs on, over about 100 microseconds: by additions that each need the one
/// before. An addition of two registers takes one cycle on every x86-64 and 64-bit Arm processor; one of a constant does
/// not (some add constants while they rename registers). Too low when the thread was interrupted, never too high.
inline double clock_by_additions() {
  constexpr int rounds = 400;  // of 1000 additions
  unsigned long value = 1;
  const auto begin = std::chrono::steady_clock::now();
#if defined(__aarch64__)
  for (int i = 0; i < rounds; ++i) asm volatile(".rept 1000\n\tadd %0, %0, %0\n\t.endr" : "+r"(value));
#else
  for (int i = 0; i < rounds; ++i) asm volatile(".rept 1000\n\tadd %0, %0\n\t.endr" : "+r"(value));
#endif
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return rounds * 1000.0 / seconds.count();
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
