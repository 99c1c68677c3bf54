// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>
#include <corolith/simd/detail/dispatch.hpp>
#include <corolith/simd/detail/peak_kernel.hpp>
#include <corolith/simd/instruction_set.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace simd {

/// The rate of arithmetic that no program exceeds on this machine with this instruction set.
struct peak {
  instruction_set set = {};
  unsigned threads = 1;
  double flops_per_second = 0;  ///< of all threads together; a multiplication and an addition, fused or not, are two
  double mean_flops_per_second = 0;  ///< the same over all windows: less by what interrupted the threads
  double clock_hz = 0;               ///< cycles per second of a core while all were at it, mean over the threads
  double flops_per_cycle = 0;        ///< of one thread: flops_per_second / threads / clock_hz
};

namespace detail {

template <class T>
double peak_flops(std::uint64_t rounds) {
  peak_numbers<T> numbers;
  asm volatile("" : "+m"(numbers));  // from here on anything might be in it
  const peak_work<T> work = dispatch(peak_kernel<T>{}, numbers, rounds);
  asm volatile("" : : "m"(work.mean));  // somebody reads it
  return static_cast<double>(work.flops);
}

COROLITH_DECL peak measure_peak(double (*flops)(std::uint64_t), std::chrono::nanoseconds duration, unsigned threads);

}  // namespace detail

/// Measures for about `duration` (100 ms do; at least three windows are) how many multiply-adds of T the active instruction
/// set does per second when nothing but registers is involved. The best of many windows of 250 microseconds counts, not their
/// mean: what interrupts a program is not the machine's limit. All threads begin a window together, and its rate is what all
/// of them did over the time from the first beginning to the last end. Between windows each thread times a chain of dependent
/// integer additions, one a cycle, which tells the clock under that load. Kernels must be compiled with optimisation for the
/// figure to mean something, as corolith_add_kernels does. Throws error(errc::misuse) when `threads` is 0. May be called from
/// any thread, but two at once take from each other.
template <class T>
  requires std::same_as<T, float> || std::same_as<T, double>
peak measure_peak(std::chrono::nanoseconds duration, unsigned threads = 1) {
  return detail::measure_peak(&detail::peak_flops<T>, duration, threads);
}

}  // namespace simd
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SIMD_DISPATCH)
#include <corolith/simd/impl/peak_kernel.hpp>
#endif
#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/simd/impl/peak.ipp>
#endif
