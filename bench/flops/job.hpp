// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace bench::flops {

/// What one call does: `loopcount` products of two square matrices.
struct job {
  std::uint32_t matn = 1024;
  std::uint32_t loopcount = 6;
  std::uint32_t threads = 1;  ///< inside the call
  bool is_double = true;

  double flop() const {
    const double n = matn;
    return 2.0 * n * n * n * loopcount;
  }
};

/// How one call went. Times are of the process that ran it.
struct work_times {
  std::int64_t began_ns = 0;  ///< system clock, which nodes have in common
  std::int64_t ended_ns = 0;
  double kernel_s = 0;  ///< the products only
  double user_s = 0;    ///< processor time from began to ended, all threads
  double system_s = 0;
  double waited_s = 0;  ///< the call's thread was ready to run, and something else had the processor
};

}  // namespace bench::flops
