// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/run/detail/run_store.hpp>

#include <memory>

namespace corolith {
inline namespace v0 {
namespace detail {

/// A backend whose large arguments and results go through the store: the one below sees only what stands for them, and so do scheduler, wire
/// and agents. An argument is put into the store by whoever feeds it, before `feed` returns, and stays there until its call has ended; a
/// result is taken out before its caller hears of it. `close` also cleans the store, if `ends_run` is set.
COROLITH_DECL std::shared_ptr<backend> through_store(std::shared_ptr<backend> below, std::shared_ptr<run_store> values,
                                                     bool ends_run);

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/large_values.ipp>
#endif
