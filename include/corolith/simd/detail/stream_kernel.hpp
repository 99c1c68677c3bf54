// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstddef>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

enum class stream_operation { copy, scale, add, triad };

/// to = x, to = factor * x, to = x + y, or to = x + factor * y, for `size` elements. The pointers are aligned to 64 bytes, size
/// is a multiple of 8. With `past_caches` what is stored goes to memory without being read first, where the set can do that.
struct stream_kernel {
  template <class Set>
  void operator()(Set, stream_operation operation, double* to, const double* x, const double* y, double factor,
                  std::size_t size, bool past_caches) const;
};

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
