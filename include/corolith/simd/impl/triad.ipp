// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/simd/detail/cache_sizes.hpp>
#include <corolith/simd/detail/team.hpp>
#include <corolith/simd/detail/workspace.hpp>
#include <corolith/simd/triad.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// STREAM's scalar is 3, with which its values grow fifteenfold each time. This one brings a back to where it was.
inline constexpr double stream_factor = 0.41421356237309503;  // sqrt(2) - 1

struct stream_values {
  double a = 1, b = 2, c = 0;
};

/// The three arrays, in parts of whole cache lines, one for each member of a team.
class stream_arrays {
 public:
  stream_arrays(std::size_t elements, team& members) : elements_(elements), members_(members) {
    for (int i = 0; i < 3; ++i) arrays_[i] = static_cast<double*>(spaces_[i].reserve(elements * sizeof(double)));
    const stream_values start;
    members_.run([&](unsigned member) {
      std::fill(arrays_[0] + begin_of(member), arrays_[0] + begin_of(member + 1), start.a);
      std::fill(arrays_[1] + begin_of(member), arrays_[1] + begin_of(member + 1), start.b);
      std::fill(arrays_[2] + begin_of(member), arrays_[2] + begin_of(member + 1), start.c);
    });
  }

  /// Array number `to` becomes what the operation makes of x and y. Returns the seconds that it took.
  double run(stream_operation operation, int to, int x, int y, bool past_caches) {
    return members_.run([&](unsigned member) {
      const std::size_t begin = begin_of(member);
      dispatch(stream_kernel{}, operation, arrays_[to] + begin, static_cast<const double*>(arrays_[x] + begin),
               static_cast<const double*>(arrays_[y] + begin), stream_factor, begin_of(member + 1) - begin,
               past_caches);
    });
  }

  /// Whether they do, up to what a different rounding makes of it in `repeats` times.
  bool hold(const stream_values& expected, unsigned repeats) {
    std::atomic<bool> all = true;
    const double tolerance = 1e-15 * repeats;
    const auto is_near = [&](double value, double to) { return std::abs(value - to) <= tolerance * std::abs(to); };
    members_.run([&](unsigned member) {
      for (std::size_t i = begin_of(member); i < begin_of(member + 1); ++i)
        if (!is_near(arrays_[0][i], expected.a) || !is_near(arrays_[1][i], expected.b) ||
            !is_near(arrays_[2][i], expected.c))
          all = false;
    });
    return all;
  }

 private:
  std::size_t begin_of(unsigned member) const { return elements_ / 8 * member / members_.size() * 8; }

  std::size_t elements_;
  team& members_;
  workspace spaces_[3];
  double* arrays_[3] = {};
};

inline std::size_t stream_elements(std::size_t asked) {
  const std::size_t rule = 4 * caches().third / sizeof(double);
  const std::size_t most = static_cast<std::size_t>(physical_memory()) / 2 / (3 * sizeof(double));
  return ((asked != 0 ? asked : std::min(rule, most)) + 7) / 8 * 8;
}

}  // namespace detail

COROLITH_DECL bandwidth measure_triad(const triad_options& options) {
  using detail::stream_operation;
  if (options.repeats < 2) throw error(errc::misuse, "measure_triad: the first repeat does not count, so give it two");
  detail::team members(options.threads, "measure_triad");
  bandwidth result{.elements = detail::stream_elements(options.elements),
                   .threads = options.threads,
                   .set = active_instruction_set()};
  detail::stream_arrays arrays(result.elements, members);
  detail::stream_values expected;
  for (unsigned repeat = 0; repeat < options.repeats; ++repeat) {
    const auto run = [&](stream_operation operation, int to, int x, int y, double bytes, double& best) {
      const double seconds = arrays.run(operation, to, x, y, options.kind == stores::streaming);
      if (repeat != 0) best = std::max(best, bytes * static_cast<double>(result.elements) / seconds);
    };
    run(stream_operation::copy, 2, 0, 0, 16, result.copy);
    run(stream_operation::scale, 1, 2, 2, 16, result.scale);
    run(stream_operation::add, 2, 0, 1, 24, result.add);
    run(stream_operation::triad, 0, 1, 2, 24, result.triad);
    expected.c = expected.a;
    expected.b = detail::stream_factor * expected.c;
    expected.c = expected.a + expected.b;
    expected.a = expected.b + detail::stream_factor * expected.c;
  }
  result.verified = arrays.hold(expected, options.repeats);
  return result;
}

}  // namespace simd
}  // namespace v0
}  // namespace corolith
