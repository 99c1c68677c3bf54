// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

// What a kernel is a template on. Own types, not those of xsimd: a translation unit that only calls kernels does not include it.
struct sse2 {};
struct avx2 {};
struct avx512 {};
struct neon {};

template <class Set>
inline constexpr std::size_t register_bytes = 16;
template <>
inline constexpr std::size_t register_bytes<avx2> = 32;
template <>
inline constexpr std::size_t register_bytes<avx512> = 64;

/// The best set that the flags of this translation unit allow.
#if defined(__AVX512F__) && defined(__AVX512CD__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__)
using compiled_set = avx512;
#elif defined(__AVX2__) && defined(__FMA__)
using compiled_set = avx2;
#elif defined(__SSE2__)
using compiled_set = sse2;
#elif defined(__aarch64__)
using compiled_set = neon;
#else
#error "corolith/simd knows x86-64 and 64-bit Arm"
#endif

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
