// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/coro/task.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace corolith::inline v0::storage::detail {

/// The bytes as characters.
inline task<std::string> as_text(task<std::vector<std::byte>> bytes) {
  const std::vector<std::byte> read = co_await std::move(bytes);
  co_return std::string(reinterpret_cast<const char*>(read.data()), read.size());
}

}  // namespace corolith::inline v0::storage::detail
