// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/run/detail/journal.hpp>

#include <memory>

namespace corolith {
inline namespace v0 {
namespace detail {

/// A backend whose batches, those that are to be journaled, go through a journal. Elements whose results it has are not handed to the backend
/// below; results are handed out once they are in the file. `close` closes the journal, too.
COROLITH_DECL std::shared_ptr<backend> through_journal(std::shared_ptr<backend> below, std::shared_ptr<journal> kept);

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/journaled.ipp>
#endif
