// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/tags.hpp>
#include <corolith/simd/instruction_set.hpp>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// Calls `kernel(set, arguments...)` with the tag of the active set. A kernel is an object whose operator() is a template on
/// that tag. With COROLITH_SIMD_DISPATCH it is only declared here, and defined by one translation unit for each set, which
/// includes <corolith/simd/impl/kernels.hpp>; otherwise it is compiled here, for the flags of this translation unit.
template <class Kernel, class... Arguments>
decltype(auto) dispatch(const Kernel& kernel, const Arguments&... arguments) {
#if !defined(COROLITH_SIMD_DISPATCH)
  return kernel(compiled_set{}, arguments...);
#elif defined(__aarch64__)
  return kernel(neon{}, arguments...);
#else
  switch (active_instruction_set()) {
    case instruction_set::avx512: return kernel(avx512{}, arguments...);
    case instruction_set::avx2: return kernel(avx2{}, arguments...);
    default: return kernel(sse2{}, arguments...);
  }
#endif
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
