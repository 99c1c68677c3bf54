// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/simd/detail/tags.hpp>
#include <corolith/simd/instruction_set.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <type_traits>

namespace corolith {
inline namespace v0 {
namespace simd {

COROLITH_DECL std::string_view name_of(instruction_set set) noexcept {
  switch (set) {
    case instruction_set::sse2: return "sse2";
    case instruction_set::avx2: return "avx2";
    case instruction_set::avx512: return "avx512";
    case instruction_set::neon: return "neon";
  }
  return "unknown";
}

COROLITH_DECL std::size_t register_size(instruction_set set) noexcept {
  switch (set) {
    case instruction_set::avx2: return detail::register_bytes<detail::avx2>;
    case instruction_set::avx512: return detail::register_bytes<detail::avx512>;
    default: return detail::register_bytes<detail::sse2>;
  }
}

namespace detail {

inline std::vector<instruction_set> find_usable_sets() {
#if defined(__aarch64__)
  return {instruction_set::neon};
#else
  std::vector<instruction_set> sets{instruction_set::sse2};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(instruction_set::avx2);
  if (sets.size() == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    sets.push_back(instruction_set::avx512);
#if !defined(COROLITH_SIMD_DISPATCH)
  constexpr instruction_set compiled = std::is_same_v<compiled_set, avx512> ? instruction_set::avx512
                                       : std::is_same_v<compiled_set, avx2> ? instruction_set::avx2
                                                                            : instruction_set::sse2;
  sets = {compiled};
#endif
  return sets;
#endif
}

inline void check_usable(instruction_set set, const std::string& asked_by) {
  const std::vector<instruction_set>& usable = usable_instruction_sets();
  if (std::find(usable.begin(), usable.end(), set) != usable.end()) return;
  std::string names;
  for (const instruction_set each : usable) names += (names.empty() ? "" : ", ") + std::string(name_of(each));
  throw config_error(asked_by + ": kernels for " + std::string(name_of(set)) +
                     " are not in this program or not for this machine; usable here: " + names);
}

inline instruction_set first_active_set() {
  const char* const asked = std::getenv("COROLITH_SIMD");
  if (asked == nullptr || *asked == '\0') return usable_instruction_sets().back();
  for (const instruction_set set :
       {instruction_set::sse2, instruction_set::avx2, instruction_set::avx512, instruction_set::neon}) {
    if (name_of(set) != asked) continue;
    check_usable(set, "environment variable COROLITH_SIMD");
    return set;
  }
  throw config_error("environment variable COROLITH_SIMD: '" + std::string(asked) +
                     "' is none of sse2, avx2, avx512, neon");
}

inline std::atomic<instruction_set>& active_set() {
  static std::atomic<instruction_set> active{first_active_set()};
  return active;
}

}  // namespace detail

COROLITH_DECL const std::vector<instruction_set>& usable_instruction_sets() {
  static const std::vector<instruction_set> sets = detail::find_usable_sets();
  return sets;
}

COROLITH_DECL instruction_set active_instruction_set() { return detail::active_set().load(std::memory_order_relaxed); }

COROLITH_DECL void use_instruction_set(instruction_set set) {
  detail::check_usable(set, "use_instruction_set");
  detail::active_set().store(set, std::memory_order_relaxed);
}

}  // namespace simd
}  // namespace v0
}  // namespace corolith
