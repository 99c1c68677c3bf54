// SPDX-License-Identifier: Apache-2.0
#pragma once

// For code that makes awaitables of its own. An awaiter that derives from `native_awaiter` is awaited by tasks as it
// is, so it must resume them at home: `suspension` does. Anything else is awaited through a stand-in that brings the
// task home.
#include <corolith/coro/context.hpp>
#include <corolith/coro/detail/awaitable.hpp>
#include <corolith/coro/detail/suspension.hpp>

namespace corolith {
inline namespace v0 {

using detail::native_awaiter;
using detail::suspension;

}  // namespace v0
}  // namespace corolith
