// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>
#include <corolith/simd/detail/dispatch.hpp>
#include <corolith/simd/detail/stream_kernel.hpp>
#include <corolith/simd/instruction_set.hpp>

#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {

/// How results get to memory: through the caches, which read a line before they change it, or past them (non-temporal).
enum class stores { ordinary, streaming };

struct triad_options {
  /// Doubles in each of the three arrays, rounded up to a multiple of 8. 0: four times the last-level cache that the machine
  /// reports, as STREAM asks for, but not more than lets the three fit into half of the memory. Some virtual machines report
  /// the caches of a whole socket, some none.
  std::size_t elements = 0;
  unsigned threads = 1;
  unsigned repeats = 10;  ///< of each operation, of which the first does not count; at least 2
  stores kind = stores::streaming;
};

/// Bytes per second by STREAM's rule: what a program names counts, 16 bytes an element for copy and scale, 24 for add and triad.
/// What ordinary stores read besides does not.
struct bandwidth {
  double copy = 0;   ///< c = a
  double scale = 0;  ///< b = s * c
  double add = 0;    ///< c = a + b
  double triad = 0;  ///< a = b + s * c
  std::size_t elements = 0;
  unsigned threads = 1;
  instruction_set set = {};
  bool verified = false;  ///< whether all arrays hold what the operations give
};

/// The bandwidth of memory as J. D. McCalpin's STREAM benchmark measures it ("Memory bandwidth and machine balance in current
/// high performance computers", 1995): the best of `repeats` for each operation, with the active instruction set. Each thread
/// works on its part of the arrays and is the first to touch it, so that it lies in the memory nearest to that thread; they
/// begin together, and the time runs to the last end. Throws error(errc::misuse) when `threads` is 0 or `repeats` is below 2,
/// std::bad_alloc when the arrays do not fit. May be called from any thread, but two at once share the bandwidth.
COROLITH_DECL bandwidth measure_triad(const triad_options& options = {});

}  // namespace simd
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SIMD_DISPATCH)
#include <corolith/simd/impl/stream_kernel.hpp>
#endif
#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/simd/impl/triad.ipp>
#endif
