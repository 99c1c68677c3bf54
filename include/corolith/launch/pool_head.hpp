// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/launch/pool_record.hpp>
#include <corolith/wire/channel.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <string>

namespace asio {
class io_context;
}

namespace corolith {
inline namespace v0 {
namespace launch {

/// What a user reads when there is no such pool.
COROLITH_DECL std::string no_such_pool(const pool_folder& folder);

/// The record of a pool that may be up. Where its head has died, what it left is removed. Throws launch_failed that says
/// how to start it.
COROLITH_DECL pool_record record_of_pool(const pool_folder& folder);

/// Called once, from the loop: a launch_failed, or the connection.
using head_callback = std::function<void(std::exception_ptr problem, std::shared_ptr<wire::channel> head)>;

/// Connects to the head as a client, at one of its addresses after the other. When nobody listens there any more,
/// what a dead head left is removed, and the error says so.
COROLITH_DECL void async_connect_head(asio::io_context& io, const pool_folder& folder, const pool_record& record,
                                      head_callback done);

}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/pool_head.ipp>
#endif
