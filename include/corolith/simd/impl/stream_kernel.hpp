// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/batch.hpp>
#include <corolith/simd/detail/stream_kernel.hpp>

#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

template <class Set>
[[gnu::always_inline]] inline void store_past_caches(double* to, const batch<double, Set>& value) {
#if XSIMD_WITH_AVX512BW
  if constexpr (sizeof value == 64) return _mm512_stream_pd(to, value);
#endif
#if XSIMD_WITH_AVX2
  if constexpr (sizeof value == 32) return _mm256_stream_pd(to, value);
#endif
#if XSIMD_WITH_SSE2
  if constexpr (sizeof value == 16) return _mm_stream_pd(to, value);
#else  // Arm writes whole lines without reading them by itself
  value.store_aligned(to);
#endif
}

template <stream_operation Operation, bool PastCaches, class Set>
struct stream_loop {
  using vector = batch<double, Set>;

  [[gnu::always_inline]] static vector value(const double* x, const double* y, const vector& factor) {
    if constexpr (Operation == stream_operation::copy) return vector::load_aligned(x);
    if constexpr (Operation == stream_operation::scale) return factor * vector::load_aligned(x);
    if constexpr (Operation == stream_operation::add) return vector::load_aligned(x) + vector::load_aligned(y);
    if constexpr (Operation == stream_operation::triad)
      return multiply_add<double, Set>(factor, vector::load_aligned(y), vector::load_aligned(x));
  }

  static void run(double* to, const double* x, const double* y, double factor, std::size_t size) {
    const vector factors(factor);
    for (std::size_t i = 0; i < size; i += lanes<double, Set>) {
      const vector result = value(x + i, y + i, factors);
      if constexpr (PastCaches)
        store_past_caches<Set>(to + i, result);
      else
        result.store_aligned(to + i);
      asm volatile("" : : : "memory");  // or g++ calls memcpy to copy, which does what it likes
    }
#if XSIMD_WITH_SSE2
    if constexpr (PastCaches) _mm_sfence();
#endif
  }
};

template <bool PastCaches, class Set>
void run_stream(stream_operation operation, double* to, const double* x, const double* y, double factor,
                std::size_t size) {
  switch (operation) {
    case stream_operation::copy:
      return stream_loop<stream_operation::copy, PastCaches, Set>::run(to, x, y, factor, size);
    case stream_operation::scale:
      return stream_loop<stream_operation::scale, PastCaches, Set>::run(to, x, y, factor, size);
    case stream_operation::add: return stream_loop<stream_operation::add, PastCaches, Set>::run(to, x, y, factor, size);
    case stream_operation::triad:
      return stream_loop<stream_operation::triad, PastCaches, Set>::run(to, x, y, factor, size);
  }
}

template <class Set>
void stream_kernel::operator()(Set, stream_operation operation, double* to, const double* x, const double* y,
                               double factor, std::size_t size, bool past_caches) const {
  if (past_caches)
    run_stream<true, Set>(operation, to, x, y, factor, size);
  else
    run_stream<false, Set>(operation, to, x, y, factor, size);
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
