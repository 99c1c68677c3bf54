// SPDX-License-Identifier: Apache-2.0
#pragma once

// The kernels, compiled for the set that the flags of this translation unit allow. A program that defines
// COROLITH_SIMD_DISPATCH includes this in one translation unit for each set and nothing else there: an inline function of
// another header would be compiled with flags that not every machine can run, and the linker might take that copy for all.
// CMake's corolith_add_kernels(NAME) makes such a library.
#include <corolith/simd/detail/tags.hpp>
#include <corolith/simd/impl/gemm_kernel.hpp>
#include <corolith/simd/impl/gemv_kernel.hpp>
#include <corolith/simd/impl/monte_carlo_kernel.hpp>
#include <corolith/simd/impl/peak_kernel.hpp>
#include <corolith/simd/impl/stream_kernel.hpp>

#include <cstddef>
#include <cstdint>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

template void gemm_kernel::operator()(compiled_set, const gemm_problem<float>&, const gemm_blocking&, float*,
                                      float*) const;
template void gemm_kernel::operator()(compiled_set, const gemm_problem<double>&, const gemm_blocking&, double*,
                                      double*) const;
template std::uint64_t monte_carlo_kernel::operator()(compiled_set, std::uint64_t, std::uint64_t, std::uint64_t) const;
template void gemv_kernel::operator()(compiled_set, const gemv_problem<float>&) const;
template void gemv_kernel::operator()(compiled_set, const gemv_problem<double>&) const;
template peak_work<float> peak_kernel<float>::operator()(compiled_set, const peak_numbers<float>&, std::uint64_t) const;
template peak_work<double> peak_kernel<double>::operator()(compiled_set, const peak_numbers<double>&,
                                                           std::uint64_t) const;
template void stream_kernel::operator()(compiled_set, stream_operation, double*, const double*, const double*, double,
                                        std::size_t, bool) const;

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
