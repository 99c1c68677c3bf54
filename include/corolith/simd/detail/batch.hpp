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
inline constexpr std::size_t lanes = batch<T, Set>::size;

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
