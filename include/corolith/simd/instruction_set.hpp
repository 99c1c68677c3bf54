// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace simd {

/// What kernels are compiled for. avx2 includes FMA; avx512 is F, CD, BW, DQ and VL; neon is that of 64-bit Arm.
enum class instruction_set { sse2, avx2, avx512, neon };

COROLITH_DECL std::string_view name_of(instruction_set set) noexcept;

/// Bytes of one vector register.
COROLITH_DECL std::size_t register_size(instruction_set set) noexcept;

/// The sets that this program holds kernels for and that this machine has, slowest first. A program that was built without
/// COROLITH_SIMD_DISPATCH holds one: the best that its compiler's flags allow.
COROLITH_DECL const std::vector<instruction_set>& usable_instruction_sets();

/// The set that kernels run with: the last of the usable ones, or that which the environment variable COROLITH_SIMD names.
/// Throws config_error when the variable names none that is usable.
COROLITH_DECL instruction_set active_instruction_set();

/// From now on kernels run with `set`, in all threads. For tests and benchmarks. Throws config_error when it is not usable.
COROLITH_DECL void use_instruction_set(instruction_set set);

}  // namespace simd
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/simd/impl/instruction_set.ipp>
#endif
