// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/simd/instruction_set.hpp>

/// The physical limit of a generator that multiplies: independent products of 32-bit words, 64 bits each, and nothing else.
namespace bench {

#if defined(__x86_64__)
namespace detail {

#define COROLITH_BENCH_SIXTEEN(instruction)                                                                            \
  asm volatile(".rept 16\n\t.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t" instruction "\n\t.endr\n\t.endr" ::      \
                   : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
                     "xmm12", "xmm13", "xmm14", "xmm15")

inline void multiply_registers(corolith::simd::instruction_set set) {
  switch (set) {
    case corolith::simd::instruction_set::avx512:
      COROLITH_BENCH_SIXTEEN("vpmuludq %%zmm\\n, %%zmm\\n, %%zmm\\n");
      break;
    case corolith::simd::instruction_set::avx2: COROLITH_BENCH_SIXTEEN("vpmuludq %%ymm\\n, %%ymm\\n, %%ymm\\n"); break;
    default: COROLITH_BENCH_SIXTEEN("pmuludq %%xmm\\n, %%xmm\\n"); return;
  }
  asm volatile("vzeroupper");
}

#undef COROLITH_BENCH_SIXTEEN

}  // namespace detail

/// Does some tens of microseconds of products and returns how many.
inline double multiply(corolith::simd::instruction_set set) {
  constexpr int turns = 500;
  for (int turn = 0; turn < turns; ++turn) detail::multiply_registers(set);
  return turns * 256.0 * static_cast<double>(corolith::simd::register_size(set)) / 8;
}
#endif

}  // namespace bench
