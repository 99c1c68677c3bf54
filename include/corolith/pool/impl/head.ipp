// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/pool/detail/head_core.hpp>
#include <corolith/pool/head.hpp>

#include <utility>

namespace corolith {
inline namespace v0 {
namespace pool {

COROLITH_DECL int run_head(head_options settings, unique_fd claim) {
  return detail::head_core(std::move(settings)).run(std::move(claim));
}

}  // namespace pool
}  // namespace v0
}  // namespace corolith
