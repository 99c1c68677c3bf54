// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace pool {

/// What one driver asks for.
struct claim {
  std::uint64_t wanted = 0;  ///< slots that it could use
  std::uint64_t holds =
      0;  ///< slots that it has: decides who gets what does not divide, so that nothing moves without need
};

/// Divides `slots` among drivers so that the smallest share is as large as can be, then the second smallest, and so
/// on (max-min fair). Nobody gets more than was wanted; all is given away unless all wanted less. Same order as
/// `claims`.
inline std::vector<std::uint64_t> fair_share(std::span<const claim> claims, std::uint64_t slots) {
  std::vector<std::uint64_t> shares(claims.size(), 0);
  std::vector<std::size_t> order(claims.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return claims[a].wanted < claims[b].wanted; });
  std::size_t at = 0;
  for (; at < order.size(); ++at) {
    const std::uint64_t level = slots / (order.size() - at);
    if (claims[order[at]].wanted > level) break;
    shares[order[at]] = claims[order[at]].wanted;
    slots -= claims[order[at]].wanted;
  }
  if (at == order.size()) return shares;
  // All others want more than an even part of the rest.
  std::vector<std::size_t> rest(order.begin() + static_cast<std::ptrdiff_t>(at), order.end());
  std::sort(rest.begin(), rest.end());
  std::stable_sort(rest.begin(), rest.end(),
                   [&](std::size_t a, std::size_t b) { return claims[a].holds > claims[b].holds; });
  const std::uint64_t level = slots / rest.size(), more = slots % rest.size();
  for (std::size_t i = 0; i < rest.size(); ++i) shares[rest[i]] = level + (i < more ? 1 : 0);
  return shares;
}

}  // namespace pool
}  // namespace v0
}  // namespace corolith
