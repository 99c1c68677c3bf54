// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/launch/pool_record.hpp>
#include <corolith/wire/pool_messages.hpp>

#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace pool {

/// Asks the head of a pool ("show", "scale MIN MAX", "drain", "down") and waits for the answer. Throws launch_failed
/// where there is no such pool, its head is dead (what it left is removed), cannot be reached or refuses.
COROLITH_DECL wire::pool_status ask_head(const launch::pool_folder& folder, std::vector<std::string> words);

}  // namespace pool
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/pool/impl/client.ipp>
#endif
