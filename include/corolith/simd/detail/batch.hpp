// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/tags.hpp>

#include <xsimd/xsimd.hpp>

#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

template <class Set>
struct xsimd_arch;
template <>
struct xsimd_arch<sse2> {
  using type = xsimd::sse2;
};
template <>
struct xsimd_arch<avx2> {
  using type = xsimd::fma3<xsimd::avx2>;
};
template <>
struct xsimd_arch<avx512> {
  using type = xsimd::avx512bw;
};
template <>
struct xsimd_arch<neon> {
  using type = xsimd::neon64;
};

/// A register of T on `Set`. Complete only in a translation unit that is compiled for the set.
template <class T, class Set>
using batch = xsimd::batch<T, typename xsimd_arch<Set>::type>;

template <class T, class Set>
inline constexpr std::size_t lanes = register_bytes<Set> / sizeof(T);

/// a * b + c, rounded once where the set has such an instruction.
template <class T, class Set>
[[gnu::always_inline]] inline batch<T, Set> multiply_add(const batch<T, Set>& a, const batch<T, Set>& b,
                                                         const batch<T, Set>& c) {
  return xsimd::fma(a, b, c);
}
#if XSIMD_WITH_AVX512BW  // for which xsimd 8 multiplies and adds
template <>
[[gnu::always_inline]] inline batch<double, avx512> multiply_add<double, avx512>(const batch<double, avx512>& a,
                                                                                 const batch<double, avx512>& b,
                                                                                 const batch<double, avx512>& c) {
  return _mm512_fmadd_pd(a, b, c);
}
template <>
[[gnu::always_inline]] inline batch<float, avx512> multiply_add<float, avx512>(const batch<float, avx512>& a,
                                                                               const batch<float, avx512>& b,
                                                                               const batch<float, avx512>& c) {
  return _mm512_fmadd_ps(a, b, c);
}
#endif

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
